#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# PROGRAM [ARGUMENT...] under memcheck when it is one of ours, as it is otherwise (an interpreter). What our
# programs start is looked at too, except for the system's and copies of these. Findings: $STIRKEEP_FOUND/PID; of
# stirkeepd and its rooms, on their standard error, which is their service's log: rooms have users of their own, and a file
# is made by who was there before them. tests/e2e/stirkeep.py fails a test whose log has some, and prints it.
# Leaks are looked for in stirkeepd and its rooms. Those of the other programs are for LeakSanitizer to
# find: here, children of a test that end by _exit would have left what their parent had.
# No gdb server: its files in /tmp would be the first user's, and rooms have several.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
leaks=no
log=--log-file=$STIRKEEP_FOUND/%p
case $1 in
/usr/* | /bin/*) exec "$@" ;;
*/stirkeepd)
    leaks=full
    log=--log-fd=2
    ;;
# valgrind leaves its file open at the first free place, where a room looks for its rules or its PIN, and rooms
# that a test's stirkeepd starts have users of their own, too.
*/test_front_* | */test_keeper_* | */test_stirkeepd_*)
    log=--log-fd=2
    ;;
esac
exec valgrind -q --vgdb=no --trace-children=yes '--trace-children-skip=/usr/*,/bin/*,/tmp/stk-program-*' \
    "--suppressions=$here/valgrind.supp" "$log" \
    "--leak-check=$leaks" --show-leak-kinds=definite --errors-for-leak-kinds=definite "$@"
