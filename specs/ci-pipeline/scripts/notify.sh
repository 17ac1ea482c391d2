#!/bin/sh
# Stands for a message to a chat. Usage: notify.sh STATUS
set -eu

case ${1:?what is the status of the run?} in
success) echo "All good: run $ORCA_RUN_ID succeeded." ;;
*) echo "Please look: run $ORCA_RUN_ID is $1." ;;
esac
