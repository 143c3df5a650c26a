#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Make the committed corpora of what run.sh has found: as few inputs as reach the same code.
#   tests/fuzz/keep.sh TARGET|all
# Inputs with a name of their own (samples, and what once broke something) stay whatever they reach;
# those that were named by their digest are replaced. Nothing here needs to be run for a fix.
set -eu

[ $# -eq 1 ] || { echo "usage: tests/fuzz/keep.sh TARGET|all" >&2; exit 2; }
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
work=${STIRKEEP_FUZZ_DIR:-$(dirname "$(dirname "$here")")/build/fuzz}
targets=$1
[ "$targets" != all ] || targets=$(ls "$here/corpus")

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
for target in $targets; do
    rm -rf "$fresh/kept"
    mkdir -p "$fresh/kept" "$work/found/$target"
    # Without counters: an input that does the same more often is none more to keep.
    "$work/build/tests/fuzz/fuzz_$target" -set_cover_merge=1 -use_counters=0 -rss_limit_mb=4096 \
        "$fresh/kept" "$here/corpus/$target" "$work/found/$target" >"$fresh/log" 2>&1 ||
        { tail -n 20 "$fresh/log" >&2; exit 1; }
    find "$here/corpus/$target" -type f -regextype posix-extended -regex '.*/[0-9a-f]{40}' -delete
    for input in "$fresh/kept"/*; do
        # One with a name may be among them.
        digest=$(sha1sum <"$input" | cut -d ' ' -f 1)
        sha1sum "$here/corpus/$target"/* 2>/dev/null | grep -q "^$digest" ||
            cp "$input" "$here/corpus/$target/$digest"
    done
    printf '%-20s %4d inputs, %5d KiB\n' "$target" "$(find "$here/corpus/$target" -type f | wc -l)" \
        "$(du -sk --apparent-size "$here/corpus/$target" | cut -f 1)"
done
