# SPDX-License-Identifier: BSD-2-Clause
"""A server of a test's own, which behaves as the test says, and questions to it."""
import asyncio
import os
import shutil
import socket
import struct
import sys
import tempfile
import threading
import time

sys.path.insert(0, f"{os.environ['STIRKEEP_BUILD']}/src/integrations/python")
sys.path.append(f"{os.environ['STIRKEEP_SOURCE']}/tests/e2e")

import stirkeep  # noqa: E402
from stirkeep._wire import RequestMessage, ResponseMessage  # noqa: E402

IDENTITY = "eyJ.eyJ.sig;info=<https://example.com/c.pem>;alg=ES256;ppt=shaken"
CALL = {"orig": "12155551212", "dest": "12155551213", "attest": "A"}


class Fake:
    """`behave(peer)` is run in a thread for each connection; what it raises by its end is nothing."""

    def __init__(self, behave, backlog=64):
        self.directory = tempfile.mkdtemp(prefix="stirkeep-fake-")
        self.path = f"{self.directory}/s"
        self.behave = behave
        self.peers = []
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(backlog)
        self.thread = threading.Thread(target=self._accept, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.thread.join()
        self.listener.close()
        for peer in self.peers:
            peer.end()
        shutil.rmtree(self.directory)

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            peer = Peer(connection, len(self.peers))
            self.peers.append(peer)
            threading.Thread(target=self._serve, args=[peer], daemon=True).start()

    def _serve(self, peer):
        try:
            self.behave(peer)
        except (OSError, EOFError):
            pass
        peer.end()


class Peer:
    def __init__(self, connection, number):
        self.connection = connection
        self.number = number  # 0: the first connection
        self.requests = []

    def end(self):
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.connection.close()

    def _take(self, count):
        data = b""
        while len(data) < count:
            piece = self.connection.recv(count - len(data))
            if not piece:
                raise EOFError
            data += piece
        return data

    def request(self):
        """The next request; EOFError: there is none any more."""
        (length,) = struct.unpack(">I", self._take(4))
        message = RequestMessage.FromString(self._take(length))
        self.requests.append(message)
        return message

    def send(self, data):
        self.connection.sendall(data)

    def answer(self, number, **fields):
        self.send(frame(answer(number, **fields)))

    def serve(self):
        """As the service does, until the client goes."""
        while True:
            request = self.request()
            self.answer(request.id, origid=request.sign.claims.orig.tn)


def frame(data):
    return struct.pack(">I", len(data)) + data


def answer(number, status=0, message="", identity=IDENTITY, length=11, origid=""):
    response = ResponseMessage(id=number, status=status, message=message)
    if status == 0:
        response.signed.identity, response.signed.passport_length = identity, length
        response.signed.origid = origid
    return response.SerializeToString()


def serve(peer):
    peer.serve()


# ---- questions: of either client what was answered, or the exception

def ask(path, timeout=1.0, ask_of=None):
    with stirkeep.Client(path, timeout=timeout) as client:
        return outcome_of(lambda: (ask_of or sign)(client))


def ask_async(path, timeout=1.0, ask_of=None):
    async def run():
        async with stirkeep.AsyncClient(path, timeout=timeout) as client:
            return await (ask_of or sign)(client)
    return outcome_of(lambda: asyncio.run(run()))


ASKS = (ask, ask_async)


def sign(client, **changed):
    return client.sign("Alpha", **{**CALL, **changed})


def outcome_of(call):
    try:
        return call()
    except stirkeep.StirkeepError as why:
        return why


class Within:
    """The block must not take longer."""

    def __init__(self, seconds):
        self.seconds = seconds

    def __enter__(self):
        self.began = time.monotonic()

    def __exit__(self, kind, *_):
        took = time.monotonic() - self.began
        assert kind is not None or took < self.seconds, f"took {took:.2f} s"


def is_a(outcome, kind, *parts):
    assert type(outcome) is kind, f"wanted {kind.__name__}: {outcome!r}"
    for part in parts:
        assert part in str(outcome), f"{part!r} is not in {str(outcome)!r}"
