# SPDX-License-Identifier: BSD-2-Clause
"""PASSporTs read and checked by python3-cryptography and Python's own json: independent of us."""
import base64
import json

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils


def certificate(path):
    with open(path, "rb") as file:
        return x509.load_pem_x509_certificate(file.read())


def public_key(certificate_path):
    return certificate(certificate_path).public_key()


def decode(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def passport_of(identity):
    return identity.split(";", 1)[0].strip()


def claims_of(identity):
    """(header, payload) as dictionaries."""
    header, payload, _ = passport_of(identity).split(".")
    return json.loads(decode(header)), json.loads(decode(payload))


def verifies(identity, key):
    signing_input, _, signature = passport_of(identity).rpartition(".")
    raw = decode(signature)
    if len(raw) != 64:
        return False
    der = utils.encode_dss_signature(int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big"))
    try:
        key.verify(der, signing_input.encode(), ec.ECDSA(hashes.SHA256()))
        return True
    except InvalidSignature:
        return False
