#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# From a fresh clone to a signed PASSporT: packages, build, a SoftHSM token, a laboratory STI chain,
# the service, an import, a signature, and its check by an independent tool. The last line is the
# Identity header value, "Identity: ...". Everything happens in a private directory under build/,
# which is removed at the end. Root is needed only where packages are missing; run again at will.
set -eu

top=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
build=$top/build/quickstart
umask 077

say() {
    printf '\n== %s\n' "$*"
}
# Show a command, then run it.
run() {
    printf '$ %s\n' "$*"
    "$@"
}

say 'Packages'
sh "$top/softhsm-conf/packages.sh" build run verify

say 'Build'
mkdir -p "$build"
build_step() {
    "$@" >"$build/quickstart.log" 2>&1 || {
        cat "$build/quickstart.log" >&2
        exit 1
    }
}
[ -e "$build/build.ninja" ] || build_step meson setup "$build" "$top"
build_step meson compile -C "$build"
tail -n 1 "$build/quickstart.log"

# Run by root, each room has a user of its own, who must be able to reach the programs and the token:
# not so in a clone under /root.
place=$build
if [ "$(id -u)" -eq 0 ]; then
    chmod 0711 "$top/build" "$build"
    if ! setpriv --reuid 61501 --regid 61501 --clear-groups test -e "$build/build.ninja"; then
        place=${TMPDIR:-/tmp}
        echo "$build cannot be entered by other users; working in $place"
    fi
fi
work=$(mktemp -d "$place/stirkeep-quickstart-XXXXXX")
service=
clean_up() {
    status=$?
    trap - EXIT INT TERM HUP
    if [ -n "$service" ]; then
        kill "$service" 2>/dev/null || true
        wait "$service" 2>/dev/null || true
    fi
    [ "$status" -eq 0 ] || [ ! -s "$work/service.log" ] || cat "$work/service.log" >&2
    rm -rf "$work"
    exit "$status"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

DESTDIR=$work/root meson install -C "$build" --no-rebuild --quiet
installed=$work/root/usr/local
PATH=$installed/bin:$installed/sbin:$PATH

say 'A SoftHSM token and a laboratory STI chain'
cd "$work"
sh "$top/softhsm-conf/token-setup.sh" token
echo "A token in $work/token"
sh "$top/softhsm-conf/lab-chain.sh" lab 709J
echo "Certificates in $work/lab: leaf.pem, leaf-chain.pem, ca.pem, root.pem; private key: leaf.key"
module=
for candidate in /usr/lib/softhsm/libsofthsm2.so /usr/lib/*/softhsm/libsofthsm2.so; do
    [ -z "$module" ] && [ -e "$candidate" ] && module=$candidate
done
mkdir run state log

user=$(id -un)
cat >stirkeep.conf <<CONF
[token]
module = ${module:?SoftHSM is not installed}
label = stirkeep
pin-file = $work/token/pin
[token-environment]
SOFTHSM2_CONF = $work/token/softhsm2.conf
[sockets]
sign = $work/run/sign.sock
admin = $work/run/admin.sock
[storage]
catalog = $work/state/catalog.db
[audit]
file = $work/log/audit.jsonl
[signing]
x5u-template = https://certs.example.com/{name}/{fingerprint}.pem
[admin]
user = $user
[grant quickstart]
user = $user
certificates = Alpha
ppt = shaken
attest = A, B, C
CONF
if [ "$(id -u)" -eq 0 ]; then
    # Run by root, each room has a user of its own; a real set-up makes them with adduser --system.
    cat >>stirkeep.conf <<CONF
[rooms]
front-user = 61501
intake-user = 61502
keeper-user = 61503
CONF
    chmod 0711 "$work"
    chown -R 61502 "$work/state"
    chown -R 61503 "$work/token" "$work/log"
    chown 0 "$work/token/pin"
fi

say 'The service'
export STIRKEEP_SIGN_SOCKET="$work/run/sign.sock" STIRKEEP_ADMIN_SOCKET="$work/run/admin.sock"
stirkeepd -c stirkeep.conf --libexec "$installed/libexec/stirkeep" --check
stirkeepd -c stirkeep.conf --libexec "$installed/libexec/stirkeep" 2>service.log &
service=$!
tries=0
until stirkeep status >/dev/null 2>&1; do
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || ! kill -0 "$service" 2>/dev/null; then
        echo 'The service did not become ready:' >&2
        exit 1
    fi
    sleep 0.1
done
run stirkeep status

say 'Upload a key, see it leave the disk'
run ls -l lab/leaf.key
run stirkeep import Alpha --cert lab/leaf-chain.pem --key lab/leaf.key
if [ -e lab/leaf.key ]; then
    echo "lab/leaf.key is still there" >&2
    exit 1
fi
echo "lab/leaf.key is gone."
run stirkeep show Alpha

say 'Sign a PASSporT by name, check it with an independent tool'
echo '$ stirkeep sign Alpha --orig 12155551212 --dest 12155551213 --attest A >identity.txt'
stirkeep sign Alpha --orig 12155551212 --dest 12155551213 --attest A >identity.txt
run secsipidx -check -fidentity identity.txt -fpubkey lab/leaf.pem -expire 60 \
    -cert-verify 13 -ca-file lab/root.pem -ca-inter lab/ca.pem

printf '\nIdentity: %s\n' "$(cat identity.txt)"
