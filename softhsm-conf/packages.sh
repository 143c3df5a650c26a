#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Install the Debian or Ubuntu packages that are missing.
#   packages.sh build|run|verify|test|proxy|fuzz|sanitize...
# Root installs them itself, others by `sudo -n` where that is allowed; otherwise it says what to
# install and fails. Nothing is done, and no root is needed, when all of them are there. Those of
# "proxy" that a distribution has not got are told and left out: what needs them is skipped, and fails
# where CI is set. Debian 12, Ubuntu 22.04 and 24.04 have all of these by these names.
set -eu

build='gcc libc6-dev meson ninja-build pkg-config libssl-dev libp11-dev libp11-kit-dev
 protobuf-c-compiler libprotobuf-c-dev libsqlite3-dev libevent-dev libinih-dev libjansson-dev
 libzstd-dev libseccomp-dev'
run='softhsm2 openssl bsdutils'
verify='secsipidx'
test='libcmocka-dev g++ python3 python3-cryptography python3-protobuf protobuf-compiler
 python3-pip python3-setuptools python3-wheel mypy opensc
 procps util-linux binutils e2fsprogs mount strace systemd zsh zstd p11-kit p11-kit-modules'
proxy='kamailio kamailio-secsipid-modules kamailio-utils-modules kamailio-python3-modules sip-tester'
fuzz='clang libclang-rt-dev llvm'
sanitize='valgrind'

wanted=
wanted_if_any=
for set in "$@"; do
    case $set in
    build) wanted="$wanted $build" ;;
    run) wanted="$wanted $run" ;;
    verify) wanted="$wanted $verify" ;;
    test) wanted="$wanted $test" ;;
    fuzz) wanted="$wanted $fuzz" ;;
    sanitize) wanted="$wanted $sanitize" ;;
    proxy) wanted_if_any="$wanted_if_any $proxy" ;;
    *) echo "packages.sh: unknown set '$set'; known: build, run, verify, test, fuzz, sanitize, proxy" >&2; exit 2 ;;
    esac
done

is_installed() {
    state=$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true)
    [ "$state" = installed ]
}

missing=
for package in $wanted; do
    is_installed "$package" || missing="$missing $package"
done
missing_if_any=
for package in $wanted_if_any; do
    is_installed "$package" || missing_if_any="$missing_if_any $package"
done
[ -n "$missing$missing_if_any" ] || exit 0

if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    as_root='sudo -n'
else
    as_root=false
fi

# apt-cache knows nothing before the first update.
updated=
update() {
    [ -n "$updated" ] || [ "$as_root" = false ] || $as_root apt-get update -qq
    updated=yes
}
[ -z "$missing_if_any" ] || apt-cache show kamailio >/dev/null 2>&1 || update
for package in $missing_if_any; do
    if apt-cache show "$package" >/dev/null 2>&1; then
        missing="$missing $package"
    else
        echo "packages.sh: $package: this distribution has none; what needs it is skipped" >&2
    fi
done
[ -n "$missing" ] || exit 0
if [ "$as_root" = false ]; then
    echo "packages.sh: these packages are missing, and installing them needs root:$missing" >&2
    exit 1
fi

# A SIP proxy that nobody asked for is not to be started, now or at the next boot. RUNLEVEL tells
# invoke-rc.d, where there is no systemd.
quiet=
case " $missing " in
*' kamailio '*) [ ! -d /run/systemd/system ] || quiet=kamailio.service ;;
esac
[ -z "$quiet" ] || $as_root systemctl mask --runtime --quiet "$quiet"
echo "Installing:$missing"
update
# shellcheck disable=SC2086  # words are meant to be split
$as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get install -qq -y \
    --no-install-recommends $missing \
    >/dev/null
if [ -n "$quiet" ]; then
    $as_root systemctl unmask --runtime --quiet "$quiet"
    $as_root systemctl disable --quiet "$quiet"
fi
