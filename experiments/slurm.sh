#!/bin/bash
# Submits any sentence, or any experiment, to Slurm; one that runs out of time is requeued and goes on where it was.
#
#   sbatch experiments/slurm.sh semeqv --output runs/x ... cli savers default-saver --resume cli train
#   sbatch experiments/slurm.sh make -f experiments/crosslingual-pos.mk figs BASE=xlm-roberta-base \
#     OPTIONS='--device cuda --precision auto'
#   sbatch --array=42-44 experiments/slurm.sh make -f experiments/crosslingual-ner.mk swept BASE=xlm-roberta-base
#
# In an array, SEEDS is the number of the job, and an experiment runs that seed alone: ask for `swept`, and for `figs`
# when all jobs are done. What they share is made before (`make -f ... base`, where the base is trained here). Two
# minutes before the end all processes are told (USR1): a run saves itself and ends, and the job is queued again.

#SBATCH --job-name=semeqv
#SBATCH --nodes=1
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
if [ "$asked" ] && [ $code -ne 0 ]; then
  if [ -n "$SLURM_ARRAY_JOB_ID" ]; then
    exec scontrol requeue "${SLURM_ARRAY_JOB_ID}_$SLURM_ARRAY_TASK_ID"
  fi
  exec scontrol requeue "$SLURM_JOB_ID"
fi
exit $code
