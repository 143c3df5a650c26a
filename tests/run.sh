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
# as a failure there.
status=0
rm -f "$build"/meson-logs/testlog.junit.xml
meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 4 "$@" || status=$?
/usr/bin/python3 "$top/tests/count.py" "$build"/meson-logs/testlog.junit.xml "$status"
