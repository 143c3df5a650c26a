# SPDX-License-Identifier: BSD-2-Clause
"""An audit trail written by another program than ours, as docs/AUDIT.md describes one."""
import hashlib
import json
import os
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

ORDER = ("outcome", "reason", "detail", "uid", "gid", "pid", "executable", "request_id", "grant",
         "name", "generation", "key_id", "ppt", "orig", "dest", "attest", "attest_asked", "origid",
         "iat", "suppressed", "sig", "from", "through", "head", "root", "sealed", "seal")
STEERING = [*range(0x00, 0x20), *range(0x7f, 0xa0), 0x200e, 0x200f, *range(0x2028, 0x202f),
            *range(0x2066, 0x206a)]


def sha256(data):
    return hashlib.sha256(data).digest()


def root_of(digests):
    if len(digests) == 1:
        return sha256(b"\0" + digests[0])
    half = 1 << (len(digests) - 1).bit_length() - 1
    return sha256(b"\1" + root_of(digests[:half]) + root_of(digests[half:]))


def text_of(value):
    """JSON of a value, with what steers a terminal or turns the direction of writing escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for code in STEERING:
        text = text.replace(chr(code), f"\\u{code:04x}")
    return text


class Written:
    """`path` is the file that is written; rotate() begins another one in its place."""

    def __init__(self, path, began, key=None):
        self.path, self.now = path, began
        self.key = key or ec.generate_private_key(ec.SECP256R1())
        self.spki = self.key.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.key_id = sha256(self.spki).hex()
        self.seq, self.prev, self.sealed = 0, "0" * 64, 0
        self.digests, self.records, self.lines, self.files = {}, [], [], []
        self.file = open(path, "wb")

    def pem(self, path):
        with open(path, "wb") as out:
            out.write(self.key.public_key().public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo))
        return path

    def time(self):
        return self.now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def add(self, act, outcome="ok", after=None, **members):
        """One record, `after` (seconds) the one before."""
        self.now += timedelta(seconds=after) if after is not None else timedelta(milliseconds=10)
        self.seq += 1
        members = {"outcome": outcome, **{name.rstrip("_"): value for name, value in members.items()}}
        record = {"seq": self.seq, "time": self.time(), "act": act,
                  **{name: members[name] for name in ORDER if members.get(name) is not None},
                  "prev": self.prev}
        head = text_of(record)[:-1].encode()
        line = head + b',"sum":"' + sha256(head).hex()[:16].encode() + b'"}'
        self.prev = sha256(line).hex()
        self.digests[self.seq] = sha256(line)
        self.records.append(record)
        self.lines.append(line)
        self.file.write(line + b"\n")
        return record

    def sign(self, name, **members):
        return self.add("sign", **{"uid": 1000, "gid": 1000, "pid": 4242, "request_id": str(self.seq),
                                   "grant": "kamailio", "name": name, "generation": 1,
                                   "key_id": sha256(name.encode()).hex(), "ppt": "shaken",
                                   "orig": "12155550121", "dest": ["12155550122"], "attest": "A",
                                   "sig": sha256(str(self.seq).encode()).hex(), **members})

    def seal(self, through=None, first=None):
        first = first or self.sealed + 1
        through = through or self.seq
        seal = {"key_id": self.key_id, "from": first, "through": through,
                "head": self.digests[through].hex(),
                "root": root_of([self.digests[i] for i in range(first, through + 1)]).hex(),
                "sealed": self.time()}
        text = "stirkeep audit seal 1\n{from}\n{through}\n{head}\n{root}\n{sealed}\n{key_id}\n"
        r, s = utils.decode_dss_signature(
            self.key.sign(text.format(**seal).encode(), ec.ECDSA(hashes.SHA256())))
        self.sealed = through
        return self.add("seal", **seal, seal=f"{r:064x}{s:064x}")

    def rotate(self):
        """Its new name."""
        self.file.close()
        name = f"{self.path}.{self.seq:012d}"
        os.rename(self.path, name)
        self.files.append(name)
        self.file = open(self.path, "wb")
        self.add("continue", detail=f"rotated; the file before, {os.path.basename(name)}, ended "
                                    f"with record {self.seq}")
        return name

    def done(self):
        """All files, the oldest first."""
        self.file.flush()
        return [*self.files, self.path]


def utc(*parts):
    return datetime(*parts, tzinfo=timezone.utc)
