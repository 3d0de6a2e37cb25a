#!/bin/bash
# Submits any sentence, or any experiment, to Slurm; one that runs out of time is queued again and goes on where it was.
#
#   sbatch experiments/slurm.sh semeqv --output runs/x ... cli savers default-saver --resume cli train
#   sbatch experiments/slurm.sh make -f experiments/crosslingual-pos.mk figs BASE=xlm-roberta-base \
#     OPTIONS='--device cuda --precision auto'
#   sbatch --array=42-44 experiments/slurm.sh make -f experiments/crosslingual-ner.mk swept BASE=xlm-roberta-base
#   sbatch --nodes=2 --gres=gpu:4 experiments/slurm.sh semeqv --output runs/x ... cli train
#
# With several nodes or GPUs, srun starts torchrun on each node, which starts a process for each GPU ($NPROC names
# another number). The sentence stays the same. Nodes that share no disk make their own caches, and node 0
# writes the run; --strategy fsdp needs a shared --output.
#
# In an array, SEEDS is the number of the job, and an experiment runs that seed alone: ask for `swept`, and for `figs`
# when all jobs are done. What they share is made before (`make -f ... base`, where the base is trained here).
#
# Two minutes before the end all processes get USR1: a run saves itself and ends, and makes the file $SEMEQV_STOPPED.
# The job is queued again when that file is there, and never after an error.

#SBATCH --job-name=semeqv
#SBATCH --nodes=1
#SBATCH --ntasks-per-node=1
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=8
#SBATCH --mem=48G
#SBATCH --time=12:00:00
#SBATCH --signal=B:USR1@120
#SBATCH --open-mode=append
#SBATCH --output=slurm-%x-%A_%a.log

if [ $# -eq 0 ]; then
  echo 'usage: sbatch experiments/slurm.sh COMMAND ...' >&2
  exit 2
fi
[ -n "$SLURM_ARRAY_TASK_ID" ] && export SEEDS=$SLURM_ARRAY_TASK_ID
job=${SLURM_ARRAY_JOB_ID:+${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID}
job=${job:-$SLURM_JOB_ID}
export SEMEQV_STOPPED=$PWD/.slurm-$job.stopped
rm -f "$SEMEQV_STOPPED"

# Several processes: $LAUNCHER stands before `-m semeqv`, here and in the makefiles.
nodes=${SLURM_JOB_NUM_NODES:-1}
each=${NPROC:-${SLURM_GPUS_ON_NODE:-1}}
if [ "$nodes" -gt 1 ] || [ "$each" -gt 1 ]; then
  head=$(scontrol show hostnames "$SLURM_JOB_NODELIST" | head -n 1)
  export TORCH_ELASTIC_SHUTDOWN_TIMEOUT=${TORCH_ELASTIC_SHUTDOWN_TIMEOUT:-100} # seconds to save in
  LAUNCHER="srun --kill-on-bad-exit=1 torchrun --nnodes $nodes --nproc_per_node $each --rdzv_id $SLURM_JOB_ID"
  LAUNCHER="$LAUNCHER --rdzv_backend c10d --rdzv_endpoint $head:$((20000 + SLURM_JOB_ID % 20000))"
  export LAUNCHER="$LAUNCHER --signals_to_handle SIGTERM,SIGINT,SIGHUP,SIGQUIT,SIGUSR1"
  case $1 in
    semeqv | */semeqv)
      shift
      # shellcheck disable=SC2086 # words
      set -- $LAUNCHER -m semeqv "$@"
      ;;
  esac
fi

set -m # what is started has a process group of its own
asked=
"$@" &
child=$!
tell() {
  asked=yes
  kill -USR1 -- -$child # all of it: make and shells between do not pass signals on
}
trap tell USR1

wait $child
code=$?
if [ "$asked" ]; then
  wait $child # the signal has ended the first wait early
  code=$?
  while kill -0 -- -$child 2>/dev/null; do # make ends before what it has started has saved itself
    sleep .1
  done
fi
if [ "$asked" ] && [ $code -ne 0 ] && [ -e "$SEMEQV_STOPPED" ]; then
  rm -f "$SEMEQV_STOPPED"
  exec scontrol requeue "$job"
fi
rm -f "$SEMEQV_STOPPED"
exit $code
