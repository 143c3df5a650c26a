#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Search for inputs that a parser must not be given: libFuzzer with ASan and UBSan.
#   tests/fuzz/run.sh TARGET|all SECONDS [LIBFUZZER-ARGUMENT...]
# Each target runs for SECONDS, as many at once as STIRKEEP_FUZZ_JOBS says (one per core otherwise),
# from its corpus (tests/fuzz/corpus/TARGET) on. What it finds new is kept in build/fuzz/found; what
# breaks it in build/fuzz/artifacts, and then the exit status is 1. Installs the packages that are
# missing. tests/fuzz/README.md says what to do with a find.
set -eu

usage() {
    echo "usage: tests/fuzz/run.sh TARGET|all SECONDS [LIBFUZZER-ARGUMENT...]" >&2
    exit 2
}

# One target, as xargs calls it.
run_one() {
    target=$1
    seconds=$2
    shift 2
    mkdir -p "$work/found/$target" "$work/artifacts/$target" "$work/log"
    set -- "-max_total_time=$seconds" -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
        -use_value_profile=1 "-artifact_prefix=$work/artifacts/$target/" "$@"
    # Longer than the largest message would be a waste, shorter would miss what is at the limits.
    case $target in
    sign_stream | wire_request) set -- -max_len=8192 "$@" ;;
    *) set -- -max_len=4096 "$@" ;;
    esac
    [ ! -e "$here/dict/$target.dict" ] || set -- "-dict=$here/dict/$target.dict" "$@"
    begun=$(date +%s)
    status=0
    "$work/build/tests/fuzz/fuzz_$target" "$@" "$work/found/$target" "$here/corpus/$target" \
        >"$work/log/$target.log" 2>&1 || status=$?
    ended=$(date +%s)
    executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log/$target.log")
    covered=$(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$work/log/$target.log" | tail -n 1)
    printf '%-20s %s  %6d s  %12s executions  %6s edges\n' "$target" \
        "$([ "$status" -eq 0 ] && echo good || echo BAD)" $((ended - begun)) \
        "${executions:-?}" "${covered:-?}"
    return "$status"
}

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
top=$(CDPATH='' cd -- "$here/../.." && pwd)
work=${STIRKEEP_FUZZ_DIR:-$top/build/fuzz}
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:allocator_may_return_null=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
if [ "${1:-}" = --one ]; then
    shift
    run_one "$@"
    exit
fi
[ $# -ge 2 ] || usage
wanted=$1
case $2 in
'' | *[!0-9]*) usage ;;
esac
shift

sh "$top/softhsm-conf/packages.sh" build fuzz
if [ ! -e "$work/build/build.ninja" ]; then
    # -fno-sanitize-recover: what UBSan sees ends the run, as what ASan sees does.
    CC="${STIRKEEP_FUZZ_CC:-clang}" meson setup "$work/build" "$top" -Db_sanitize=address,undefined \
        -Db_lundef=false -Db_pie=false -Doptimization=1 \
        -Dc_args='-fsanitize=fuzzer-no-link -fno-sanitize-recover=all -fno-omit-frame-pointer'
fi
if [ "$wanted" = all ]; then
    meson compile -C "$work/build" fuzz
    targets=$(cd "$work/build/tests/fuzz" && find . -maxdepth 1 -type f -name 'fuzz_*' |
        sed 's|^./fuzz_||' | sort)
else
    meson compile -C "$work/build" "fuzz_$wanted"
    targets=$wanted
fi
# shellcheck disable=SC2086  # words are meant to be split
printf '%s\n' $targets |
    xargs -P "${STIRKEEP_FUZZ_JOBS:-$(nproc)}" -I TARGET sh "$0" --one TARGET "$@" ||
    { echo "run.sh: something broke: see $work/artifacts and $work/log" >&2; exit 1; }
