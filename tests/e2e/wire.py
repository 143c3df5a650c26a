# SPDX-License-Identifier: BSD-2-Clause
"""A client of sign.sock written from docs/PROTOCOL.md alone, with Google's protobuf: nothing of
stirkeep's own code is in it."""
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile

from built import PATIENCE

_generated = tempfile.mkdtemp(prefix="stirkeep-proto-")
subprocess.run(["protoc", f"--proto_path={os.environ['STIRKEEP_SOURCE']}/proto/stirkeep/v1",
                f"--python_out={_generated}", "sign.proto", "counters.proto", "admin.proto"], check=True)
sys.path.insert(0, _generated)
import admin_pb2  # noqa: E402
import sign_pb2  # noqa: E402
for _name in ("sign_pb2.py", "counters_pb2.py", "admin_pb2.py"):
    os.unlink(f"{_generated}/{_name}")
os.rmdir(_generated)

with open(f"{os.environ['STIRKEEP_SOURCE']}/docs/PROTOCOL.md", encoding="utf-8") as _page:
    STATUS = {_name: int(_number) for _number, _name
              in re.findall(r"^\| (\d+) \| `([a-z0-9-]+)` \|", _page.read(), re.MULTILINE)}


class Connection:
    def __init__(self, path, timeout=10.0 * PATIENCE, response=sign_pb2.Response):
        self.response = response
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(timeout)
        self.socket.connect(path)
        self.pending = b""

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, *messages):
        data = b""
        for message in messages:
            body = message.SerializeToString()
            data += struct.pack(">I", len(body)) + body
        self.socket.sendall(data)

    def send_raw(self, data):
        self.socket.sendall(data)

    def receive(self):
        """The next response; None when the service has closed the connection."""
        while True:
            if len(self.pending) >= 4:
                (length,) = struct.unpack(">I", self.pending[:4])
                if len(self.pending) >= 4 + length:
                    message = self.response()
                    message.ParseFromString(self.pending[4:4 + length])
                    self.pending = self.pending[4 + length:]
                    return message
            data = self.socket.recv(1 << 18)
            if not data:
                return None
            self.pending += data


def fill_claims(claims, orig="12155551212", dest=("12155551213",), ppt="shaken", attest="A",
                origid="", iat=0, orig_uri="", dest_uri=(), div=None, opt="", rph=(), sph="",
                rcd=None, crn="", rcdi=(), mky=(), other="", compact=False):
    """`div` and `rcd` are dicts of their messages' fields; `rcdi` and `mky` are pairs."""
    claims.ppt, claims.attest, claims.origid, claims.iat = ppt, attest, origid, iat
    claims.opt, claims.other, claims.compact = opt, other, compact
    claims.orig.tn, claims.orig.uri = orig, orig_uri
    claims.dest.tn.extend(dest)
    claims.dest.uri.extend(dest_uri)
    for name, value in (div or {}).items():
        setattr(claims.div, name, value)
    if rph or sph:
        claims.rph.auth.extend(rph)
        claims.rph.sph = sph
    if rcd or crn or rcdi:
        for name, value in (rcd or {}).items():
            setattr(claims.rcd, name, value)
        claims.rcd.crn = crn
        for pointer, digest in rcdi:
            claims.rcd.rcdi.add(pointer=pointer, digest=digest)
    for alg, dig in mky:
        claims.mky.add(alg=alg, dig=dig)


def fill_sign(sign, name="Alpha", header=None, payload=None, **claims):
    """Claims, or an input when there is a header."""
    sign.certificate = name
    if header is None:
        fill_claims(sign.claims, **claims)
    else:
        sign.input.header, sign.input.payload = header, payload


def sign_request(number, name="Alpha", orig="12155551212", dest=("12155551213",), ppt="shaken",
                 attest="A", origid="", iat=0, deadline_ms=0, **claims):
    request = sign_pb2.Request(id=number, deadline_ms=deadline_ms)
    fill_sign(request.sign, name=name, orig=orig, dest=dest, ppt=ppt, attest=attest, origid=origid,
              iat=iat, **claims)
    return request


def input_request(number, header, payload, name="Alpha", deadline_ms=0):
    request = sign_pb2.Request(id=number, deadline_ms=deadline_ms)
    fill_sign(request.sign, name=name, header=header, payload=payload)
    return request


def batch_request(number, signs, whole=False, deadline_ms=0):
    """`signs` are dicts of what fill_sign takes."""
    request = sign_pb2.Request(id=number, deadline_ms=deadline_ms)
    request.batch.whole = whole
    for sign in signs:
        fill_sign(request.batch.sign.add(), **sign)
    return request


def ping_request(number):
    request = sign_pb2.Request(id=number)
    request.ping.SetInParent()
    return request


def list_request(number, after=""):
    request = sign_pb2.Request(id=number)
    request.list.after = after
    return request


def reload_request(number):
    request = admin_pb2.AdminRequest(id=number)
    request.reload.SetInParent()
    return request
