#!/bin/sh
# Double-click: plans inputs/baseline.xlsx. With a workbook's path after it: plans that one. The result opens when it is ready.
book="$1"
case "$book" in ""|/*) ;; *) book="$PWD/$book" ;; esac
cd "$(dirname "$0")/.." || exit 1
if [ -x .venv/bin/python ]; then python=.venv/bin/python; else python=python3; fi
if [ -n "$book" ]; then "$python" run.py "$book" --open; else "$python" run.py --open; fi
code=$?
printf '\nPress Enter to close this window. '
read -r _
exit "$code"
