# SPDX-License-Identifier: BSD-2-Clause
"""The Python client (src/integrations/python) and a real service on a real token.

What it signs is verified by python3-cryptography and read by the reference, which have nothing of
it. The package is the one in the build folder; its examples are run as they are.
"""
import asyncio
import importlib.util
import json
import os
import pathlib
import re
import subprocess
import sys
import threading
import time

from built import BUILD, PATIENCE, UNDER

HERE = pathlib.Path(__file__).resolve().parent
PACKAGE = f"{BUILD}/src/integrations/python"
CLIENT = HERE.parents[1] / "src/integrations/python"
EXAMPLES = CLIENT / "examples"
sys.path.insert(0, PACKAGE)  # before this folder, whose stirkeep.py is another thing

import passports  # noqa: E402
import reference  # noqa: E402
import stirkeep  # noqa: E402
from tap import Skip, case, contains, equal, note, run  # noqa: E402

_found = importlib.util.spec_from_file_location("service", HERE / "stirkeep.py")
service_module = importlib.util.module_from_spec(_found)
_found.loader.exec_module(service_module)

CALL = {"orig": "12155551212", "dest": "12155551213", "attest": "A"}
PARTIES = {"orig": "+1 (215) 555-1212",
           "dest": ["+1.215.555.1214", "12155551213", "sip:bob@example.com"]}
READ = {"orig": {"tn": "12155551212"},
        "dest": {"tn": ["12155551213", "12155551214"], "uri": ["sip:bob@example.com"]}}
UUID = "123e4567-e89b-12d3-a456-426655440000"
DIGEST = "sha256-" + "A" * 43 + "="
JCARD = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Zoë \"Q\" Smith"]]]
RATE_NAME = "Slow"


def claims_of_every_type(inner):
    """[(claims, what they have to be read as besides the parties)]"""
    mky = [stirkeep.MediaKey("sha-1", "0f" * 20)]
    mky_read = {"mky": [{"alg": "sha-1", "dig": "0F" * 20}]}
    rich = stirkeep.RichCallData(nam="Zoë", apn="+1 215 555 1299", icn="https://example.com/i.png",
                                 jcd=JCARD, crn="délivery", rcdi={"/icn": DIGEST, "/nam": DIGEST})
    rich_read = {"rcd": {"apn": "12155551299", "icn": "https://example.com/i.png", "jcd": JCARD,
                         "nam": "Zoë"}, "crn": "délivery", "rcdi": {"/icn": DIGEST, "/nam": DIGEST}}
    return [
        (stirkeep.Base(**PARTIES, mky=mky), mky_read),
        (stirkeep.Shaken(**PARTIES, attest="B", origid=UUID.upper(), rcd=rich),
         {"attest": "B", "origid": UUID, **rich_read}),
        (stirkeep.Div(**PARTIES, div="1-215-555-1213", hi="1.1", mky=mky),
         {"div": {"hi": "1.1", "tn": "12155551213"}, **mky_read}),
        (stirkeep.DivO(**PARTIES, div="sip:x@example.com", opt=inner),
         {"div": {"uri": "sip:x@example.com"}, "opt": inner}),
        (stirkeep.Rph(**PARTIES, auth=["ets.0", "esnet.1"], sph="psap-callback"),
         {"rph": {"auth": ["ets.0", "esnet.1"]}, "sph": "psap-callback"}),
        (stirkeep.Rcd(**PARTIES, rcd=rich, mky=mky), {**rich_read, **mky_read}),
        (stirkeep.Other(**PARTIES, ppt="msec", other={"b": 1, "a": ["é", None]}),
         {"a": ["é", None], "b": 1})]


def check(service, signature, wanted):
    """It verifies with the certificate, is what the reference writes, and says so itself."""
    assert passports.verifies(signature.identity, service.key)
    header, payload, _ = signature.passport.split(".")
    equal(reference.decoded(payload).decode(),
          reference.written({**READ, **wanted, "iat": signature.iat}), "payload")
    equal(signature.origid, wanted.get("origid", ""), "origid")
    equal(signature.attest, wanted.get("attest", ""), "attest")
    return json.loads(reference.decoded(header))


def outcome_of(call):
    try:
        return call()
    except stirkeep.StirkeepError as why:
        return why


def is_a(outcome, kind, *parts):
    assert type(outcome) is kind, f"wanted {kind.__name__}: {outcome!r}"
    for part in parts:
        contains(str(outcome), part)


def client_of(service, **more):
    return stirkeep.Client(service.sign_socket, **{"timeout": 10, **more})


def inner_passport(service):
    with client_of(service) as client:
        return client.sign("Alpha", **CALL).passport


@case
def every_type_is_signed_and_verifies(service):
    with client_of(service) as client:
        for claims, wanted in claims_of_every_type(inner_passport(service)):
            header = check(service, client.sign("Alpha", claims), wanted)
            equal(header["x5u"], service.x5u, "x5u")
            equal(header.get("ppt", ""), getattr(claims, "ppt", {
                "Base": "", "DivO": "div-o"}.get(type(claims).__name__,
                                                 type(claims).__name__.lower())), "ppt")


@case
def every_type_is_signed_and_verifies_in_asyncio_too(service):
    pairs = claims_of_every_type(inner_passport(service))

    async def all_of_them():
        async with stirkeep.AsyncClient(service.sign_socket, timeout=10) as client:
            return await asyncio.gather(*(client.sign("Alpha", claims) for claims, _ in pairs))
    for signature, (_, wanted) in zip(asyncio.run(all_of_them()), pairs):
        check(service, signature, wanted)


@case
def the_compact_form_has_its_signature_alone(service):
    with client_of(service) as client:
        signature = client.sign("Alpha", stirkeep.Base(orig="1", dest="2", compact=True))
        begin, payload, rest = signature.passport.split(".")
        equal((begin, payload, len(rest)), ("", "", 86))


@case
def an_input_is_signed_word_for_word(service):
    header = reference.written(reference.header_of("shaken", service.x5u))
    payload = reference.written({**READ, "attest": "A", "origid": UUID, "iat": int(time.time())})
    with client_of(service) as client:
        signature = client.sign_input("Alpha", header, payload)
        assert passports.verifies(signature.identity, service.key)
        equal([reference.decoded(part).decode() for part in signature.passport.split(".")[:2]],
              [header, payload])
        is_a(outcome_of(lambda: client.sign_input("Alpha", header, payload + " ")),
             stirkeep.Invalid, "payload")


@case
def a_batch_has_its_results_in_order_and_a_whole_one_none_that_is_refused(service):
    good = stirkeep.Request("Alpha", stirkeep.Shaken(**CALL))
    bad = stirkeep.Request("Nobody", stirkeep.Shaken(**CALL))
    header = reference.written(reference.header_of("shaken", service.x5u))
    payload = reference.written({**READ, "attest": "A", "origid": UUID, "iat": int(time.time())})
    given = stirkeep.Request("Alpha", stirkeep.Input(header, payload))

    async def by_task(requests, whole):
        async with stirkeep.AsyncClient(service.sign_socket, timeout=10) as client:
            return await client.sign_batch(requests, whole=whole)
    with client_of(service) as client:
        for ask in (lambda requests, whole: client.sign_batch(requests, whole=whole),
                    lambda requests, whole: asyncio.run(by_task(requests, whole))):
            results = ask([good, bad, given], False)
            is_a(results[1], stirkeep.UnknownName, "Nobody")
            for place in (0, 2):
                assert passports.verifies(results[place].identity, service.key)
            equal(results[2].origid, UUID)
            is_a(outcome_of(lambda: ask([good, bad], True)), stirkeep.UnknownName, "sign[1]: ")
            equal(len({one.origid for one in ask([good] * 64, True)}), 64, "a full batch")


@case
def names_are_listed_and_the_service_says_that_it_is_ready(service):
    async def by_task():
        async with stirkeep.AsyncClient(service.sign_socket, timeout=10) as client:
            return await client.list(), await client.ping()
    with client_of(service) as client:
        listed, pong = client.list(), client.ping()
        equal(asyncio.run(by_task()), (listed, pong))
        equal([(one.name, one.generation, one.active) for one in listed],
              [("Alpha", 1, True), (RATE_NAME, 1, True)])
        equal(listed[0].x5u, service.x5u)
        assert listed[0].not_before <= time.time() < listed[0].not_after
        assert pong.ready and pong.certificates == 2, pong


@case
def a_refusal_is_an_exception_of_its_kind_with_the_services_message(service):
    with client_of(service) as client:
        refusals = [
            (stirkeep.UnknownName, "Nobody", lambda: client.sign("Nobody", **CALL)),
            (stirkeep.NotPermitted, "", lambda: client.sign("Secret", **CALL)),
            (stirkeep.NotPermitted, "attest", lambda: client.sign("Alpha", **{**CALL,
                                                                             "attest": "C"})),
            (stirkeep.Invalid, "attest", lambda: client.sign("Alpha", **{**CALL, "attest": "D"})),
            (stirkeep.Invalid, "orig.tn", lambda: client.sign("Alpha", **{**CALL, "orig": "x"})),
            (stirkeep.Invalid, "dest", lambda: client.sign("Alpha", **{**CALL, "dest": []})),
            (stirkeep.Invalid, "iat", lambda: client.sign("Alpha", **CALL, iat=1)),
            (stirkeep.Unsupported, "ppt", lambda: client.sign("Alpha", stirkeep.Other(
                orig="1", dest="2", ppt="not a name"))),
            (stirkeep.TooLarge, "opt", lambda: client.sign("Alpha", stirkeep.DivO(
                orig="1", dest="2", div="3", opt="a" * 9000)))]
        for kind, part, refused in refusals:
            is_a(outcome_of(refused), kind, part)
            is_a(client.sign("Alpha", **CALL), stirkeep.Signature)
        is_a(client.sign(RATE_NAME, **CALL), stirkeep.Signature)
        limited = None
        for _ in range(20):
            limited = limited or outcome_of(lambda: client.sign(RATE_NAME, **CALL).generation and None)
        is_a(limited, stirkeep.RateLimited)
        assert limited.again and not stirkeep.NotPermitted().again


@case
def who_has_no_grant_is_not_permitted(service):
    if not service_module.ROOT:
        raise Skip("other users are needed")
    code = ("import stirkeep, sys\n"
            "try:\n    stirkeep.Client(sys.argv[1]).sign('Alpha', orig='1', dest='2', attest='A')\n"
            "except stirkeep.NotPermitted as why:\n    print(why)\n")
    # The build folder may be closed to that user: the package is read by root.
    package = f"{service.base}/package"
    subprocess.run(["cp", "-rL", PACKAGE, package], check=True)
    done = subprocess.run([sys.executable, "-c", code, service.sign_socket], text=True, cwd="/",
                          stdout=subprocess.PIPE, user=service_module.STRANGER,
                          group=service_module.STRANGER, extra_groups=[],
                          env={"PYTHONPATH": package})
    equal(done.returncode, 0)
    contains(done.stdout, "grant")


@case
def two_thousand_are_pipelined_on_one_connection_and_each_has_its_own_answer(service):
    count = 2000 // PATIENCE

    async def pipelined():
        async with stirkeep.AsyncClient(service.sign_socket, timeout=30) as client:
            began = time.monotonic()
            found = await asyncio.gather(*(
                client.sign("Alpha", orig=str(12155550000 + number), dest="12155551213",
                            attest="A") for number in range(count)))
            note(f"pipelined: {count / (time.monotonic() - began):.0f} signatures/s")
            return found
    found = asyncio.run(pipelined())
    for number, signature in enumerate(found):
        payload = json.loads(passports.decode(signature.passport.split(".")[1]))
        equal((payload["orig"], payload["origid"]),
              ({"tn": str(12155550000 + number)}, signature.origid))
    for signature in found[::20]:
        assert passports.verifies(signature.identity, service.key)
    equal(len({signature.origid for signature in found}), count, "origids")


@case
def a_thousand_are_signed_one_after_another(service):
    with client_of(service) as client:
        began = time.monotonic()
        for _ in range(1000):
            client.sign("Alpha", **CALL)
        note(f"one after another: {1000 / (time.monotonic() - began):.0f} signatures/s")


@case
def cancelled_requests_leave_the_others_theirs(service):
    async def some():
        async with stirkeep.AsyncClient(service.sign_socket, timeout=10, in_flight=50) as client:
            tasks = [asyncio.ensure_future(client.sign(
                "Alpha", orig=str(1000 + number), dest="2", attest="A")) for number in range(600)]
            for number in range(0, 600, 2):
                if number % 20 == 0:
                    await asyncio.sleep(0.001)
                tasks[number].cancel()
            return await asyncio.gather(*tasks, return_exceptions=True)
    found = asyncio.run(some())
    for number in range(1, 600, 2):
        equal(passports.claims_of(found[number].identity)[1]["orig"]["tn"], str(1000 + number))
    gone = sum(isinstance(one, asyncio.CancelledError) for one in found)
    assert gone > 0, "none was cancelled"


@case
def threads_with_a_client_each_are_independent(service):
    results = []

    def work(number):
        with client_of(service) as client:
            for _ in range(100):
                orig = str(2000 + number)
                signature = client.sign("Alpha", orig=orig, dest="2", attest="A")
                if passports.claims_of(signature.identity)[1]["orig"]["tn"] != orig:
                    return
            results.append(number)
    threads = [threading.Thread(target=work, args=[number]) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    equal(sorted(results), list(range(8)))


@case
def forked_workers_have_connections_of_their_own(service):
    with client_of(service) as client:
        client.sign("Alpha", **CALL)
        workers = []
        for number in range(6):
            pid = os.fork()
            if pid == 0:
                try:
                    for _ in range(100):
                        orig = str(3000 + number)
                        got = client.sign("Alpha", orig=orig, dest="2", attest="A").identity
                        assert passports.claims_of(got)[1]["orig"]["tn"] == orig
                    os._exit(0)
                except BaseException as why:  # nothing of the parent's may run in here
                    print(f"# worker: {why!r}", flush=True)
                    os._exit(1)
            workers.append(pid)
        for _ in range(100):
            client.sign("Alpha", **CALL)
        equal([os.waitpid(pid, 0)[1] for pid in workers], [0] * 6, "the workers' ends")
        is_a(client.sign("Alpha", **CALL), stirkeep.Signature)


# ---- when things fail

def signs_again(service, client):
    """Once the new room has what it needs; until then nothing but that it is unavailable."""
    def signed():
        outcome = outcome_of(lambda: client.sign("Alpha", **CALL))
        assert type(outcome) in (stirkeep.Signature, stirkeep.Unavailable), repr(outcome)
        return isinstance(outcome, stirkeep.Signature)
    service_module.wait_until("it signs again", signed, 10)
    service.wait_ready()


@case
def a_killed_room_costs_a_moment_and_every_request_is_answered(service):
    async def under_way(room):
        async with stirkeep.AsyncClient(service.sign_socket, timeout=20 * PATIENCE, in_flight=100) as client:
            tasks = [asyncio.ensure_future(client.sign("Alpha", **CALL)) for _ in range(3000 // PATIENCE)]
            await tasks[0]
            service.kill(room)
            return await asyncio.gather(*tasks, return_exceptions=True)
    for room in ("front", "keeper"):
        found = asyncio.run(under_way(room))
        # A room that is starting is said to be unavailable, which is not asked again by itself.
        others = [one for one in found if not isinstance(one, stirkeep.Signature)]
        assert {type(one) for one in others} <= {stirkeep.Unavailable}, others[0]
        note(f"{room} killed: {len(found) - len(others)} signed, {len(others)} unavailable")
        service.wait_ready()
    with client_of(service) as client:
        for _ in range(2):
            client.sign("Alpha", **CALL)
            service.kill("front")
            signs_again(service, client)


@case
def a_service_that_is_stopped_is_not_connected_at_once_and_the_first_call_after_is_signed(service):
    async def before_and_after():
        async with stirkeep.AsyncClient(service.sign_socket, timeout=10) as client:
            await client.sign("Alpha", **CALL)
            service.stop()
            began = time.monotonic()
            try:
                outcome = await client.sign("Alpha", **CALL)
            except stirkeep.StirkeepError as why:
                outcome = why
            took = time.monotonic() - began
            service.start()
            return outcome, took, await client.sign("Alpha", **CALL)
    outcome, took, after = asyncio.run(before_and_after())
    is_a(outcome, stirkeep.NotConnected, service.sign_socket)
    assert took < 0.5, f"{took:.2f} s"
    assert passports.verifies(after.identity, service.key)

    with client_of(service) as client:
        client.sign("Alpha", **CALL)
        service.stop()
        began = time.monotonic()
        is_a(outcome_of(lambda: client.sign("Alpha", **CALL)), stirkeep.NotConnected)
        assert time.monotonic() - began < 0.5
        service.start()
        assert passports.verifies(client.sign("Alpha", **CALL).identity, service.key)


@case
def calls_under_way_over_a_restart_are_all_answered(service):
    async def over_it():
        async with stirkeep.AsyncClient(service.sign_socket, timeout=30 * PATIENCE, in_flight=64) as client:
            tasks = [asyncio.ensure_future(client.sign("Alpha", **CALL)) for _ in range(3000 // PATIENCE)]
            await tasks[0]
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, lambda: (service.stop(), service.start()))
            found = await asyncio.gather(*tasks, return_exceptions=True)
            return found + [await client.sign("Alpha", **CALL)]
    found = asyncio.run(over_it())
    others = [one for one in found if not isinstance(one, stirkeep.Signature)]
    # What began while nobody was there, and nothing was under way, is NotConnected; nothing is lost.
    kinds = {type(one) for one in others}
    assert kinds <= {stirkeep.Unavailable, stirkeep.NotConnected}, kinds
    note(f"over a restart: {len(found) - len(others)} signed, {len(others)} refused {kinds or ''}")


# ---- examples, types, packages

def example(service, name, *arguments, stdin=""):
    return subprocess.run([sys.executable, EXAMPLES / name, *arguments], input=stdin, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                          env={**service.environment(), "PYTHONPATH": PACKAGE})


@case
def the_page_says_what_runs(service):
    page = (HERE.parents[1] / "docs/PYTHON.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    wanted = [r"Identity: ey\S+\ney[^ ]+ [0-9a-f-]{36} A 1\n", r"(ey\S+;info=<https://\S+\n){7}",
              r"the call goes unsigned: .*\n", r"1000\n"]
    equal(len(blocks), len(wanted), "blocks")
    for block, pattern in zip(blocks, wanted):
        if UNDER and pattern == r"1000\n":
            continue  # so many are not signed within the client's time-out
        done = subprocess.run([sys.executable, "-"], input=block, text=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              env={**service.environment(), "PYTHONPATH": PACKAGE})
        equal((done.returncode, done.stderr), (0, ""), block)
        assert re.fullmatch(pattern, done.stdout), f"{block}{done.stdout}"
    for name in re.findall(r"`(\w+\.py)`", page):
        assert (EXAMPLES / name).exists() or name in ("setup.py", "test_python_client.py"), name


AGI = ("agi_request: agi_identity.py\nagi_channel: PJSIP/x-1\nagi_callerid: 12155551212\n"
       "agi_extension: 12155551213\nagi_accountcode: \n\n200 result=1\n200 result=1\n")


@case
def the_agi_example_leaves_the_header_in_a_variable(service):
    done = example(service, "agi_identity.py", "Alpha", "A", stdin=AGI)
    equal((done.returncode, done.stderr), (0, ""))
    first, second = done.stdout.splitlines()
    begin, end = 'SET VARIABLE __STIRKEEP_IDENTITY "', '"'
    assert first.startswith(begin) and first.endswith(end), first
    equal(passports.claims_of(first[len(begin):-1])[1]["dest"], {"tn": ["12155551213"]})
    assert passports.verifies(first[len(begin):-1], service.key)
    equal(second, 'SET VARIABLE STIRKEEP_STATUS "ok"')
    done = example(service, "agi_identity.py", "Nobody", "A", stdin=AGI)
    equal(done.stdout.splitlines(), ['SET VARIABLE __STIRKEEP_IDENTITY ""',
                                     'SET VARIABLE STIRKEEP_STATUS "unknown-name"'])
    contains(done.stderr, "Nobody")


class Message:
    """An INVITE as OpenSIPS shows it to Python."""
    Type, Method = "SIP_REQUEST", "INVITE"

    def __init__(self):
        self.called = []

    def call_function(self, *arguments):
        self.called.append(arguments)
        return 1


@case
def the_opensips_example_appends_the_header_in_each_worker(service):
    said = []
    sys.modules["OpenSIPS"] = type(sys)("OpenSIPS")
    sys.modules["OpenSIPS"].LM_ERR = said.append
    os.environ["STIRKEEP_SIGN_SOCKET"] = service.sign_socket
    found = importlib.util.spec_from_file_location("worker", EXAMPLES / "opensips_identity.py")
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    module.TIMEOUT = 10
    handler = module.mod_init()

    def work():
        equal(handler.child_init(1), 0)
        message = Message()
        equal(handler.sign(message, "12155551212,12155551213,A"), 1)
        (function, header), = message.called
        equal((function, header[:10], header[-2:]), ("append_hf", "Identity: ", "\r\n"))
        assert passports.verifies(header[10:-2], service.key)
    for _ in range(2):
        pid = os.fork()
        if pid == 0:
            try:
                work()
                os._exit(0)
            except BaseException as why:  # nothing of the parent's may run in here
                print(f"# worker: {why!r}", flush=True)
                os._exit(1)
        equal(os.waitpid(pid, 0)[1], 0, "the worker's end")
    work()
    message = Message()
    equal((handler.sign(message, "12155551212,12155551213,C"), message.called), (-1, []))
    contains(said[0], "stirkeep: not-permitted: ")
    handler.client.close()


@case
def the_pipeline_example_answers_a_line_for_each(service):
    count = 300 // PATIENCE
    calls = "".join(f"{1000 + number} 2 {'A' if number != 7 else 'C'}\n" for number in range(count))
    done = example(service, "pipeline.py", "Alpha", stdin=calls)
    equal((done.returncode, done.stderr), (0, ""))
    lines = [line.split(" ", 2) for line in done.stdout.splitlines()]
    equal([orig for orig, _, _ in lines], [str(1000 + number) for number in range(count)])
    contains(lines[7][2], "- ")
    for _, _, header in lines[:7] + lines[8:]:
        assert passports.verifies(header.removeprefix("Identity: "), service.key)


@case
def its_types_hold_under_mypy(service):
    using = f"{service.base}/using.py"
    with open(using, "w") as out:
        out.write("from typing import List\nimport stirkeep\n\n\n"
                  "def one(client: stirkeep.Client) -> str:\n"
                  "    both: List[stirkeep.Signature] = client.sign_batch([], whole=True)\n"
                  "    each = client.sign_batch([])[0]\n"
                  "    if isinstance(each, stirkeep.StirkeepError):\n"
                  "        return each.message\n"
                  "    return client.sign('A', orig='1', dest=['2'], attest='A').header"
                  " + each.identity + both[0].passport\n\n\n"
                  "async def many(client: stirkeep.AsyncClient) -> List[stirkeep.Signature]:\n"
                  "    claims = stirkeep.Rph(orig='1', dest='2', auth=['ets.0'])\n"
                  "    return [await client.sign('A', claims), await client.sign('A', orig='1', "
                  "dest='2', attest='A')]\n")

    def mypy(*what):
        return subprocess.run(
            ["mypy", "--config-file", CLIENT / "pyproject.toml", "--cache-dir",
             f"{service.base}/mypy", *what], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, cwd=service.base, env={**os.environ, "MYPYPATH": PACKAGE})
    for what in (("-p", "stirkeep"), (using,)):
        done = mypy(*what)
        equal(done.returncode, 0, done.stdout)
    with open(using, "a") as out:
        out.write("\n\nstirkeep.Client().sign('A', orig=1, dest='2', attest='A')\n"
                  "stirkeep.Shaken(orig='1', dest='2')\n")
    done = mypy(using)
    equal(done.stdout.count(": error: "), 2, done.stdout)


@case
def pip_builds_and_installs_it_without_the_network_from_the_tree_and_from_an_archive(service):
    tree = f"{service.base}/tree"
    os.makedirs(f"{tree}/src/integrations")
    subprocess.run(["cp", "-r", CLIENT.parents[2] / "proto", tree], check=True)
    subprocess.run(["cp", "-r", CLIENT, f"{tree}/src/integrations/python"], check=True)
    where = f"{tree}/src/integrations/python"
    run_in = {"cwd": where, "check": True, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT,
              "text": True, "env": {**os.environ, "PIP_NO_INDEX": "1",
                                    "PIP_DISABLE_PIP_VERSION_CHECK": "1"}}
    subprocess.run([sys.executable, "setup.py", "-q", "sdist"], **run_in)
    archive, = pathlib.Path(where, "dist").glob("stirkeep-*.tar.gz")
    for source, target in ((where, "from-tree"), (str(archive), "from-archive")):
        target = f"{service.base}/{target}"
        try:
            subprocess.run([sys.executable, "-m", "pip", "install", "-q", "--no-build-isolation",
                            "--no-deps", "--target", target, source], **run_in)
        except subprocess.CalledProcessError as why:
            raise AssertionError(why.stdout) from None
        code = ("import stirkeep, sys; assert stirkeep.__file__.startswith(sys.argv[1]);"
                "print(stirkeep.Client().sign('Alpha', orig='1', dest='2', attest='A').header)")
        done = subprocess.run([sys.executable, "-c", code, target], text=True, cwd="/", check=True,
                              stdout=subprocess.PIPE,
                              env={**service.environment(), "PYTHONPATH": target})
        assert passports.verifies(done.stdout.removeprefix("Identity: "), service.key)
        equal(sorted(os.listdir(f"{target}/stirkeep")), sorted(
            {"sign.binpb", "py.typed", *(path.name for path in CLIENT.glob("stirkeep/*.py"))}
            | ({"__pycache__"} if os.path.isdir(f"{target}/stirkeep/__pycache__") else set())))
        text = next(pathlib.Path(target).glob("stirkeep-*.dist-info/METADATA")).read_text()
        contains(text, f"Version: {stirkeep.__version__}\n")
        contains(text, "Requires-Dist: protobuf")


def start():
    own = os.geteuid()
    grants = (f"[grant all]\nuser = {own}\ncertificates = Alpha, Nobody\nattest = A, B\n"
              "ppt = base, shaken, div, div-o, rph, rcd, msec\nsign-input = yes\n"
              f"[grant slow]\nuser = {own}\ncertificates = {RATE_NAME}\nppt = shaken\nattest = A\n"
              "rate = 1\nburst = 2\n")
    service = service_module.Service(grants=grants, extra={"signing": {
        "deadline-ms": "30000",
        "x5u-template": "https://certs.example.com/{name}/{fingerprint}.pem"}})
    service.start()
    service.import_leaf()
    service.make_chain("709J", "slow")
    service.import_leaf(RATE_NAME, "slow")
    service.key = passports.public_key(f"{service.lab}/leaf.pem")
    shown = json.loads(service.cli("show", "Alpha", "--json").stdout)
    service.x5u = shown["generations"][0]["x5u"]
    return service


if __name__ == "__main__":
    with start() as the_service:
        run(service=the_service)
