#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What many names cost: import of one more, list, start-up, memory and signatures a second, at some
sizes on the way up.

    many.py [NAMES [STEP]]        default 10000 names, measured at each 2000
"""
import datetime
import json
import os
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

sys.path.insert(0, os.environ["STIRKEEP_SOURCE"] + "/tests/e2e")
from stirkeep import Service  # noqa: E402

TNAUTHLIST = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.26")


class Authority:
    """Leaves from the laboratory CA, without a process for each."""

    def __init__(self, lab):
        with open(f"{lab}/private/ca.key", "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), None)
        with open(f"{lab}/ca.pem", "rb") as file:
            self.pem = file.read()
        self.certificate = x509.load_pem_x509_certificate(self.pem)

    def leaf(self, path):
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
                          x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Laboratory carrier"),
                          x509.NameAttribute(NameOID.COMMON_NAME, "SHAKEN 709J")])
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(self.certificate.subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=90))
            .add_extension(x509.BasicConstraints(False, None), True).add_extension(usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                self.key.public_key()), False)
            .add_extension(x509.UnrecognizedExtension(
                TNAUTHLIST, bytes.fromhex("3008a00616043730394a")), False)
            .sign(self.key, hashes.SHA256()))
        pem = serialization.Encoding.PEM
        with open(path + ".pem", "wb") as file:
            file.write(certificate.public_bytes(pem) + self.pem)
        with open(path + ".key", "wb") as file:
            file.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))


def resident(service, room):
    with open(f"/proc/{service.pid(room)}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) // 1024
    return 0


def timed(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def measure(service, count, imports):
    rate = json.loads(service.cli("bench", "name0", "--json", "--seconds", "2", "--window",
                                  "256").stdout)["signatures_per_second"]
    listing = timed(lambda: service.cli("list", "--json", timeout=300))
    memory = {room: resident(service, room) for room in ("front", "intake", "keeper")}

    def again():
        service.stop(120)
        service.start()
    starting = timed(again)
    first = timed(lambda: service.sign("name1"))
    print(f"{count:6} names: import {sum(imports) / len(imports) * 1000:.0f} ms, "
          f"list {listing:.2f} s, restart {starting:.2f} s, first signature after it "
          f"{first * 1000:.0f} ms, {rate:.0f} signatures/s, MiB: "
          + ", ".join(f"{room} {size}" for room, size in memory.items()), flush=True)


def main(names=10000, step=2000):
    with Service() as service:
        service.start()
        authority = Authority(service.lab)
        imports = []
        for number in range(names):
            path = f"{service.lab}/many{number}"
            authority.leaf(path)
            imports.append(timed(lambda: service.cli(
                "import", f"name{number}", "--cert", path + ".pem", "--key", path + ".key")))
            if (number + 1) % step == 0 or number + 1 == 100:
                measure(service, number + 1, imports[-100:])


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
