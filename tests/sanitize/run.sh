#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Every test under a program that looks for faults in memory or between threads.
#   tests/sanitize/run.sh address|thread|valgrind [MESON-TEST-ARGUMENT...]
# address: gcc's AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer; thread: ThreadSanitizer;
# valgrind: memcheck, stirkeepd and its rooms under it in the end-to-end tests too. Builds in
# build/sanitize/KIND (elsewhere: STIRKEEP_SANITIZE_DIR). Its last line is "N findings"; what was found is in
# found/ there, and the exit status is 1. Tests that fail are named by meson; those about times
# are skipped where a time is not kept. README.md here has more.
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$here/../.." && pwd)
kind=${1:-}
case $kind in
address) options='-Db_sanitize=address,undefined' ;;
thread) options='-Db_sanitize=thread' ;;
valgrind) options='-Dlock-down=relaxed' ;;
*)
    echo "usage: tests/sanitize/run.sh address|thread|valgrind [MESON-TEST-ARGUMENT...]" >&2
    exit 2
    ;;
esac
shift
work=${STIRKEEP_SANITIZE_DIR:-$top/build/sanitize/$kind}
found=$work/found

sh "$top/softhsm-conf/packages.sh" build run verify test proxy sanitize
[ -e "$work/build.ninja" ] || meson setup "$work" "$top" "$options"
meson compile -C "$work"

# Rooms have users of their own, and each process writes a file of its own.
rm -rf "$found"
mkdir -p "$found"
chmod 1777 "$found"
case $kind in
address)
    export ASAN_OPTIONS="log_path=$found/asan:disable_coredump=0"
    export UBSAN_OPTIONS="log_path=$found/ubsan:print_stacktrace=1"
    ;;
thread)
    export TSAN_OPTIONS="log_path=$found/tsan:suppressions=$here/thread.supp:atexit_sleep_ms=0:disable_coredump=0"
    ;;
valgrind)
    export STIRKEEP_FOUND="$found"
    export STIRKEEP_UNDER="$here/valgrind.sh"
    set -- "--wrap=$here/valgrind.sh" "$@"
    ;;
esac
meson test -C "$work" --no-rebuild --timeout-multiplier 10 "$@" || true

# valgrind's files are there for each process, most of them empty or with notes on itself. A room's own
# words are in its service's log, which a test that sees them there prints.
grep -l -r -e '^==[0-9][0-9]*== ' -e 'ERROR: [A-Za-z]*Sanitizer' -e 'runtime error' -e 'WARNING: ThreadSanitizer' \
    "$found" "$work"/meson-logs/testlog*.txt >"$work/findings" || true
while read -r file; do
    echo "$file:"
    sed -n 1,40p "$file"
done <"$work/findings"
count=$(wc -l <"$work/findings")
echo "$count findings"
[ "$count" -eq 0 ]
