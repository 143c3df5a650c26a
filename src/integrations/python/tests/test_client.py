# SPDX-License-Identifier: BSD-2-Clause
"""The Python package without a service: what it says, and how it behaves to a server that is good
but slow, restarted or gone."""
import asyncio
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

import fake
import stirkeep
from fake import ASKS, CALL, Fake, Within, is_a, outcome_of, sign
from stirkeep import _codec, _wire
from stirkeep._places import Places
from tap import case, equal, run

SOURCE = pathlib.Path(os.environ["STIRKEEP_SOURCE"])
BUILT = pathlib.Path(os.environ["STIRKEEP_BUILD"]) / "src/integrations/python"


# ---- what it says

@case
def every_status_has_its_exception_as_the_protocol_page_says():
    page = (SOURCE / "docs/PROTOCOL.md").read_text()
    rows = re.findall(r"^\| (\d+) \| `([a-z0-9-]+)` \| [^|]+ \| ([^|]*) ?\|$", page, re.M)
    equal([(int(number), name) for number, name, _ in rows],
          [(status.value, status.title) for status in stirkeep.Status], "statuses")
    for number, name, again in rows[1:]:
        error = stirkeep.errors.error_of(int(number), "x")
        equal((error.status.title, error.again, str(error)), (name, again.startswith("yes"), "x"))
        assert type(error) is not stirkeep.StirkeepError, name
        assert type(error) is getattr(stirkeep, type(error).__name__), "exported"
    equal(str(stirkeep.errors.error_of(4, "")), "not-permitted", "without a message")
    assert issubclass(stirkeep.Timeout, TimeoutError)
    assert issubclass(stirkeep.NotConnected, ConnectionError)


@case
def its_messages_are_those_of_the_published_proto():
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", f"--proto_path={SOURCE}/proto", f"--descriptor_set_out={out.name}",
                        "stirkeep/v1/sign.proto"], check=True)
        equal((BUILT / "stirkeep/sign.binpb").read_bytes(), pathlib.Path(out.name).read_bytes())


@case
def its_version_is_the_projects():
    found = re.search(r"^  version: '([^']+)'", (SOURCE / "meson.build").read_text(), re.M)
    equal(stirkeep.__version__, found[1])


@case
def it_registers_nothing_and_starts_nothing():
    code = ("import stirkeep, sys, threading, google.protobuf.descriptor_pool as pool\n"
            "assert 'asyncio' not in sys.modules and threading.active_count() == 1\n"
            "try:\n    pool.Default().FindMessageTypeByName('stirkeep.v1.Request')\n"
            "except KeyError:\n    stirkeep.AsyncClient('/x')\n"
            "else:\n    raise SystemExit('registered')\n")
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, cwd="/",
                   env={**os.environ, "PYTHONPATH": str(BUILT)})


def message_of(what):
    frame = _codec.encode(_codec.sign("Alpha", what), 7, 9)
    request = _wire.RequestMessage.FromString(frame[4:])
    equal((request.id, request.deadline_ms, request.sign.certificate), (7, 9, "Alpha"))
    return request.sign


@case
def the_claims_of_every_type_are_in_their_fields():
    key = [stirkeep.MediaKey("sha-256", "ab" * 32)]
    parties = {"orig": "+1 215 555 1212", "dest": ["12155551213", "sip:bob@example.com"], "iat": 5}
    rich = stirkeep.RichCallData(nam="Zoë", apn="1", icn="https://i", jcd=["vcard", []],
                                 crn="why", rcdi={"/icn": "sha256-x"})
    found = [
        (stirkeep.Base(**parties, mky=key, compact=True), "", 'mky { alg: "sha-256"'),
        (stirkeep.Shaken(**parties, attest="B", origid="u"), "shaken", 'attest: "B" origid: "u"'),
        (stirkeep.Div(**parties, div="sip:x@y", hi="1.1", mky=key), "div",
         'div { uri: "sip:x@y" hi: "1.1" }'),
        (stirkeep.DivO(**parties, div="3", opt="a.b.c"), "div-o", 'div { tn: "3" } opt: "a.b.c"'),
        (stirkeep.Rph(**parties, auth=["ets.0", "wps.1"], sph="psap-callback"), "rph",
         'rph { auth: "ets.0" auth: "wps.1" sph: "psap-callback" }'),
        (stirkeep.Rcd(**parties, rcd=rich), "rcd", 'jcd: "[\\"vcard\\",[]]" crn: "why" rcdi {'),
        (stirkeep.Other(**parties, ppt="msec", other={"a": "é", "b": [1]}), "msec",
         'other: "{\\"a\\":\\"\\303\\251\\",\\"b\\":[1]}"')]
    for claims, ppt, part in found:
        message = message_of(claims).claims
        equal((message.ppt, message.iat, message.orig.tn), (ppt, 5, "+1 215 555 1212"))
        equal((list(message.dest.tn), list(message.dest.uri)),
              (["12155551213"], ["sip:bob@example.com"]), "dest")
        text = " ".join(str(message).split())
        assert part in text, f"{part} is not in {text}"
    equal(message_of(stirkeep.Input("h", "p")).input.payload, "p", "input")

    class Ours(stirkeep.DivO):
        """A program's own name for it."""
    equal(message_of(Ours(**parties, div="3", opt="a.b.c")).claims.ppt, "div-o", "of a class of it")


@case
def a_party_is_a_uri_when_there_is_a_colon_in_it_unless_it_says_so():
    for party, field in (("+1 (215) 555-1212", "tn"), ("sip:a@b", "uri"), ("", "tn"),
                         (stirkeep.Tn("1;phone-context=a:b"), "tn"), (stirkeep.Uri("x"), "uri")):
        claims = message_of(stirkeep.Shaken(orig=party, dest=party, attest="A")).claims
        equal((getattr(claims.orig, field), list(getattr(claims.dest, field))), (party, [party]))


@case
def what_the_protocol_cannot_carry_is_refused_here():
    for kind, changed in ((stirkeep.Invalid, {"orig": "\ud800"}),
                          (stirkeep.Invalid, {"iat": 1 << 63}),
                          (stirkeep.TooLarge, {"origid": "x" * 70000})):
        for ask in ASKS:
            is_a(ask("/nowhere", ask_of=lambda client: sign(client, **changed)), kind, "request: ")
    one = stirkeep.Request("Alpha", stirkeep.Shaken(**CALL))
    for ask in ASKS:
        is_a(ask("/nowhere", ask_of=lambda client: client.sign_batch([])), stirkeep.Invalid)
        is_a(ask("/nowhere", ask_of=lambda client: client.sign_batch([one] * 65)),
             stirkeep.TooLarge)
    for wrong in (lambda client: sign(client, orig=12155551212),
                  lambda client: client.sign("Alpha", stirkeep.Shaken(**CALL), attest="A"),
                  lambda client: client.sign("Alpha", orig="1", dest="2"),
                  lambda client: client.sign("Alpha", stirkeep.Claims(orig="1", dest="2")),
                  lambda client: client.sign("Alpha", stirkeep.Rph(orig="1", dest="2", auth="a.0"))):
        with stirkeep.Client("/nowhere") as client:
            try:
                wrong(client)
            except TypeError:
                continue
        raise AssertionError("no TypeError")


@case
def a_header_for_sip_has_no_line_ends_in_it():
    equal(stirkeep.identity_header("a.b.c;info=<https://x>;alg=ES256"),
          "Identity: a.b.c;info=<https://x>;alg=ES256")
    signature = stirkeep.Signature("a.b.c;x", 5, 1, 2, "", "")
    equal((signature.header, signature.passport), ("Identity: a.b.c;x", "a.b.c"))
    for value in ("", "a\r\nVia: x", "a\n", "ä", "a\0"):
        try:
            stirkeep.identity_header(value)
        except ValueError:
            continue
        raise AssertionError(f"{value!r} was taken")


@case
def the_socket_is_the_one_given_or_of_the_environment_or_the_default():
    before = os.environ.pop("STIRKEEP_SIGN_SOCKET", None)
    try:
        equal(stirkeep.Client().path, "/run/stirkeep/sign.sock")
        os.environ["STIRKEEP_SIGN_SOCKET"] = "/x/y"
        equal((stirkeep.Client().path, stirkeep.AsyncClient().path, stirkeep.Client("/z").path),
              ("/x/y", "/x/y", "/z"))
        equal(stirkeep.Client(pathlib.Path("/z")).path, "/z")
    finally:
        os.environ.pop("STIRKEEP_SIGN_SOCKET")
        if before is not None:
            os.environ["STIRKEEP_SIGN_SOCKET"] = before
    for path in ("", "/" + "x" * 107, "/a\0b", "\0abstract"):
        is_a(outcome_of(lambda: stirkeep.Client(path)), stirkeep.Invalid, "socket path")
    for timeout in (0, -1, float("nan")):
        try:
            stirkeep.Client("/z", timeout=timeout)
        except ValueError:
            continue
        raise AssertionError(f"timeout {timeout} was taken")


# ---- how it behaves

@case
def nobody_at_the_socket_is_said_at_once():
    for ask in ASKS:
        with Within(0.5):
            is_a(ask("/nowhere/s", 5.0), stirkeep.NotConnected, "/nowhere/s: No such file")
        with Fake(fake.serve) as server:
            gone = server.path
        with Within(0.5):
            is_a(ask(gone, 5.0), stirkeep.NotConnected)


@case
def what_was_under_way_is_sent_again_when_the_connection_breaks():
    def third_time(peer):
        peer.request()
        if peer.number == 2:
            peer.answer(peer.requests[0].id)
            peer.serve()
    for ask in ASKS:
        with Fake(third_time) as server, Within(1.0):
            is_a(ask(server.path, 2.0), stirkeep.Signature)
            asked = [peer.requests[0] for peer in server.peers]
            equal(len(asked), 3, "connections")
            equal((asked[1], asked[2]), (asked[0], asked[0]), "what was asked")


@case
def all_that_is_pipelined_is_sent_again_and_answered_once_each():
    def breaks(peer):
        """Answers 30 backwards, then takes 20 more and breaks, twice."""
        for _ in range(30):
            peer.request()
        for request in reversed(peer.requests):
            peer.answer(request.id, origid=request.sign.claims.orig.tn)
        if peer.number < 2:
            for _ in range(20):
                peer.request()
            return
        peer.serve()

    async def many(client):
        found = await asyncio.gather(*(sign(client, orig=str(number)) for number in range(200)))
        return [signature.origid for signature in found]
    with Fake(breaks) as server, Within(2.0):
        equal(fake.ask_async(server.path, 5.0, many), [str(number) for number in range(200)])
        equal(len(server.peers), 3, "connections")


@case
def half_an_answer_of_a_broken_connection_is_not_put_before_the_next_ones():
    def half_first(peer):
        if peer.number == 0:
            peer.send(fake.frame(fake.answer(peer.request().id))[:20])
        else:
            peer.serve()
    for ask in ASKS:
        with Fake(half_first) as server, Within(1.0):
            is_a(ask(server.path, 2.0), stirkeep.Signature)


@case
def a_service_that_goes_during_a_call_is_waited_for_until_the_timeout():
    def goes(peer):
        if peer.number > 0:
            peer.serve()
        path = server.path  # there is another server by the time it is back
        peer.request()
        os.rename(path, f"{path}-away")
        peer.end()
        time.sleep(away)
        os.rename(f"{path}-away", path)
    for ask in ASKS:
        away = 0.3
        with Fake(goes) as server, Within(1.0):
            is_a(ask(server.path, 2.0), stirkeep.Signature)
        away = 0.6
        with Fake(goes) as server, Within(0.6):
            is_a(ask(server.path, 0.3), stirkeep.Timeout, "no answer in time; ", "No such file")


@case
def a_connection_that_ended_meanwhile_is_opened_anew_and_costs_nothing():
    def once(peer):
        peer.answer(peer.request().id)

    def twice(client):
        equal(sign(client).identity, fake.IDENTITY)
        time.sleep(0.05)
        return sign(client)

    async def twice_async(client):
        equal((await sign(client)).identity, fake.IDENTITY)
        time.sleep(0.05)  # the loop does not see the end
        return await sign(client)
    for ask, ask_of in zip(ASKS, (twice, twice_async)):
        with Fake(once) as server:
            is_a(ask(server.path, 1.0, ask_of), stirkeep.Signature)
            equal([len(peer.requests) for peer in server.peers], [1, 1], "requests")

    def gone(client):
        sign(client)
        os.unlink(client.path)
        time.sleep(0.05)
        return sign(client)

    async def gone_async(client):
        await sign(client)
        os.unlink(client.path)
        time.sleep(0.05)
        return await sign(client)
    for ask, ask_of in zip(ASKS, (gone, gone_async)):
        with Fake(once) as server, Within(0.5):
            is_a(ask(server.path, 5.0, ask_of), stirkeep.NotConnected)


@case
def a_late_answer_is_not_taken_for_anothers():
    def late(peer):
        first = peer.request()
        second = peer.request()
        for request in (first, second):
            peer.answer(request.id, origid=request.sign.claims.orig.tn)
        peer.serve()

    def both(client):
        is_a(outcome_of(lambda: sign(client, orig="1", timeout=0.1)), stirkeep.Timeout)
        return [sign(client, orig=str(number)).origid for number in (2, 3)]

    async def both_async(client):
        try:
            await sign(client, orig="1", timeout=0.1)
        except stirkeep.Timeout:
            return [(await sign(client, orig=str(number))).origid for number in (2, 3)]
    for ask, ask_of in zip(ASKS, (both, both_async)):
        with Fake(late) as server:
            equal(ask(server.path, 1.0, ask_of), ["2", "3"])
            equal(len(server.peers), 1, "connections")


@case
def the_service_is_told_a_little_less_time():
    for ask in ASKS:
        with Fake(fake.serve) as server:
            ask(server.path, 2.0)
            told = server.peers[0].requests[0].deadline_ms
            assert 1500 <= told <= 1750, told


@case
def a_task_may_be_cancelled_before_and_after_its_request_was_sent():
    def slow(peer):
        for _ in range(3):
            peer.request()
        time.sleep(0.2)
        for request in peer.requests:
            peer.answer(request.id, origid=request.sign.claims.orig.tn)
        peer.serve()

    async def cancelled(client):
        tasks = [asyncio.ensure_future(sign(client, orig=str(number))) for number in range(5)]
        await asyncio.sleep(0)  # submitted, not sent
        tasks[1].cancel()
        tasks[3].cancel()
        await asyncio.sleep(0.1)  # 0, 2 and 4 were sent
        tasks[2].cancel()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        return [getattr(one, "origid", type(one)) for one in found], await sign(client, orig="9")
    with Fake(slow) as server:
        found, last = fake.ask_async(server.path, 1.0, cancelled)
        gone = asyncio.CancelledError
        equal((found, last.origid), (["0", gone, gone, gone, "4"], "9"))
        equal([request.sign.claims.orig.tn for request in server.peers[0].requests],
              ["0", "2", "4", "9"], "sent")
        equal(len(server.peers), 1, "connections")


@case
def no_more_than_in_flight_are_under_way_and_the_others_wait():
    most = []

    def counts(peer):
        """Answers one when nothing more has come for a moment."""
        waiting, answered = [], 0
        peer.connection.settimeout(0.02)
        while answered < 40:
            try:
                waiting.append(peer.request())
            except TimeoutError:
                most.append(len(waiting))
                peer.answer(waiting.pop(0).id)
                answered += 1

    async def many():
        async with stirkeep.AsyncClient(server.path, timeout=5, in_flight=7) as client:
            tasks = [asyncio.ensure_future(sign(client)) for _ in range(43)]
            await asyncio.sleep(0)
            for task in tasks[20:23]:
                task.cancel()  # while it waits for a place
            return await asyncio.gather(*tasks, return_exceptions=True)
    with Fake(counts) as server:
        found = asyncio.run(many())
        equal(sum(isinstance(one, stirkeep.Signature) for one in found), 40, "signed")
    equal(max(most), 7, "under way at once")

    async def full():
        async with stirkeep.AsyncClient(server.path, in_flight=2) as client:
            return await asyncio.gather(*(sign(client, timeout=seconds) for seconds in
                                          (0.6, 0.6, 0.2, 0.2)), return_exceptions=True)
    with Fake(lambda peer: time.sleep(1)) as server:
        found = asyncio.run(full())
    equal(sorted(type(one).__name__ for one in found),
          ["Overloaded", "Overloaded", "Timeout", "Timeout"])


@case
def a_place_that_was_given_to_a_cancelled_task_is_given_on():
    async def given_on():
        loop = asyncio.get_running_loop()
        places = Places(1)
        await places.take(loop, loop.time() + 1)
        waits = [asyncio.ensure_future(places.take(loop, loop.time() + 1)) for _ in range(2)]
        await asyncio.sleep(0)
        places.give()
        waits[0].cancel()  # it has the place, and does not know yet
        found = await asyncio.gather(*waits, return_exceptions=True)
        equal((type(found[0]), found[1]), (asyncio.CancelledError, None))
    asyncio.run(given_on())


@case
def closing_ends_what_is_under_way_and_what_waits():
    async def closed():
        client = stirkeep.AsyncClient(server.path, timeout=5, in_flight=2)
        tasks = [asyncio.ensure_future(sign(client)) for _ in range(4)]
        await asyncio.sleep(0.05)
        client.close()
        found = await asyncio.gather(*tasks, return_exceptions=True)
        equal({type(one) for one in found}, {stirkeep.NotConnected})
        for _ in range(2):
            client.close()
        await sign(client)
    with Fake(lambda peer: time.sleep(1)) as server, Within(0.9):
        try:
            asyncio.run(closed())
        except RuntimeError as why:
            equal(str(why), "the client is closed")
        else:
            raise AssertionError("used after close")


@case
def one_loop_after_another_may_use_it_and_two_at_once_may_not():
    with Fake(fake.serve) as server:
        client = stirkeep.AsyncClient(server.path)
        for _ in range(3):
            is_a(asyncio.run(sign_with(client)), stirkeep.Signature)

        async def elsewhere():
            await sign(client)
            caught = []

            def other():
                try:
                    asyncio.run(sign_with(client))
                except RuntimeError as why:
                    caught.append(str(why))
            await asyncio.get_running_loop().run_in_executor(None, other)
            equal(caught, ["an AsyncClient is one event loop's at a time"])
        asyncio.run(elsewhere())
        client.close()


async def sign_with(client):
    return await sign(client)


@case
def two_threads_in_one_client_at_once_are_told_so():
    with Fake(lambda peer: time.sleep(1)) as server:
        client = stirkeep.Client(server.path, timeout=0.3)
        thread = threading.Thread(target=lambda: outcome_of(lambda: sign(client)))
        thread.start()
        time.sleep(0.1)
        try:
            sign(client)
        except RuntimeError as why:
            equal(str(why), "a Client is one thread's at a time")
        else:
            raise AssertionError("two threads at once")
        thread.join()
        client.close()


@case
def an_interrupted_call_leaves_the_client_usable():
    class Interrupt(Exception):
        pass

    def interrupt(*_):
        raise Interrupt

    def slow_first(peer):
        if peer.number == 0:
            peer.request()
            time.sleep(1)
        peer.serve()
    with Fake(slow_first) as server, stirkeep.Client(server.path, timeout=2) as client:
        before = signal.signal(signal.SIGALRM, interrupt)
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        try:
            sign(client)
        except Interrupt:
            pass
        else:
            raise AssertionError("not interrupted")
        finally:
            signal.signal(signal.SIGALRM, before)
        is_a(sign(client), stirkeep.Signature)


def in_child(function):
    """Run it in a forked child; it must return."""
    pid = os.fork()
    if pid == 0:
        try:
            function()
            os._exit(0)
        except BaseException as why:  # the child must not go on with the parent's work
            print(f"# in the child: {why!r}", flush=True)
            os._exit(1)
    equal(os.waitpid(pid, 0)[1], 0, "the child's end")


@case
def a_forked_child_has_a_connection_of_its_own():
    with Fake(fake.serve) as server, stirkeep.Client(server.path) as client:
        equal(sign(client, orig="1").origid, "1")
        in_child(lambda: equal(sign(client, orig="2").origid, "2"))
        equal(sign(client, orig="3").origid, "3")
        in_child(client.close)
        equal(sign(client, orig="4").origid, "4")
        equal([[request.sign.claims.orig.tn for request in peer.requests] for peer in server.peers],
              [["1", "3", "4"], ["2"]], "what came on which connection")


@case
def a_forked_child_with_a_loop_of_its_own_leaves_the_parents_requests_alone():
    def slow(peer):
        request = peer.request()
        time.sleep(0.3 if peer.number == 0 else 0)
        peer.answer(request.id, origid=request.sign.claims.orig.tn)
        peer.serve()

    async def parent(client):
        task = asyncio.ensure_future(sign(client, orig="1"))
        await asyncio.sleep(0.1)
        thread = asyncio.get_running_loop().run_in_executor(None, in_child, child)
        await thread
        return (await task).origid, (await sign(client, orig="3")).origid

    def child():
        asyncio.set_event_loop(None)
        equal(asyncio.run(sign_of("2")).origid, "2")

    async def sign_of(orig):
        return await sign(the_client[0], orig=orig)
    the_client = []
    with Fake(slow) as server:
        async def main():
            async with stirkeep.AsyncClient(server.path) as client:
                the_client.append(client)
                return await parent(client)
        equal(asyncio.run(main()), ("1", "3"))
        equal([[request.sign.claims.orig.tn for request in peer.requests] for peer in server.peers],
              [["1", "3"], ["2"]], "what came on which connection")


@case
def nothing_is_left_behind_and_nothing_warned_of():
    code = """
import asyncio, gc, logging, sys
logging.getLogger("asyncio").setLevel(logging.ERROR)  # not how slow this machine is
sys.path.insert(0, sys.argv[1] + "/tests")
import fake, stirkeep
async def many(client):
    tasks = [asyncio.ensure_future(fake.sign(client, timeout=0.05)) for _ in range(50)]
    await asyncio.sleep(0.01)
    tasks[0].cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    return await client.ping(timeout=0.05)
for behave in (lambda peer: fake.time.sleep(0.2), lambda peer: peer.request(),
               lambda peer: peer.send(b"garbage!")):
    for ask in (fake.ask, fake.ask_async):
        with fake.Fake(behave) as server:
            print(ask(server.path, 0.1, many if ask is fake.ask_async else None))
gc.collect()
"""
    done = subprocess.run([sys.executable, "-X", "dev", "-W", "error", "-c", code,
                           str(SOURCE / "src/integrations/python")], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    equal((done.returncode, done.stderr), (0, ""), done.stdout)


if __name__ == "__main__":
    run()
