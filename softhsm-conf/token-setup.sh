#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Make a SoftHSM token for stirkeep:
#   token-setup.sh DIRECTORY [LABEL]
# DIRECTORY gets softhsm2.conf, tokens/ (the token's encrypted files), pin (the user PIN, random,
# mode 0600) and so-pin (the security officer's, to be kept elsewhere). Refuses to touch a
# directory that has a token already. The PINs go to softhsm2-util through a terminal, not on its
# command line, which every user of the host can read; where no terminal can be had, it says so.
set -eu
umask 077

directory=${1:?usage: token-setup.sh DIRECTORY [LABEL]}
label=${2:-stirkeep}
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)

case $label in
*[!A-Za-z0-9._-]* | '') echo "token-setup.sh: label '$label': use letters, digits, . _ -" >&2; exit 2 ;;
esac
if [ -e "$directory/softhsm2.conf" ]; then
    echo "token-setup.sh: $directory/softhsm2.conf exists: there is a token already" >&2
    exit 1
fi
mkdir -p "$directory/tokens"
directory=$(CDPATH='' cd -- "$directory" && pwd)
sed "s|@TOKENDIR@|$directory/tokens|" "$here/softhsm2.conf.in" >"$directory/softhsm2.conf"
chmod 0644 "$directory/softhsm2.conf"

random_pin() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}
random_pin >"$directory/so-pin"
random_pin >"$directory/pin"

export SOFTHSM2_CONF="$directory/softhsm2.conf"
has_token() {
    softhsm2-util --show-slots | grep -q "^ *Label: *$label *\$"
}
# softhsm2-util asks for PINs on a terminal only: script(1) gives it one.
said=$(
    for file in so-pin so-pin pin pin; do
        cat "$directory/$file"
        echo
    done | script -qec "softhsm2-util --init-token --free --label $label" /dev/null 2>&1 |
        grep -v '^[0-9a-f]*.$'
) || true
if ! has_token; then
    echo "token-setup.sh: no terminal can be had ($said): for a moment the PINs are in the" \
        "arguments of softhsm2-util, where other users of this host may see them" >&2
    softhsm2-util --init-token --free --label "$label" --so-pin "$(cat "$directory/so-pin")" \
        --pin "$(cat "$directory/pin")" >/dev/null
    has_token || {
        echo "token-setup.sh: softhsm2-util made no token" >&2
        exit 1
    }
fi
