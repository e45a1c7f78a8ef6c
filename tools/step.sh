#!/usr/bin/env bash
# step.sh LABEL LOG COMMAND...: one line on the screen with the seconds taken; the output goes to LOG.
# On failure the end of LOG is printed, so that nobody has to look for it.
set -u
label=$1 log=$2
shift 2
mkdir -p "$(dirname "$log")"
printf '%-58s ' "$label"
start=$(date +%s)
"$@" >"$log" 2>&1 </dev/null
code=$?
if [ "$code" -eq 0 ]; then
  printf 'done, %d s\n' $(($(date +%s) - start))
else
  printf 'FAILED after %d s (exit %d); the end of %s:\n\n' $(($(date +%s) - start)) "$code" "$log"
  tail -n 40 "$log"
fi
exit "$code"
