# SPDX-License-Identifier: BSD-2-Clause
"""What a disk remembers: everything (upload, token, catalog, trail) on an ext4 image of its own,
which is searched as a raw device afterwards, free blocks included."""
import base64
import os
import shutil
import subprocess
import tempfile

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

import spool
from stirkeep import ROOT, wait_until
from tap import Skip, case, equal, note, run

FORMATS = serialization.PrivateFormat
PASSPHRASE = b"correct horse battery staple"


class Disk:
    """An ext4 file system in a file, mounted. No journal of data: that is the mount's default."""

    def __init__(self):
        if not ROOT:
            raise Skip("needs root to mount")
        self.base = tempfile.mkdtemp(prefix="stirkeep-disk-")
        self.image = f"{self.base}/image"
        self.mounted = f"{self.base}/mnt"
        os.mkdir(self.mounted)
        with open(self.image, "wb") as image:
            image.truncate(64 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", self.image], check=True, stdout=subprocess.DEVNULL)
        done = subprocess.run(["mount", "-o", "loop", self.image, self.mounted],
                              stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            shutil.rmtree(self.base)
            raise Skip(f"no loop mount here: {done.stderr.strip()}")
        os.chmod(self.base, 0o711)
        os.chmod(self.mounted, 0o711)

    def unmount(self):
        subprocess.run(["umount", self.mounted], check=True)

    def holds(self, needles):
        with open(self.image, "rb") as image:
            data = image.read()
        return sorted(what for what, needle in needles.items() if needle in data)

    def remove(self):
        if os.path.ismount(self.mounted):
            subprocess.run(["umount", "-l", self.mounted], check=False)
        shutil.rmtree(self.base)


def needles_of(key, upload):
    """The private scalar in every encoding, and what the upload itself had of it."""
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
    found = {"scalar": scalar, "reversed": scalar[::-1], "hex": scalar.hex().encode(),
             "HEX": scalar.hex().upper().encode()}
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + scalar)
        found[f"base64+{shift}"] = encoded[4 if shift else 0:40]
    if upload.startswith(b"-----"):
        for number, line in enumerate(upload.split(b"\n")):
            if len(line) >= 40 and b"-----" not in line and b":" not in line:
                found[f"line {number} of the upload"] = line
    else:
        found["upload"] = upload[8:] if len(upload) < 500 else upload[64:192]
    return found


def uploads(key):
    """name -> (bytes of the key file, passphrase or None)"""
    plain = serialization.NoEncryption()
    secret = serialization.BestAvailableEncryption(PASSPHRASE)
    pem, der = serialization.Encoding.PEM, serialization.Encoding.DER
    return {"pkcs8-pem": (key.private_bytes(pem, FORMATS.PKCS8, plain), None),
            "sec1-pem": (key.private_bytes(pem, FORMATS.TraditionalOpenSSL, plain), None),
            "sec1-der": (key.private_bytes(der, FORMATS.TraditionalOpenSSL, plain), None),
            "encrypted-pem": (key.private_bytes(pem, FORMATS.PKCS8, secret), PASSPHRASE)}


def bundles(key, chain):
    """name -> (bytes of a file with key and chain, passphrase or None, what is secret in it)"""
    pem = key.private_bytes(serialization.Encoding.PEM, FORMATS.PKCS8, serialization.NoEncryption())
    begin = b"-----BEGIN CERTIFICATE-----"
    certificates = [x509.load_pem_x509_certificate(begin + part) for part in chain.split(begin)[1:]]
    secret = serialization.BestAvailableEncryption(PASSPHRASE)
    p12 = pkcs12.serialize_key_and_certificates(b"Alpha", key, certificates[0], certificates[1:],
                                                secret)
    return {"bundle.pem": (pem + chain, None, pem), "bundle.p12": (p12, PASSPHRASE, p12)}


def write(path, data):
    """On the disk, in blocks of its own, before anybody looks at it."""
    with open(path, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def options_for(service, passphrase):
    if passphrase is None:
        return []
    write(f"{service.base}/passphrase", passphrase + b"\n")
    return ["--passphrase-file", f"{service.base}/passphrase"]


def by_key(service, key, chain, kind, *more):
    """`import --key`; what is secret in the upload."""
    data, passphrase = uploads(key)[kind]
    upload = f"{service.base}/upload.key"
    write(upload, data)
    os.sync()
    service.cli("import", "Alpha", "--cert", f"{service.lab}/leaf-chain.pem", "--key", upload,
                *options_for(service, passphrase), *more)
    equal(os.path.exists(upload), "--keep-source" in more, "the upload")
    return data


def by_bundle(service, key, chain, kind):
    data, passphrase, secret = bundles(key, chain)[kind]
    upload = f"{service.base}/{kind}"
    write(upload, data)
    os.sync()
    service.cli("import", "Alpha", "--bundle", upload, *options_for(service, passphrase))
    equal(os.path.exists(upload), False, "the upload")
    return secret


def by_spool(service, key, chain, kind):
    if kind in ("bundle.pem", "bundle.p12"):
        data, passphrase, secret = bundles(key, chain)[kind]
        files = {kind: data, **({"passphrase": passphrase + b"\n"} if passphrase else {})}
    else:
        secret, _ = uploads(key)[kind]
        files = {"cert.pem": chain, "key.pem": secret}
    spool.fill(f"{service.staging}/Alpha", files)
    os.sync()
    spool.as_uploader("mv", f"{service.staging}/Alpha", f"{service.incoming}/Alpha")
    wait_until("the upload is imported", lambda: not os.path.exists(f"{service.incoming}/Alpha"),
               20)
    return secret


def import_on_disk(disk, way, *arguments):
    """Import one upload that way; the needles of its key."""
    # The key is made out of the disk's sight: there its file is written once, in the upload's form.
    with tempfile.TemporaryDirectory(prefix="stirkeep-lab-") as lab, \
            spool.new_service(directory=disk.mounted, lab=lab) as service:
        service.start()
        with open(f"{lab}/leaf.key", "rb") as file, open(f"{lab}/leaf-chain.pem", "rb") as chain:
            key = serialization.load_pem_private_key(file.read(), None)
            secret = way(service, key, chain.read(), *arguments)
        service.sign()
    needles = needles_of(key, secret)
    if way is by_spool:  # there it is uploaded, too
        needles["passphrase"] = PASSPHRASE
    return needles


def search_after(way, *arguments):
    disk = Disk()
    try:
        needles = import_on_disk(disk, way, *arguments)
        disk.unmount()
        return disk.holds(needles)
    finally:
        disk.remove()


@case
def the_search_finds_a_key_that_stays():
    for kind in ("pkcs8-pem", "sec1-der"):
        found = search_after(by_key, kind, "--keep-source")
        note(f"{kind}, kept: {', '.join(found)}")
        assert found, kind


@case
def no_block_of_the_disk_remembers_an_imported_key():
    for kind in ("pkcs8-pem", "sec1-pem", "sec1-der", "encrypted-pem"):
        equal(search_after(by_key, kind), [], kind)


@case
def nor_one_that_came_in_a_bundle():
    for kind in ("bundle.pem", "bundle.p12"):
        equal(search_after(by_bundle, kind), [], kind)


@case
def nor_one_that_came_by_the_spool():
    for kind in ("pkcs8-pem", "bundle.pem", "bundle.p12"):
        equal(search_after(by_spool, kind), [], f"{kind} by the spool")


if __name__ == "__main__":
    run()
