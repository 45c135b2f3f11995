#!/bin/sh
# Starts (or goes on with) the queue of trainings; it survives the end of the shell.
rm -f /work/runs/STOP
nohup setsid /work/main/.venv/bin/python /work/runs/run_queue.py >> /work/runs/queue.log 2>&1 < /dev/null &
