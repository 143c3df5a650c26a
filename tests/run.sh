#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Build stirkeep with warnings as errors and run every test on a real SoftHSM token.
#   tests/run.sh [MESON-TEST-ARGUMENT...]      for instance: tests/run.sh --suite unit
# Installs the packages that are missing. The last line is "N passed, N failed, N skipped".
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=${STIRKEEP_TEST_BUILD:-$top/build/tests}

sh "$top/softhsm-conf/packages.sh" build run verify test proxy

if [ -e "$build/build.ninja" ]; then
    meson configure "$build" -Dwerror=true
else
    meson setup "$build" "$top" -Dwerror=true
fi
meson compile -C "$build"

# The count comes from the test log: a test program that dies before its first case still counts
# as a failure there. What failed beside others is run once more alone, and told of: many tests are
# of real processes and real times. More than five programs that fail are no accident.
status=0
log=$build/meson-logs
rm -f "$log"/testlog.junit.xml "$log"/again.junit.xml
meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 4 "$@" || status=$?
failed=$(/usr/bin/python3 "$top/tests/count.py" --failed "$log"/testlog.json)
set -- "$log"/testlog.junit.xml
if [ "$status" -ne 0 ] && [ -n "$failed" ] && [ "$(echo "$failed" | wc -l)" -le 5 ]; then
    status=0
    # shellcheck disable=SC2086  # one word for each program
    meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 4 \
        --num-processes 1 --logbase again $failed || status=$?
    set -- "$@" "$log"/again.junit.xml
fi
/usr/bin/python3 "$top/tests/count.py" "$status" "$@"
