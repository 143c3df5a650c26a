# SPDX-License-Identifier: BSD-2-Clause
"""The Python clients and a server that is not what it should be: a clear exception in time, in a
bounded amount of memory."""
import asyncio
import importlib
import os
import resource
import signal
import socket
import struct
import sys
import time
import warnings

import fake
import stirkeep
from fake import ASKS, Fake, ResponseMessage, Within, answer, frame, is_a, outcome_of, sign
from tap import case, equal, run


def asked(behave, timeout=0.5, ask_of=None):
    """The outcome of each client; within the timeout."""
    for ask in ASKS:
        with Fake(behave) as server, Within(timeout + 1.0):
            yield ask(server.path, timeout, ask_of)


def sends(*pieces, then_wait=True):
    """A server that answers the first request of a connection with these bytes."""
    def behave(peer):
        request = peer.request()
        for piece in pieces:
            peer.send(piece(request) if callable(piece) else piece)
        if then_wait:
            peer.request()
    return behave


@case
def a_frame_longer_than_the_protocol_takes_is_malformed_and_none_of_it_is_waited_for():
    for length in (0, 65537, 0x7FFFFFFF, 0xFFFFFFFF):
        for outcome in asked(sends(struct.pack(">I", length))):
            is_a(outcome, stirkeep.Malformed, f"a frame of {length} bytes")


@case
def garbage_is_malformed():
    for data in (frame(b"\xff" * 40), frame(b"\x08"), frame(b"\x52\x7f\x01"), b"HTTP/1.1 400 Bad"):
        for outcome in asked(sends(data)):
            is_a(outcome, stirkeep.Malformed, "/s: ")


@case
def a_warning_of_protobuf_that_a_program_has_raised_is_malformed():
    def ends_a_group(request):
        return frame(answer(request.id) + b"\x0c")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for outcome in asked(sends(ends_a_group)):
            if not isinstance(outcome, stirkeep.Signature):  # of a version that does not warn
                is_a(outcome, stirkeep.Malformed, "not a message")


@case
def what_a_service_says_is_one_line():
    def says(request):
        return frame(answer(request.id, 4, "no\r\nroot: \x1b[2J\u2028yes, \u00e9"))
    for outcome in asked(sends(says)):
        is_a(outcome, stirkeep.NotPermitted)
        equal(str(outcome), "no??root: ?[2J?yes, \u00e9")


@case
def a_program_that_has_sigpipe_as_it_was_is_not_ended_by_it():
    """As one that has Python built in may have it."""
    def with_the_first_broken(ask, module, path):
        mine, peers = socket.socketpair()
        mine.setblocking(False)
        peers.close()
        real = module.open_socket
        broken = [mine]
        module.open_socket = lambda to: broken.pop() if broken else real(to)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        is_a(ask(path), stirkeep.Signature)
    for ask, name in zip(ASKS, ("client", "aio")):
        module = importlib.import_module(f"stirkeep.{name}")
        with Fake(fake.serve) as server:
            child = os.fork()
            if child == 0:
                try:
                    with_the_first_broken(ask, module, server.path)
                finally:
                    os._exit(0 if sys.exc_info()[0] is None else 1)
            equal(os.waitpid(child, 0)[1], 0, f"{module.__name__}: the child's end")


@case
def half_a_frame_and_silence_ends_with_the_timeout():
    for data in (b"\x00", b"\x00\x00\x01\x00", b"\x00\x00\xff\xff" + b"\x08\x01"):
        for outcome in asked(sends(data), 0.15):
            is_a(outcome, stirkeep.Timeout, "no answer in time")


@case
def half_a_frame_and_the_end_is_asked_again_until_the_timeout():
    for outcome in asked(sends(b"\x00\x00\x01\x00half", then_wait=False), 0.3):
        is_a(outcome, stirkeep.Timeout, "no answer in time", "the connection ended")


@case
def an_answer_in_single_bytes_is_an_answer():
    def behave(peer):
        for byte in frame(answer(peer.request().id)):
            peer.send(bytes([byte]))
        peer.request()
    for outcome in asked(behave):
        equal(outcome.identity, fake.IDENTITY)


@case
def bytes_that_never_make_a_frame_do_not_put_off_the_timeout():
    def behave(peer):
        peer.request()
        peer.send(struct.pack(">I", 60000))
        while True:
            peer.send(b"\x00")
            time.sleep(0.02)
    for outcome in asked(behave, 0.3):
        is_a(outcome, stirkeep.Timeout)


@case
def an_answer_with_an_id_that_nothing_asked_for_is_malformed():
    for number in (0, 2, 99, 1 << 63):
        for outcome in asked(sends(frame(answer(number)))):
            is_a(outcome, stirkeep.Malformed, f"the id {number}, which nothing asked for")


@case
def a_second_answer_to_the_same_request_is_malformed():
    def twice(request):
        return frame(answer(request.id)) * 2

    def sync_twice(client):
        equal(sign(client).identity, fake.IDENTITY)
        return sign(client)

    async def async_twice(client):
        tasks = [asyncio.ensure_future(sign(client)) for _ in range(2)]
        return await tasks[1]
    with Fake(sends(twice)) as server:
        # What had been answered stays answered; the second call finds a connection that is no good.
        is_a(fake.ask(server.path, 0.3, sync_twice), stirkeep.Signature)
        equal(len(server.peers), 2, "connections")
    with Fake(sends(twice)) as server:
        is_a(fake.ask_async(server.path, 0.3, async_twice), stirkeep.Malformed, "the id 1")


@case
def an_answer_of_another_kind_than_asked_is_malformed():
    def pong(request):
        response = ResponseMessage(id=request.id)
        response.pong.ready = True
        return frame(response.SerializeToString())
    for outcome in asked(sends(pong)):
        is_a(outcome, stirkeep.Malformed, "does not fit the request")
    for outcome in asked(sends(lambda request: frame(answer(request.id))),
                         ask_of=lambda client: client.ping()):
        is_a(outcome, stirkeep.Malformed, "does not fit the request")
    for outcome in asked(sends(lambda request: frame(b"\x08\x01"))):
        is_a(outcome, stirkeep.Malformed, "does not fit the request")


@case
def an_identity_that_would_put_something_else_into_a_message_is_malformed():
    for identity, length in (("", 0), ("a\r\nX: y", 1), ("a\nb", 1), ("ä", 1), ("a\0", 1),
                             ("abc", 4), ("abc", 0)):
        for outcome in asked(sends(lambda request: frame(
                answer(request.id, identity=identity, length=length)))):
            is_a(outcome, stirkeep.Malformed, "does not fit the request")


@case
def a_batch_with_other_results_than_asked_for_is_malformed():
    requests = [stirkeep.Request("Alpha", stirkeep.Shaken(**fake.CALL))] * 2

    def results(*statuses):
        def make(request):
            response = ResponseMessage(id=request.id)
            response.batch.SetInParent()
            for status in statuses:
                one = response.batch.results.add(status=status)
                if status == 0:
                    one.signed.identity, one.signed.passport_length = fake.IDENTITY, 3
            return frame(response.SerializeToString())
        return sends(make)
    for statuses in ((), (0,), (0, 0, 0)):
        for outcome in asked(results(*statuses),
                             ask_of=lambda client: client.sign_batch(requests)):
            is_a(outcome, stirkeep.Malformed)
    for outcome in asked(results(0, 4),
                         ask_of=lambda client: client.sign_batch(requests, whole=True)):
        is_a(outcome, stirkeep.Malformed)
    for outcome in asked(results(0, 4), ask_of=lambda client: client.sign_batch(requests)):
        is_a(outcome[1], stirkeep.NotPermitted)
        equal(outcome[0].passport, "eyJ")


@case
def a_list_whose_pages_do_not_go_on_is_malformed():
    def pages(*names):
        def behave(peer):
            while True:
                response = ResponseMessage(id=peer.request().id)
                response.listed.more = True
                for name in names:
                    response.listed.certificates.add(name=name)
                peer.send(frame(response.SerializeToString()))
        return behave
    for names in ((), ("A",), ("B", "A"), ("",)):
        for outcome in asked(pages(*names), ask_of=lambda client: client.list()):
            is_a(outcome, stirkeep.Malformed, "do not go on")


@case
def a_list_without_an_end_ends_with_the_timeout():
    def behave(peer):
        for number in range(1 << 30):
            response = ResponseMessage(id=peer.request().id)
            response.listed.more = True
            response.listed.certificates.add(name=f"{number:012}")
            peer.send(frame(response.SerializeToString()))
    for outcome in asked(behave, 0.3, lambda client: client.list()):
        is_a(outcome, stirkeep.Timeout)


@case
def a_status_that_is_not_known_is_internal_with_its_number():
    for outcome in asked(sends(lambda request: frame(answer(request.id, status=77, message="x")))):
        is_a(outcome, stirkeep.Internal, "status 77: x")


@case
def a_last_word_is_final_for_all_and_a_timeout_is_like_a_break():
    for outcome in asked(sends(frame(answer(0, status=18, message="too many")))):
        is_a(outcome, stirkeep.Overloaded, "/s: too many")

    def timeout_first(peer):
        if peer.number == 0:
            peer.request()
            peer.answer(0, status=24, message="idle")
        else:
            peer.serve()
    for outcome in asked(timeout_first):
        is_a(outcome, stirkeep.Signature)


@case
def who_ends_every_connection_is_not_asked_in_a_hurry():
    for ask in ASKS:
        for behave in (lambda peer: peer.request(), lambda peer: None):
            with Fake(behave) as server, Within(1.5):
                is_a(ask(server.path, 0.6), stirkeep.Timeout, "the connection ended")
                equal(3 <= len(server.peers) <= 12, True, f"{len(server.peers)} connections")


@case
def who_does_not_take_connections_ends_with_the_timeout():
    for ask in ASKS:
        server = Fake(fake.serve, backlog=0)  # nobody accepts
        others = [fake.socket.socket(fake.socket.AF_UNIX) for _ in range(3)]
        for other in others:
            other.setblocking(False)
            outcome_of_connect(other, server.path)
        with Within(1.5):
            is_a(ask(server.path, 0.3), stirkeep.Timeout, "queue of connections is full")
        for other in others:
            other.close()
        server.thread.start()
        server.__exit__()


def outcome_of_connect(sock, path):
    try:
        sock.connect(path)
    except BlockingIOError:
        pass


@case
def who_does_not_read_ends_with_the_timeout():
    big = stirkeep.Other(ppt="msec", orig="1", dest="2", other='{"a":"' + "x" * 60000 + '"}')
    for ask in ASKS:
        def many(client):
            if ask is fake.ask_async:
                return asyncio.gather(*(client.sign("Alpha", big) for _ in range(100)))
            for _ in range(8):
                is_a(outcome_of(lambda: client.sign("Alpha", big)), stirkeep.Timeout)
            raise stirkeep.Timeout
        with Fake(lambda peer: time.sleep(8)) as server, Within(6):
            is_a(ask(server.path, 0.15, many), stirkeep.Timeout)


@case
def a_flood_takes_no_memory_and_ends():
    def stale(peer):
        """Whole frames of what was forgotten, as many as are taken."""
        peer.request()
        whole = frame(answer(1, identity="x" * 60000)) * 64
        while True:
            peer.send(whole)

    def half(peer):
        """Bytes, and bytes."""
        peer.request()
        while True:
            peer.send(b"\x00\x00\xff\xff" + b"\xff" * 65535)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for behave in (stale, half):
        for outcome in asked(behave, 0.5, lambda client: client.ping()):
            is_a(outcome, stirkeep.Malformed)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 32 * 1024, f"{grown} KiB more"


@case
def a_frame_of_countless_empty_messages_takes_no_memory():
    def behave(peer):
        response = b"\x08\x01\x6a" + varint(64000) + b"\x0a\x00" * 32000
        peer.request()
        peer.send(frame(response))
        peer.request()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    one = [stirkeep.Request("Alpha", stirkeep.Shaken(**fake.CALL))]
    for outcome in asked(behave, ask_of=lambda client: client.sign_batch(one)):
        is_a(outcome, stirkeep.Malformed)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 64 * 1024, f"{grown} KiB more"


def varint(number):
    data = b""
    while number > 127:
        data += bytes([number & 127 | 128])
        number >>= 7
    return data + bytes([number])


@case
def who_never_answers_gets_a_new_connection_when_too_much_was_forgotten():
    def silent_first(peer):
        if peer.number == 0:
            while True:
                peer.request()
        peer.serve()

    async def impatient(client):
        for _ in range(5):
            await asyncio.gather(*(client.sign("Alpha", **fake.CALL, timeout=0.1)
                                   for _ in range(250)), return_exceptions=True)
        return await sign(client)
    with Fake(silent_first) as server:
        is_a(fake.ask_async(server.path, 2.0, impatient), stirkeep.Signature)
        equal(len(server.peers), 2, "connections")


@case
def after_any_of_it_the_next_call_is_answered():
    for data in (struct.pack(">I", 1 << 31), frame(b"\xff"), b"\x00\x00\x00\x20half",
                 frame(answer(5))):
        def once(peer):
            if peer.number == 0:
                peer.request()
                peer.send(data)
                peer.request()
            peer.serve()

        def again(client):
            outcome = outcome_of(lambda: client.sign("Alpha", **fake.CALL, timeout=0.2))
            assert type(outcome) in (stirkeep.Malformed, stirkeep.Timeout), outcome
            # Of half a frame nothing is known: its connection stays, and what comes is its rest.
            return outcome_of(lambda: sign(client)) if b"half" not in data else None

        async def again_async(client):
            try:
                outcome = await client.sign("Alpha", **fake.CALL, timeout=0.2)
            except stirkeep.StirkeepError as why:
                outcome = why
            assert type(outcome) in (stirkeep.Malformed, stirkeep.Timeout), outcome
            return await sign(client) if b"half" not in data else None
        for ask, ask_of in zip(ASKS, (again, again_async)):
            with Fake(once) as server:
                outcome = ask(server.path, 1.0, ask_of)
                assert outcome is None or outcome.identity == fake.IDENTITY, outcome


@case
def no_descriptor_is_left_open():
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        for outcome in asked(sends(frame(b"\xff"))):
            is_a(outcome, stirkeep.Malformed)
    equal(len(os.listdir("/proc/self/fd")), before, "open descriptors")


if __name__ == "__main__":
    run()
