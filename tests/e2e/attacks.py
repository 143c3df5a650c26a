# SPDX-License-Identifier: BSD-2-Clause
"""What hostile clients do to a socket, one function each: given the target and a source of chance,
it says what must hold of the service meanwhile by assert, and leaves nothing open."""
import array
import contextlib
import glob
import os
import resource
import select
import socket
import struct
import time

import wire
from passports import verifies
from peers import user
from stirkeep import ROOT, SOURCE, STRANGER, wait_until
from tap import equal

TIMEOUT = 1.0  # seconds: [sockets] client-timeout-ms of the service
LATE = 4.0     # seconds that the service may be late with it on a machine that has others to serve
SIGN_MAX, ADMIN_MAX = 64 * 1024, 1024 * 1024
ATTACKER = STRANGER if ROOT else os.geteuid()


class Target:
    """A socket of the service, and what is sent to it."""

    def __init__(self, service, key, room):
        self.service = service
        self.key = key  # that signatures verify with
        self.room = room
        self.is_sign = room == "front"
        self.path = service.sign_socket if self.is_sign else service.admin_socket
        self.most = SIGN_MAX if self.is_sign else ADMIN_MAX
        # admin.sock's clients are administrators: strangers are an attack of their own.
        self.uid = ATTACKER if self.is_sign else os.geteuid()
        self.connections = 150 if self.is_sign else 20
        folder = "wire_request" if self.is_sign else "wire_admin_request"
        self.samples = []
        for path in sorted(glob.glob(f"{SOURCE}/tests/fuzz/corpus/{folder}/*")):
            with open(path, "rb") as file:
                self.samples.append(file.read())

    def connect(self, timeout=10.0, uid=None):
        response = wire.sign_pb2.Response if self.is_sign else wire.admin_pb2.AdminResponse
        end = time.monotonic() + timeout
        with user(self.uid if uid is None else uid):
            while True:
                try:
                    return wire.Connection(self.path, timeout, response)
                except BlockingIOError:  # more are waiting to be accepted than may wait
                    assert time.monotonic() < end, "nobody is accepted any more"
                    time.sleep(0.005)

    def request(self, number):
        """One that is answered OK."""
        if self.is_sign:
            return wire.sign_request(number)
        request = wire.admin_pb2.AdminRequest(id=number)
        request.status.SetInParent()
        return request

    def frame(self, number=1):
        return framed(self.request(number).SerializeToString())

    def is_good(self, answer, number):
        assert answer is not None, "no answer"
        equal((answer.id, answer.status), (number, 0), answer.message)
        if self.is_sign:
            assert verifies(answer.signed.identity, self.key), "it does not verify"

    def is_answered(self, answer, number):
        """One of many at once: when the service has too much to do, it says so."""
        if answer is not None and answer.status in (wire.STATUS["overloaded"], wire.STATUS["deadline"]):
            equal(answer.id, number, answer.message)
        else:
            self.is_good(answer, number)


def framed(body):
    return struct.pack(">I", len(body)) + body


def send(connection, data):
    """As much as it takes; False when it was closed from the other side."""
    try:
        connection.send_raw(data)
        return True
    except (BrokenPipeError, ConnectionResetError):
        return False


def drain(connection, seconds):
    """What comes until it is closed; True when it was."""
    end = time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            connection.socket.settimeout(max(0.01, end - time.monotonic()))
            if not connection.socket.recv(1 << 18):
                return True
    except socket.timeout:
        return False
    except ConnectionResetError:
        return True
    return False


def many(target, count, stack):
    return [stack.enter_context(target.connect()) for _ in range(count)]


# ---- bytes that are no requests

def noise(target, chance):
    """Random bytes, whatever length they begin with."""
    for _ in range(60):
        with target.connect() as connection:
            send(connection, chance.randbytes(chance.randint(1, 3000)))
            if chance.random() < 0.3:
                drain(connection, 0.01)


def mutated(chance, body):
    data = bytearray(body)
    for _ in range(chance.randint(1, 8)):
        at = chance.randrange(len(data) + 1)
        way = chance.randrange(5)
        if way == 0 and at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        elif way == 1:
            data[at:at] = chance.randbytes(chance.randint(1, 9))
        elif way == 2:
            del data[at:at + chance.randint(1, 9)]
        elif way == 3:
            data[at:at] = data[at:at + chance.randint(1, 64)]
        elif at < len(data):
            data[at] = chance.choice((0, 0x7f, 0x80, 0xff))
    return bytes(data)


def requests_that_are_nearly_right(target, chance):
    """Framed right: each of them has its answer, and the conversation goes on."""
    with target.connect() as connection:
        for number in range(1, 5):
            bodies = [mutated(chance, chance.choice(target.samples)) for _ in range(30)]
            bodies = [body for body in bodies if 0 < len(body) <= target.most]
            for body in bodies:
                connection.send_raw(framed(body))
                assert connection.receive() is not None, f"no answer to {body.hex()}"
            connection.send(target.request(number << 40))
            target.is_good(connection.receive(), number << 40)


def garbage_after_a_good_request(target, chance):
    for _ in range(20):
        with target.connect() as connection:
            number = chance.getrandbits(63) | 1
            garbage = chance.choice((b"\0\0\0\0", b"\xff" * 40, struct.pack(">I", target.most + 1)))
            send(connection, target.frame(number) + garbage + chance.randbytes(100))
            answers = {}
            while (answer := connection.receive()) is not None:
                answers[answer.id] = answer
            equal(set(answers), {number, 0}, "ids of the answers")
            target.is_good(answers[number], number)
            assert answers[0].status != 0, answers[0]


def lengths_at_the_limit(target, chance):
    """A field that this version does not know, beside the body, is passed over: so a request may
    have any length."""
    body = target.request(7).SerializeToString()
    room = target.most - len(body)
    prefix = b"\xc2\x3e" + bytes((room - 6 & 0x7f | 0x80, room - 6 >> 7 & 0x7f | 0x80,
                                  room - 6 >> 14 & 0x7f | 0x80, room - 6 >> 21))
    whole = body + prefix + bytes(room - 6)
    equal(len(whole), target.most)
    with target.connect() as connection:
        send(connection, framed(whole))
        target.is_good(connection.receive(), 7)
        send(connection, framed(whole + b"\0"))
        answer = connection.receive()
        equal((answer.id, answer.status), (0, wire.STATUS["too-large"]), answer.message)
        assert drain(connection, TIMEOUT + LATE), "it was not closed"
    for length in (0, target.most + 1, 0x7fffffff, 0x80000000, 0xffffffff):
        with target.connect() as connection:
            send(connection, struct.pack(">I", length) + chance.randbytes(chance.randint(0, 2000)))
            answer = connection.receive()
            assert answer is not None and answer.id == 0 and answer.status != 0, answer
            assert drain(connection, TIMEOUT + LATE), "it was not closed"


# ---- slowly, or not at all

def halves(target, chance):
    """Nobody waits for the rest of a request for ever."""
    with contextlib.ExitStack() as stack:
        connections = many(target, target.connections, stack)
        for connection in connections:
            frame = target.frame()
            send(connection, frame[:chance.randrange(1, len(frame))])
        for connection in connections:
            assert drain(connection, TIMEOUT + LATE), "half a request is waited for"


def drops(target, chance):
    """Nor does it help to send it byte by byte."""
    with contextlib.ExitStack() as stack:
        left = many(target, target.connections, stack)
        for connection in left:
            connection.socket.setblocking(False)
        frame = struct.pack(">I", 4000) + bytes(4000)
        end = time.monotonic() + TIMEOUT + LATE
        at = 0
        while left and time.monotonic() < end:
            gone, _, _ = select.select(left_of(left), [], [], 0.02)
            left = [one for one in left if one.socket not in gone or not closed(one)]
            for connection in left:
                with contextlib.suppress(OSError):
                    connection.socket.send(frame[at:at + 1])
            at += 1
        equal(len(left), 0, "slow writers that are still there")


def left_of(connections):
    return [one.socket for one in connections]


def closed(connection):
    try:
        return connection.socket.recv(1 << 16) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def answers_that_nobody_takes(target, chance):
    """Reading stops, and then the connection ends; memory is bounded by what one may have asked."""
    with contextlib.ExitStack() as stack:
        connections = many(target, 4, stack)
        asked = b"".join(target.frame(number) for number in range(1, 6000))
        sent = dict.fromkeys(connections, 0)
        for connection in connections:
            connection.socket.setblocking(False)
        end = time.monotonic() + 2 * TIMEOUT + LATE
        while not all(hung_up(one) for one in connections) and time.monotonic() < end:
            for connection in connections:
                with contextlib.suppress(OSError):
                    at = sent[connection]
                    sent[connection] += connection.socket.send(asked[at:at + 65536])
            time.sleep(0.02)
            if not target.is_sign and time.monotonic() > end - LATE:
                break  # admin.sock does one request at a time: hardly anything piles up there
        if target.is_sign:
            assert all(hung_up(one) for one in connections), "one that reads nothing is still there"


def hung_up(connection):
    poll = select.poll()
    poll.register(connection.socket, 0)
    return any(events & (select.POLLHUP | select.POLLERR) for _, events in poll.poll(0))


def a_slow_reader(target, chance):
    """Who reads slowly, but does, gets every answer."""
    count = 300 if target.is_sign else 30
    with target.connect() as connection:
        connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for number in range(1, count + 1):
            connection.send(target.request(number))
        seen = set()
        while len(seen) < count:
            answer = connection.receive()
            assert answer is not None, f"closed after {len(seen)} answers"
            target.is_answered(answer, answer.id)
            seen.add(answer.id)
            time.sleep(0.001)
        equal(seen, set(range(1, count + 1)), "ids")


# ---- ids, ends and beginnings

def one_id_for_all(target, chance):
    count = 200 if target.is_sign else 10
    with target.connect() as connection:
        number = chance.getrandbits(64) | 1
        connection.send(*[target.request(number) for _ in range(count)])
        for _ in range(count):
            target.is_answered(connection.receive(), number)


def gone_in_the_middle(target, chance):
    for _ in range(150 if target.is_sign else 30):
        with target.connect() as connection:
            frames = b"".join(target.frame(number) for number in range(1, chance.randint(2, 20)))
            send(connection, frames[:chance.randint(1, len(frames))])


def one_direction_shut(target, chance):
    count = 50 if target.is_sign else 5
    for _ in range(5):
        with target.connect() as connection:
            connection.send(*[target.request(number) for number in range(1, count + 1)])
            connection.socket.shutdown(socket.SHUT_WR)
            if not target.is_sign:  # one at a time: what was not begun is not answered
                target.is_answered(connection.receive(), 1)
                continue
            for _ in range(count):
                answer = connection.receive()
                target.is_answered(answer, answer.id)
            equal(connection.receive(), None, "after the last answer")
        with target.connect() as connection:
            connection.socket.shutdown(socket.SHUT_RD)
            send(connection, b"".join(target.frame(number) for number in range(1, count + 1)))
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_WR)


def out_of_band(target, chance):
    """A byte out of band (Linux has it since 5.15) is no part of a request, or ends it."""
    for _ in range(20):
        with target.connect() as connection:
            with contextlib.suppress(OSError):
                connection.socket.send(target.frame(1)[:9])
                connection.socket.send(b"!", socket.MSG_OOB)
                connection.socket.send(target.frame(1)[9:])


# ---- descriptors

def descriptors_given(target, chance):
    """Descriptors that come with a request are refused, or closed at once, by the kernel."""
    for count in (1, 2, 100, 253):
        with target.connect() as connection:
            reader, writer = os.pipe()
            beside = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [writer] * count))]
            frame = target.frame(3)
            try:
                connection.socket.sendmsg([frame[:5]], beside)
                connection.socket.sendmsg([frame[5:]], beside)
            except PermissionError:  # Linux 6.16: they are not even sent
                connection.socket.sendall(frame)
            os.close(writer)
            target.is_good(connection.receive(), 3)
            ready, _, _ = select.select([reader], [], [], LATE)
            assert ready and os.read(reader, 1) == b"", "the service holds a descriptor of ours"
            os.close(reader)


def thousands_of_connections(target, chance):
    """Past its limit they are turned away, and nobody has lost a place by that."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    count = min(3000, hard - 200)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 200), hard))
    try:
        with contextlib.ExitStack() as stack:
            # The first one has asked before: it may be silent for as long as the others take.
            first = stack.enter_context(target.connect())
            first.send(target.request(1))
            target.is_good(first.receive(), 1)
            connections = many(target, count, stack)
            first.send(target.request(2))
            target.is_good(first.receive(), 2)
            answer = connections[-1].receive()
            if target.is_sign and count > 2048:
                equal(answer.status, wire.STATUS["overloaded"], answer.message)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def descriptors_used_up(target, chance):
    """The room has few of them. Who is there is served; others are turned away or wait, and come to
    their turn when there is room."""
    with contextlib.ExitStack() as stack:
        early = stack.enter_context(target.connect())
        early.send(target.request(1))
        target.is_good(early.receive(), 1)
        others = many(target, 100, stack)
        for number in range(2, 40):
            early.send(target.request(number))
            target.is_good(early.receive(), number)
        for connection in others[:-1]:
            connection.close()
        last = others[-1]
        with contextlib.suppress(OSError):
            last.send(target.request(9))
            answer = last.receive()
            if answer is not None and answer.status != wire.STATUS["overloaded"]:
                target.is_good(answer, 9)
    settle(target)
    with target.connect() as connection:
        connection.send(target.request(10))
        target.is_good(connection.receive(), 10)


# ---- floods

def a_flood_of_refusals(target, chance):
    """Of names that are not there, claims that are none, and types that are not granted."""
    if not target.is_sign:
        a_flood_of_strangers(target)
        return
    with target.connect() as connection:
        asked = [wire.sign_request(1, name="Nobody"), wire.sign_request(2, orig="x"),
                 wire.sign_request(3, attest="Z"), wire.sign_request(4, ppt="rph"),
                 wire.list_request(5, "~"), wire.sign_pb2.Request(id=6)]
        for _ in range(40):
            some = [chance.choice(asked) for _ in range(100)]
            connection.send(*some)
            for _ in some:
                answer = connection.receive()
                assert answer is not None and answer.status != 0, answer


def a_flood_of_strangers(target):
    """Which only root can be."""
    if not ROOT:
        return
    for _ in range(300):
        with target.connect(uid=STRANGER) as connection:
            send(connection, target.frame())
            answer = connection.receive()
            equal((answer.id, answer.status), (0, wire.STATUS["not-permitted"]), answer.message)


def large_batches(target, chance):
    """64 of them, of which most are nothing."""
    with target.connect() as connection:
        for number in range(1, 8):
            signs = [{"name": chance.choice(("Alpha", "Nobody", "-")),
                      "orig": chance.choice(("12155550100", "x", "")),
                      "dest": ["1%d" % n for n in range(chance.randint(0, 33))]} for _ in range(64)]
            connection.send(wire.batch_request(number, signs, whole=chance.random() < 0.5))
            answer = connection.receive()
            equal(answer.id, number, "id")
            for result in answer.batch.results:
                if result.status == 0:
                    assert verifies(result.signed.identity, target.key), "it does not verify"


ALL = (noise, requests_that_are_nearly_right, garbage_after_a_good_request, lengths_at_the_limit,
       halves, drops, answers_that_nobody_takes, a_slow_reader, one_id_for_all, gone_in_the_middle,
       one_direction_shut, out_of_band, descriptors_given, thousands_of_connections,
       a_flood_of_refusals, large_batches)


OF_SIGN_SOCKET = (large_batches,)


def settle(target):
    """Until the room has let go of what an attack has left."""
    def quiet():
        with open("/proc/net/unix") as table:
            return sum(line.rstrip().endswith(target.path) for line in table) <= 4  # the good client's
    wait_until("all connections are gone", quiet, TIMEOUT + LATE)
