"""The checks that need a GPU, within eight minutes: `make gpu`. On a machine without one it is a dry run on the CPU.

    python -m benchmarks.gpu                every check
    python -m benchmarks.gpu backpack ranks     these alone; the others keep their rows

Every check is a process of its own with a time limit, as an assertion on the device ends the process; what a check
leaves of its time the later ones may use. The rows are written to benchmarks/results/gpu/DEVICE.json, and the tables of
all devices to benchmarks/results/gpu/README.md. Of several GPUs the first is used.
"""
