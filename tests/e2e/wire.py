# SPDX-License-Identifier: BSD-2-Clause
"""A client of sign.sock written from docs/PROTOCOL.md alone, with Google's protobuf: nothing of
stirkeep's own code is in it."""
import os
import socket
import struct
import subprocess
import sys
import tempfile

_generated = tempfile.mkdtemp(prefix="stirkeep-proto-")
subprocess.run(["protoc", f"--proto_path={os.environ['STIRKEEP_SOURCE']}/proto/stirkeep/v1",
                f"--python_out={_generated}", "sign.proto", "admin.proto"], check=True)
sys.path.insert(0, _generated)
import admin_pb2  # noqa: E402
import sign_pb2  # noqa: E402
for _name in ("sign_pb2.py", "admin_pb2.py"):
    os.unlink(f"{_generated}/{_name}")
os.rmdir(_generated)

STATUS = {"ok": 0, "invalid": 1, "malformed": 2, "too-large": 3, "not-permitted": 4,
          "unknown-name": 5, "not-active": 6, "unsupported": 27, "cert-expired": 8, "unavailable": 14,
          "audit-unavailable": 20, "timeout": 24}


class Connection:
    def __init__(self, path, timeout=10.0, response=sign_pb2.Response):
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


def sign_request(number, name="Alpha", orig="12155551212", dest=("12155551213",), ppt="shaken",
                 attest="A", origid="", iat=0, deadline_ms=0):
    request = sign_pb2.Request(id=number, deadline_ms=deadline_ms)
    request.sign.certificate = name
    claims = request.sign.claims
    claims.ppt, claims.attest, claims.origid, claims.iat = ppt, attest, origid, iat
    claims.orig.tn = orig
    claims.dest.tn.extend(dest)
    return request


def ping_request(number):
    request = sign_pb2.Request(id=number)
    request.ping.SetInParent()
    return request


def list_request(number, after=""):
    request = sign_pb2.Request(id=number)
    request.list.after = after
    return request
