# SPDX-License-Identifier: BSD-2-Clause
"""What a disk remembers: everything (upload, token, catalog, trail) on an ext4 image of its own,
which is searched as a raw device afterwards, free blocks included."""
import base64
import os
import shutil
import subprocess
import tempfile

from cryptography.hazmat.primitives import serialization

from stirkeep import ROOT, Service
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
        found["upload"] = upload[8:]
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


def import_on_disk(disk, kind, *more):
    """Import one upload of this kind; the needles of its key."""
    # The key is made out of the disk's sight: there its file is written once, in the upload's form.
    with tempfile.TemporaryDirectory(prefix="stirkeep-lab-") as lab, \
            Service(directory=disk.mounted, lab=lab) as service:
        service.start()
        with open(f"{lab}/leaf.key", "rb") as file:
            key = serialization.load_pem_private_key(file.read(), None)
        data, passphrase = uploads(key)[kind]
        upload = f"{service.base}/upload.key"
        with open(upload, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.sync()
        options = list(more)
        if passphrase is not None:
            with open(f"{service.base}/passphrase", "wb") as file:
                file.write(passphrase + b"\n")
            options += ["--passphrase-file", f"{service.base}/passphrase"]
        service.cli("import", "Alpha", "--cert", f"{service.lab}/leaf-chain.pem", "--key", upload,
                    *options)
        service.sign()
        equal(os.path.exists(upload), "--keep-source" in more, "the upload")
    return needles_of(key, data)


def search_after(kind, *more):
    disk = Disk()
    try:
        needles = import_on_disk(disk, kind, *more)
        disk.unmount()
        return disk.holds(needles)
    finally:
        disk.remove()


@case
def the_search_finds_a_key_that_stays():
    for kind in ("pkcs8-pem", "sec1-der"):
        found = search_after(kind, "--keep-source")
        note(f"{kind}, kept: {', '.join(found)}")
        assert found, kind


@case
def no_block_of_the_disk_remembers_an_imported_key():
    for kind in ("pkcs8-pem", "sec1-pem", "sec1-der", "encrypted-pem"):
        equal(search_after(kind), [], kind)


if __name__ == "__main__":
    run()
