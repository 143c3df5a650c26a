#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
# Make a laboratory STI chain, as a carrier gets it from an STI-CA (ATIS-1000080), for trying out
# and for tests:
#   lab-chain.sh DIRECTORY [SPC [LEAF...]]
# DIRECTORY gets root.pem, ca.pem (intermediate), and for each LEAF (default "leaf") LEAF.pem,
# LEAF.key (PKCS#8) and LEAF-chain.pem (leaf and intermediate, what is published at x5u). The CA
# keys are kept in DIRECTORY/private. Run again with other LEAF names to get more from the same CA.
# Where LEAF.csr is there already, the certificate is issued for that request's key instead of a new
# one, as an STI-CA does.
set -eu
umask 077

directory=${1:?usage: lab-chain.sh DIRECTORY [SPC [LEAF...]]}
spc=${2:-709J}
case $spc in
*[!A-Z0-9]* | '') echo "lab-chain.sh: SPC '$spc': use upper-case letters and digits" >&2; exit 2 ;;
esac
[ $# -lt 1 ] || shift
[ $# -lt 1 ] || shift
[ $# -ge 1 ] || set -- leaf

mkdir -p "$directory/private"
cd "$directory"
cat >private/openssl.cnf <<CONF
[req]
distinguished_name = name
prompt = no
[name]
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[ca]
basicConstraints = critical, CA:TRUE, pathlen:0
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
certificatePolicies = 2.16.840.1.114569.1.1.3
crlDistributionPoints = crl
[leaf]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid:always
certificatePolicies = 2.16.840.1.114569.1.1.3
crlDistributionPoints = crl
1.3.6.1.5.5.7.1.26 = ASN1:SEQUENCE:tnauthlist
[crl]
fullname = URI:https://sti-pa.example.org/crl
CRLissuer = dirName:issuer
[issuer]
C = US
O = Laboratory STI-PA
CN = Laboratory STI-PA CRL
[tnauthlist]
spc = EXPLICIT:0,IA5STRING:$spc
CONF

new_key() {
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1"
}
# issue SECTION ISSUER DAYS OUT, for the request on standard input
issue() {
    openssl x509 -req -sha256 -days "$3" -set_serial "0x$(openssl rand -hex 8 | sed 's/^./4/')" \
        -CA "$2.pem" -CAkey "private/$2.key" -extfile private/openssl.cnf -extensions "$1" \
        -out "$4" 2>/dev/null
}
# sign REQUEST-KEY SUBJECT SECTION ISSUER DAYS OUT
sign() {
    openssl req -new -key "$1" -subj "$2" -config private/openssl.cnf | issue "$3" "$4" "$5" "$6"
}

if [ ! -e root.pem ]; then
    new_key private/root.key
    openssl req -x509 -new -sha256 -days 3650 -key private/root.key -config private/openssl.cnf \
        -subj '/C=US/O=Laboratory STI-CA/CN=Laboratory root' -extensions root -out root.pem
    new_key private/ca.key
    sign private/ca.key '/C=US/O=Laboratory STI-CA/CN=Laboratory SHAKEN CA' ca root 1825 ca.pem
fi
for leaf in "$@"; do
    if [ -e "$leaf.csr" ]; then
        issue leaf ca "${LAB_DAYS:-90}" "$leaf.pem" <"$leaf.csr"
    else
        new_key "$leaf.key"
        sign "$leaf.key" "/C=US/O=Laboratory carrier/CN=SHAKEN $spc" leaf ca "${LAB_DAYS:-90}" \
            "$leaf.pem"
    fi
    cat "$leaf.pem" ca.pem >"$leaf-chain.pem"
    chmod 0644 "$leaf.pem" "$leaf-chain.pem"
done
