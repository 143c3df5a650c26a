#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# PROGRAM [ARGUMENT...] under memcheck when it is one of ours, as it is otherwise (an interpreter). What our
# programs start is looked at too, except for the system's. Findings: $STIRKEEP_FOUND/PID.
# Leaks are looked for in stirkeepd and its rooms. Those of the other programs are for LeakSanitizer to
# find: here, children of a test that end by _exit would have left what their parent had.
# No gdb server: its files in /tmp would be the first user's, and rooms have several.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
case $1 in
/usr/* | /bin/*) exec "$@" ;;
*/stirkeepd) leaks=full ;;
*) leaks=no ;;
esac
exec valgrind -q --vgdb=no --trace-children=yes '--trace-children-skip=/usr/*,/bin/*' \
    "--suppressions=$here/valgrind.supp" "--log-file=$STIRKEEP_FOUND/%p" \
    "--leak-check=$leaks" --show-leak-kinds=definite --errors-for-leak-kinds=definite "$@"
