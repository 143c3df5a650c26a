# SPDX-License-Identifier: BSD-2-Clause
"""Certificates of the laboratory's CA, made in this process: quicker than by lab-chain.sh."""
import datetime
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

PEM = serialization.Encoding.PEM
PLAIN = serialization.NoEncryption()


def key_id_of(public_key):
    digest = hashes.Hash(hashes.SHA256())
    digest.update(public_key.public_bytes(serialization.Encoding.DER,
                                          serialization.PublicFormat.SubjectPublicKeyInfo))
    return digest.finalize().hex()


class Leaf:
    def __init__(self, certificate, key):
        self.certificate = certificate
        self.key = key  # None: it is on the token
        self.fingerprint = certificate.fingerprint(hashes.SHA256()).hex()
        self.public_key = certificate.public_key()
        self.key_id = key_id_of(self.public_key)
        # To be searched for where it should not be any more.
        self.scalar = key.private_numbers().private_value.to_bytes(32, "big") if key else None


class Issuer:
    """The CA of a service's laboratory chain; its leaves are as the leaf of that chain."""

    def __init__(self, lab):
        self.lab = lab
        with open(f"{lab}/ca.pem", "rb") as file:
            self.ca = x509.load_pem_x509_certificate(file.read())
        with open(f"{lab}/private/ca.key", "rb") as file:
            self.ca_key = serialization.load_pem_private_key(file.read(), None)
        with open(f"{lab}/leaf.pem", "rb") as file:
            self.model = x509.load_pem_x509_certificate(file.read())

    def issue(self, public_key, own=(), seconds=90 * 86400):
        """`own`: extensions instead of the model's of the same kind, and beside the others;
        `seconds`: how long it is valid."""
        now = datetime.datetime.utcnow().replace(microsecond=0)
        builder = (x509.CertificateBuilder().subject_name(self.model.subject)
                   .issuer_name(self.ca.subject).public_key(public_key)
                   .serial_number(0x4000000000000000 | int.from_bytes(os.urandom(7), "big"))
                   .not_valid_before(now - datetime.timedelta(hours=1))
                   .not_valid_after(now + datetime.timedelta(seconds=seconds)))
        for extension in own:
            builder = builder.add_extension(extension, False)
        for extension in self.model.extensions:
            value = extension.value
            if any(value.oid == another.oid for another in own):
                continue
            if isinstance(value, x509.SubjectKeyIdentifier):
                value = x509.SubjectKeyIdentifier.from_public_key(public_key)
            builder = builder.add_extension(value, extension.critical)
        return builder.sign(self.ca_key, hashes.SHA256())

    def leaf(self, key=None, public_key=None, own=(), seconds=90 * 86400):
        """With a new key; for a key that there is; or for one of which only the public half is."""
        if key is None and public_key is None:
            key = ec.generate_private_key(ec.SECP256R1())
        return Leaf(self.issue(public_key or key.public_key(), own, seconds), key)

    def chain_pem(self, leaf):
        return leaf.certificate.public_bytes(PEM) + self.ca.public_bytes(PEM)

    def files(self, leaf, name):
        """As lab-chain.sh writes them: NAME-chain.pem, NAME.pem and NAME.key."""
        for path, content in ((f"{name}-chain.pem", self.chain_pem(leaf)),
                              (f"{name}.key", self.key_pem(leaf)),
                              (f"{name}.pem", leaf.certificate.public_bytes(PEM))):
            with open(f"{self.lab}/{path}", "wb") as file:
                file.write(content)

    @staticmethod
    def key_pem(leaf):
        return leaf.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, PLAIN)

    def pkcs12(self, leaf, passphrase):
        return pkcs12.serialize_key_and_certificates(
            b"leaf", leaf.key, leaf.certificate, [self.ca],
            serialization.BestAvailableEncryption(passphrase))
