#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Install the Debian or Ubuntu packages that are missing.
#   packages.sh build|run|verify|test|fuzz...
# Root installs them itself, others by `sudo -n` where that is allowed; otherwise it says what to
# install and fails. Nothing is done, and no root is needed, when all of them are there.
set -eu

build='gcc libc6-dev meson ninja-build pkg-config libssl-dev libp11-dev libp11-kit-dev
 protobuf-c-compiler libprotobuf-c-dev libsqlite3-dev libevent-dev libinih-dev libjansson-dev
 libzstd-dev'
run='softhsm2 openssl bsdutils'
verify='secsipidx'
test='libcmocka-dev g++ python3 python3-cryptography python3-protobuf protobuf-compiler opensc
 procps util-linux binutils e2fsprogs mount strace zstd'
fuzz='clang libclang-rt-dev llvm'

wanted=
for set in "$@"; do
    case $set in
    build) wanted="$wanted $build" ;;
    run) wanted="$wanted $run" ;;
    verify) wanted="$wanted $verify" ;;
    test) wanted="$wanted $test" ;;
    fuzz) wanted="$wanted $fuzz" ;;
    *) echo "packages.sh: unknown set '$set'; known: build, run, verify, test, fuzz" >&2; exit 2 ;;
    esac
done

missing=
for package in $wanted; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    case $state in
    *installed*) [ "$state" = not-installed ] && missing="$missing $package" ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    echo "packages.sh: these packages are missing, and installing them needs root:$missing" >&2
    exit 1
fi
echo "Installing:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086  # words are meant to be split
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $missing \
    >/dev/null
