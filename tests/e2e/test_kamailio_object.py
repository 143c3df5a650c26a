# SPDX-License-Identifier: BSD-2-Clause
"""secsipid_stirkeep.so alone: each of its functions, and a stirkeep that is not well."""
import contextlib
import glob
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

import passports
import wire
from built import is_built_with
from kamailio_host import Host
from stirkeep import ROOT, STRANGER, Service, wait_if_slowed, wait_until
from tap import Skip, case, contains, equal, note, run

LIMIT = 200       # milliseconds: the object's default
SLACK = 300       # for a busy machine
PATIENT = "2000"  # where each call has to be signed, however busy it is
LOOP = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
GROWTH = 256      # KiB that may come and go with the allocator
GRANT = (f"[grant proxy]\nuser = {os.geteuid()}\ncertificates = Alpha, Beta, Delta\nppt = shaken\n"
         "attest = A, B\norig = 1215*\nsign-input = yes\n"
         "[certificate Delta]\nrate = 1\nburst = 2\n")


def log_of(service):
    with open(f"{service.base}/host.log") as file:
        return file.read()


# ---- loading

@case
def it_fills_in_the_tables_of_all_three_sizes_that_kamailio_has_had(service):
    for size in (10, 11, 12):
        with Host(service, size) as host:
            wait_if_slowed("it signs", lambda: host.sign().result > 0)
            assert host.sign().result > 0, log_of(service)
            if size >= 11:
                assert host.sign(data=True).result > 0, log_of(service)
            equal(host.ask("option", "CertVerify=0").result, 0, "the table's last function")


@case
def a_table_of_a_size_that_is_not_known_is_refused_with_a_line(service):
    for size in (9, 13):
        try:
            with Host(service, size):
                raise AssertionError(f"{size} functions were taken")
        except AssertionError as why:
            contains(str(why), "exit 4", f"{size}")
            contains(str(why), f"a table of {size} functions", f"{size}")


@case
def nothing_is_opened_and_no_thread_is_begun_before_it_is_needed(service):
    with Host(service) as host:
        before = host.descriptors()
        assert not any("socket" in name for name in before), before
        for _ in range(10):
            assert host.sign().result > 0
        equal(sum("socket" in name for name in host.descriptors()), 1, "connections")
        equal(host.threads(), 1, "threads")


# ---- signing

@case
def the_identity_is_complete_and_verifies(service):
    with Host(service) as host:
        answer = host.sign(origid="123e4567-e89b-12d3-a456-426655440000")
    equal(answer.result, len(answer.text), "the result is the length")
    header, payload = passports.claims_of(answer.text)
    equal(payload["orig"], {"tn": "12155551212"})
    equal(payload["dest"], {"tn": ["12155551213"]})
    equal(payload["origid"], "123e4567-e89b-12d3-a456-426655440000")
    contains(answer.text, f";info=<{header['x5u']}>;alg=ES256;ppt=shaken")
    assert passports.verifies(answer.text, passports.public_key(f"{service.lab}/leaf.pem"))


@case
def an_x5u_that_is_the_certificates_is_taken_and_another_one_refused_with_a_line(service):
    with Host(service) as host:
        x5u = passports.claims_of(host.sign().text)[0]["x5u"]
        assert host.sign(x5u=x5u).result > 0
        for other in (x5u + "x", x5u[:-1], "https://certs.example.com/other.pem"):
            answer = host.sign(x5u=other)
            equal((answer.result, answer.text), (-205, ""), other)
            contains(log_of(service), f'the script gives x5u "{other}", the certificate\'s is "{x5u}"')


@case
def a_header_and_payload_are_signed_as_they_are_and_the_token_alone_comes_back(service):
    with Host(service, 12) as host:
        identity = host.sign().text
        passport = identity.split(";")[0]
        header, payload, _ = passport.split(".")
        texts = [passports.decode(part).decode() for part in (header, payload)]
        for function in ("sign", "sign-data"):
            answer = host.ask(function, f"  {texts[0]} ", f"{texts[1]}  ", "Alpha")
            equal(answer.result, len(answer.text), function)
            equal(answer.text.split(".")[:2], [header, payload], function)
            assert passports.verifies(answer.text, passports.public_key(f"{service.lab}/leaf.pem"))
        equal(host.ask("sign", texts[0], texts[1].replace(":", ": ", 1), "Alpha")[::2], (-231, ""),
              "not canonical")


@case
def each_refusal_has_the_code_that_scripts_know_and_a_line_that_says_why(service):
    for arguments, code, reason in (
            ({"key": "Nobody"}, -151, "not-permitted"), ({"key": "Gamma"}, -151, "not-permitted"),
            ({"key": "Beta"}, -451, "unknown-name"), ({"key": "N" * 64}, -151, "not-permitted"),
            ({"attest": "C"}, -151, "attest"), ({"orig": "14155551212"}, -151, "orig"),
            ({"orig": "anonymous"}, -231, "orig"), ({"dest": ""}, -231, "dest"),
            ({"origid": "not a uuid"}, -231, "origid")):
        with Host(service) as host:
            answer = host.sign(**arguments)
            equal((answer.result, answer.text), (code, ""), arguments)
            contains(log_of(service), "not signed: ", arguments)
            contains(log_of(service), reason, arguments)


@case
def a_key_that_is_no_certificate_name_is_told_as_such_and_asked_of_nobody(service):
    for key, shown in (("/etc/kamailio/x.pem", True), ("/" * 200, True), ("/" * 201, False),
                       ("", True), ("keys/alpha", True), ("Alpha ", True), (".Alpha", True),
                       ("N" * 65, False), ("N" * 100000, False)):
        with Host(service, STIRKEEP_SIGN_SOCKET=f"{service.base}/nowhere") as host:
            for data in (False, True):
                answer = host.sign(key=key, data=data)
                equal((answer.result, answer.text), (-451, ""), key)
            equal(host.ask("sign", "{}", "{}", key)[::2], (-451, ""), key)
            equal(f'"{key}"' in log_of(service), shown, log_of(service))
            contains(log_of(service), "where the certificate's name stands")


@case
def a_key_that_a_script_gives_as_data_is_in_no_log(service):
    """Of one that was made for libsecsipid and not changed."""
    pem = subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout"], text=True,
                         check=True, stdout=subprocess.PIPE).stdout
    before = service.said()
    with Host(service, 12) as host:
        equal(host.sign(key=pem, data=True)[::2], (-451, ""))
        equal(host.ask("sign-data", "{}", "{}", pem)[::2], (-451, ""))
        contains(log_of(service), "the script gives something where the certificate's name stands")
        for said in (log_of(service), service.said()[len(before):]):
            for line in pem.splitlines():
                assert line[:16] not in said, said


@case
def a_used_up_rate_has_a_code_of_its_own_beside_policy_and_outage(service):
    with Host(service) as host:
        results = [host.sign(key="Delta").result for _ in range(6)]
        contains(log_of(service), "rate-limited")
        equal({result for result in results if result < 0}, {-429}, results)
        equal(host.sign(orig="14155551212").result, -151, "policy")
    with Host(service, STIRKEEP_SIGN_SOCKET=f"{service.base}/nowhere") as host:
        equal(host.sign(key="Delta").result, -254, "outage")


@case
def arguments_that_are_not_there_are_refused(service):
    with Host(service, 12) as host:
        good = ("12155551212", "12155551213", "A", "", "", "Alpha")
        for place in range(len(good)):
            arguments = [None if at == place else one for at, one in enumerate(good)]
            result = host.ask("identity", *arguments).result
            equal(result > 0, place in (3, 4), f"argument {place}: {result}")
        equal(host.ask("identity", *[None] * 6).result, -231, "none")
        for place in range(3):
            arguments = [None if at == place else "{}" for at in range(3)]
            assert host.ask("sign", *arguments).result < 0, place
        identity = host.sign().text
        leaf = f"{service.lab}/leaf.pem"
        for library in ("libsecsipid.so.1", "none"):
            with Host(service, STIRKEEP_LIBSECSIPID=library) as other:
                for function in ("check", "check-data"):
                    equal(other.ask(function, None, "60", leaf).result, -1, function)
                    equal(other.ask(function, identity, "60", None).result, -1, function)
                equal(other.ask("cache", None, "60").result, -1)
                equal(other.ask("url", None).result, -1)
                equal(other.ask("option", None).result, -1)
                equal(other.ask("option-text", None, "x").result, -1)
                equal(other.ask("option-text", "x", None).result, -1)
                equal(other.ask("option-number", None, "1").result, -1)


@case
def arguments_of_any_length_are_refused_and_leave_short_lines(service):
    huge = "x" * 100000
    with Host(service, 12) as host:
        for arguments, code in (({"x5u": f"https://certs.example.com/{huge}"}, -205),
                                ({"orig": "1" * 100000}, -231), ({"dest": huge}, -231),
                                ({"attest": huge}, -231), ({"origid": huge}, -231)):
            equal(host.sign(**arguments).result, code, list(arguments))
        equal(host.ask("sign", '{"a":"' + huge + '"}', "{}", "Alpha").result, -231)
        assert max(map(len, log_of(service).splitlines())) < 1200
        assert host.sign().result > 0


@case
def who_may_not_go_to_the_socket_or_has_no_grant_is_told_so(service):
    if not ROOT:
        raise Skip("not run by root")
    with Host(service, uid=STRANGER) as host:
        equal(host.sign().result, -151, log_of(service))
    mode = os.stat(service.sign_socket).st_mode & 0o777
    os.chmod(service.sign_socket, 0o600)
    try:
        with Host(service, uid=STRANGER) as host:
            answers = [host.sign() for _ in range(5)]
            equal({answer.result for answer in answers}, {-254})
            assert max(answer.ms for answer in answers) < LIMIT / 2, answers
            contains(log_of(service), f"{service.sign_socket}: Permission denied")
            os.chmod(service.sign_socket, mode)
            equal(host.sign().result, -151, "it is looked at again")
    finally:
        os.chmod(service.sign_socket, mode)
    for path, reason in ((f"{service.base}/nowhere", "No such file"), (service.config, "refused"),
                         ("x" * 200, "107 characters")):
        with Host(service, STIRKEEP_SIGN_SOCKET=path) as host:
            equal(host.sign().result, -254, path)
            contains(log_of(service), reason, path)


@case
def a_child_that_forks_off_a_connected_process_has_a_connection_of_its_own(service):
    with Host(service) as host:
        assert host.sign().result > 0
        child = int(host.ask("fork").text)
        for _ in range(3):
            assert host.sign().result > 0
        host.tell("end")  # the child's
        assert child != host.pid
        assert host.sign().result > 0, "the parent's is as it was"


# ---- a stirkeep that is not well

@case
def without_a_stirkeep_a_call_is_refused_at_once_and_the_first_one_after_it_is_back_is_signed(service):
    with Host(service, STIRKEEP_SIGN_TIMEOUT=PATIENT) as host:
        assert host.sign().result > 0
        service.stop()
        slowest = 0
        for _ in range(20):
            answer = host.sign()
            equal((answer.result, answer.text), (-254, ""))
            slowest = max(slowest, answer.ms)
        note(f"slowest refusal: {slowest:.2f} ms")
        assert slowest < LIMIT / 2, slowest
        service.start()
        assert host.sign().result > 0, log_of(service)
        contains(log_of(service), "stirkeep answers again; 20 calls of this process")


def stands_still(stat):
    with open(stat) as file:
        return file.read().rpartition(") ")[2][0] == "T"


@contextlib.contextmanager
def stopped(pid):
    os.kill(pid, signal.SIGSTOP)
    wait_until("each of its threads stands still", lambda: all(map(stands_still, glob.glob(
        f"/proc/{pid}/task/*/stat"))))
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@case
def a_stirkeep_that_stands_still_costs_one_call_the_limit_and_the_others_an_eighth(service):
    with Host(service) as host:
        wait_if_slowed("it signs", lambda: host.sign().result > 0)
        assert host.sign().result > 0
        with stopped(service.pid("front")):
            first = host.sign()
            others = [host.sign() for _ in range(10)]
            time.sleep(1)
            again = host.sign()
        equal({answer.result for answer in (first, again, *others)}, {-254})
        note(f"first {first.ms:.0f} ms, others {max(a.ms for a in others):.0f} ms, after a second "
             f"{again.ms:.0f} ms")
        assert max(first.ms, again.ms) < LIMIT + SLACK, (first, again)
        middle = sorted(answer.ms for answer in others)[len(others) // 2]
        assert middle < LIMIT / 4, others
        contains(log_of(service), "silent")


@case
def whichever_process_of_stirkeep_stands_still_no_call_takes_longer_than_the_limit(service):
    pids = {room: service.pid(room) for room in ("front", "intake", "keeper")}
    pids["porter"] = service.porter.pid
    with Host(service) as host:
        for room in ("porter", "intake", "keeper"):
            with stopped(pids[room]):
                answers = [host.sign() for _ in range(6)]
            signed = sum(answer.result > 0 for answer in answers)
            note(f"{room}: {signed} of 6 signed, slowest {max(a.ms for a in answers):.0f} ms")
            equal(signed, 0 if room == "keeper" else 6, room)
            assert max(answer.ms for answer in answers) < LIMIT + SLACK, (room, answers)
        wait_until("calls are signed again", lambda: host.sign().result > 0)
        with contextlib.ExitStack() as stack:
            for pid in pids.values():
                stack.enter_context(stopped(pid))
            answers = [host.sign() for _ in range(6)]
        equal({answer.result for answer in answers}, {-254}, "all of them")
        assert max(answer.ms for answer in answers) < LIMIT + SLACK, answers
        wait_until("calls are signed again", lambda: host.sign().result > 0)


@case
def the_first_call_after_a_standstill_is_signed_each_time(service):
    with Host(service, STIRKEEP_SIGN_TIMEOUT="800") as host:
        for _ in range(5):
            with stopped(service.pid("front")):
                assert host.sign().result < 0
                assert host.sign().result < 0
            assert host.sign().result > 0, log_of(service)


@case
def somebody_who_accepts_and_says_nothing_holds_no_call_beyond_the_limit(service):
    path = f"{service.base}/silent.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        with Host(service, STIRKEEP_SIGN_SOCKET=path) as host:
            answers = [host.sign() for _ in range(20)]
        equal({answer.result for answer in answers}, {-254})
        assert max(answer.ms for answer in answers) < LIMIT + SLACK, answers


@case
def somebody_whose_queue_of_connections_is_full_does_not_either(service):
    path = f"{service.base}/full.sock"
    with socket.socket(socket.AF_UNIX) as listener, contextlib.ExitStack() as stack:
        listener.bind(path)
        listener.listen(0)
        for _ in range(2):
            other = stack.enter_context(socket.socket(socket.AF_UNIX))
            other.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                other.connect(path)
        with Host(service, STIRKEEP_SIGN_SOCKET=path) as host:
            answers = [host.sign() for _ in range(10)]
        equal({answer.result for answer in answers}, {-254})
        assert max(answer.ms for answer in answers) < LIMIT + SLACK, answers


@case
def one_that_answers_nonsense_or_hangs_up_is_no_danger(service):
    path = f"{service.base}/nonsense.sock"
    for said in (b"", b"\xff\xff\xff\xff", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\0\0\0\x02\x08"):
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)
        child = os.fork()
        if child == 0:
            with socket.socket(socket.AF_UNIX) as listener:
                listener.bind(path)
                listener.listen(100)
                while True:
                    connection, _ = listener.accept()
                    connection.recv(10)
                    connection.sendall(said)
                    connection.close()
        try:
            wait_until("it listens", lambda: os.path.exists(path))
            with Host(service, STIRKEEP_SIGN_SOCKET=path) as host:
                answers = [host.sign() for _ in range(3)]
            equal({answer.result for answer in answers}, {-254}, said)
            assert max(answer.ms for answer in answers) < LIMIT + SLACK, answers
        finally:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)


@contextlib.contextmanager
def one_that_answers(service, identity):
    """Somebody at a socket who answers the first request with that identity."""
    path = f"{service.base}/answers.sock"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)

        def answer():
            connection, _ = listener.accept()
            with connection:
                request = wire.sign_pb2.Request.FromString(connection.recv(65536)[4:])
                response = wire.sign_pb2.Response(id=request.id)
                response.signed.identity, response.signed.passport_length = identity, 1
                body = response.SerializeToString()
                connection.sendall(struct.pack(">I", len(body)) + body)
                connection.recv(65536)
        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        yield path
        thread.join()
    os.unlink(path)


@case
def an_identity_that_would_put_more_into_a_sip_message_is_not_given_out(service):
    for identity, result in (("eyJ.eyJ.x;info=<https://x.example/c>", 36), ("eyJ\r\nVia: x", -254),
                             ("eyJ\n", -254), ("eyJ\0x", -254), ("\u00e9", -254), ("", -254)):
        with one_that_answers(service, identity) as path, \
                Host(service, STIRKEEP_SIGN_SOCKET=path) as host:
            answer = host.sign()
            equal((answer.result, answer.text), (result, identity if result > 0 else ""), identity)
            equal("malformed" in log_of(service), result < 0, log_of(service))


@case
def a_killed_keeper_costs_no_call_more_than_the_limit(service):
    with Host(service) as host:
        assert host.sign().result > 0
        service.kill("keeper")
        answers = []
        wait_until("a call is signed", lambda: answers.append(host.sign()) or answers[-1].result > 0)
        note(f"calls that went unsigned: {len(answers) - 1}")
        assert max(answer.ms for answer in answers) < LIMIT + SLACK, answers


@case
def the_limit_is_what_the_script_or_the_environment_says(service):
    path = f"{service.base}/silent.sock"
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(1)
        with Host(service) as host:
            equal(host.ask("option", f"stirkeep_socket={path}").result, 0)
            equal(host.ask("option", "stirkeep_timeout=80").result, 0)
            assert 65 < host.sign().ms < 80 + SLACK
        with Host(service, STIRKEEP_SIGN_SOCKET=path, STIRKEEP_SIGN_TIMEOUT="400") as host:
            assert 300 < host.sign().ms < 400 + SLACK
            for wrong in ("0", "9", "10001", "-5", "99999999999999999999", "200ms", "x"):
                equal(host.ask("option", f"stirkeep_timeout={wrong}").result, -1, wrong)
            contains(log_of(service), "it stays 400")


# ---- options and log

@case
def options_that_are_nobodys_are_refused_with_a_line_and_a_pair_without_equals_too(service):
    with Host(service) as host:
        for wrong in ("stirkeep_colour=red", "stirkeep_socket=", "=x", "CertVerify", ""):
            equal(host.ask("option", wrong).result, -1, wrong)
        equal(host.ask("option", "Something=else").result, 0, "kept for libsecsipid")
        equal(host.ask("option-text", "CertCAFile", "/x").result, 0)
        for number in range(40):
            last = host.ask("option-number", f"Option{number}", str(number)).result
        equal(last, -1, "the fortieth")
        equal(host.ask("option-text", "CertCAFile", "/y").result, 0, "one that there is")


@case
def thousands_of_failures_make_a_few_lines_which_tell_how_many_were_left_out(service):
    with Host(service) as host:
        for _ in range(2000):
            host.sign(key="Nobody")
        time.sleep(1.1)
        host.sign(key="Nobody")
        lines = log_of(service).splitlines()
        assert len(lines) < 30, len(lines)
        contains(lines[-1], "lines before it left out")


@case
def control_characters_of_a_caller_stay_out_of_the_log(service):
    with Host(service) as host:
        host.sign(key="A\r\x1b[2Jlpha")
        equal(len(log_of(service).splitlines()), 1)
        assert "\x1b" not in log_of(service) and "\r" not in log_of(service)


# ---- verifying

def values(service, host):
    """(what it is, value, seconds that it may be old)"""
    good = host.sign().text
    token, _, parameters = good.partition(";")
    header, payload, signature = token.split(".")
    flipped = signature[:40] + ("A" if signature[40] != "A" else "B") + signature[41:]
    yield "good", good, 60
    yield "white space", good.replace(";", " ; "), 60
    yield "another signature", f"{header}.{payload}.{flipped};{parameters}", 60
    yield "no parameters", token, 60
    yield "another alg parameter", good.replace("alg=ES256", "alg=RS256"), 60
    yield "another ppt parameter", good.replace("ppt=shaken", "ppt=div"), 60
    yield "another info", good.replace("info=<https://", "info=<https://x"), 60
    yield "no info", f"{token};alg=ES256;ppt=shaken", 60
    yield "two parts", f"{header}.{payload};{parameters}", 60
    yield "nothing", "", 60
    yield "no JSON", f"AAAA.AAAA.{signature};{parameters}", 60
    time.sleep(2.1)
    yield "old", good, 1


@case
def the_own_verifier_and_libsecsipid_are_of_one_opinion(service):
    with Host(service) as library, Host(service, STIRKEEP_LIBSECSIPID="none") as own:
        for what, value, expire in values(service, library):
            for key in ("leaf.pem", "leaf-chain.pem", "other.pem", "leaf.pub", "none.pem"):
                path = f"{service.lab}/{key}"
                for function in ("check", "check-data"):
                    got = own.ask(function, value, str(expire), path).result
                    stock = library.ask(function, value, str(expire), path).result
                    if "libsecsipid.so.1" in log_of(service):
                        raise Skip("libsecsipid is not installed")
                    equal(got == 0, stock == 0, f"{what}, {key}, {function}: {got}, {stock}")
                    if key != "none.pem" and what in ("good", "another signature", "old", "two parts"):
                        equal(got, stock, f"{what}, {key}, {function}")


@case
def both_check_the_chain_as_the_options_say(service):
    lab = service.lab
    chain = [f"CertCAFile={lab}/root.pem", f"CertCAInter={lab}/ca.pem"]
    for options, key, wanted in (
            (["CertVerify=13", *chain], "leaf.pem", True),
            (["CertVerify=5", *chain], "leaf-chain.pem", True),
            (["CertVerify=5", *chain], "leaf.pem", False),
            (["CertVerify=13", f"CertCAFile={lab}/stranger/root.pem", chain[1]], "leaf.pem", False),
            (["CertVerify=13"], "leaf.pem", False), (["CertVerify=1"], "leaf.pub", False),
            (["CertVerify=29", *chain], "leaf.pem", False),
            (["CertVerify=29", *chain, f"CertCRLFile={lab}/none.crl"], "leaf.pem", False)):
        for library in ("libsecsipid.so.1", "none"):
            with Host(service, STIRKEEP_LIBSECSIPID=library) as host:
                for option in options:
                    equal(host.ask("option", option).result, 0, option)
                got = host.ask("check", host.sign().text, "60", f"{lab}/{key}").result
                equal(got == 0, wanted, f"{options}, {key}, {library}: {got}")


@case
def the_own_verifier_finds_a_url_in_the_cache_and_fetches_none(service):
    cache = f"{service.base}/cache"
    os.mkdir(cache)
    with Host(service, STIRKEEP_LIBSECSIPID="none") as host:
        identity = host.sign().text
        equal(host.ask("cache", cache, "60").result, 0)
        equal(host.ask("check", identity, "60", "").result, -402)
        url = passports.claims_of(identity)[0]["x5u"]
        name = url.replace("://", "_").replace("/", "_")
        with open(f"{service.lab}/leaf-chain.pem") as file, open(f"{cache}/{name}", "w") as out:
            out.write(file.read())
        equal(host.ask("check", identity, "60", "").result, 0)
        equal(host.ask("url", url).result, 0)
        equal(host.ask("url", "file:///etc/passwd").result, -401)
        os.utime(f"{cache}/{name}", (1, 1))
        equal(host.ask("check", identity, "60", "").result, -402, "too old")


@case
def a_missing_library_is_told_once_and_the_own_verifier_answers(service):
    with Host(service, STIRKEEP_LIBSECSIPID="libnowhere.so.7") as host:
        identity = host.sign().text
        for _ in range(3):
            equal(host.ask("check", identity, "60", f"{service.lab}/leaf.pem").result, 0)
        equal(log_of(service).count("own verifier is used"), 1)
        equal(host.threads(), 1)


# ---- memory

@case
def it_does_not_grow(service):
    if is_built_with("asan"):
        raise Skip("a sanitizer keeps what is freed")
    with Host(service, STIRKEEP_SIGN_TIMEOUT=PATIENT) as host:
        host.loop(2000)
        began = time.monotonic()
        resident, failed = host.loop(LOOP)
        note(f"{LOOP / (time.monotonic() - began):.0f} signatures a second")
    note(f"resident KiB: {resident}")
    equal(failed, 0, "failed")
    assert max(resident) - resident[0] <= GROWTH, resident


@case
def it_does_not_grow_while_it_is_refused_or_stirkeep_is_not_there(service):
    if is_built_with("asan"):
        raise Skip("a sanitizer keeps what is freed")
    with Host(service) as host:
        host.loop(1000, "Nobody")
        refused, _ = host.loop(5000, "Nobody")
        assert max(refused) - refused[0] <= GROWTH, refused
    with Host(service, STIRKEEP_SIGN_SOCKET=f"{service.base}/nowhere") as host:
        host.loop(1000)
        absent, failed = host.loop(LOOP)
        equal(failed, LOOP)
        assert max(absent) - absent[0] <= GROWTH, absent


@case
def valgrind_finds_nothing_in_signing_failing_and_verifying(service):
    if is_built_with("asan", "tsan") or shutil.which("valgrind") is None:
        raise Skip("valgrind is not installed, or a sanitizer looks already")
    with Host(service, 11, ("valgrind", "-q", "--error-exitcode=9", "--leak-check=full",
                            "--errors-for-leak-kinds=definite,indirect"),
              STIRKEEP_LIBSECSIPID="none", STIRKEEP_SIGN_TIMEOUT="5000") as host:
        identity = host.sign().text
        assert identity, log_of(service)
        for option in ("CertVerify=13", f"CertCAFile={service.lab}/root.pem",
                       f"CertCAInter={service.lab}/ca.pem", "stirkeep_nothing=1"):
            host.ask("option", option)
        for key in ("leaf.pem", "leaf-chain.pem", "leaf.pub", "none.pem"):
            host.ask("check", identity, "60", f"{service.lab}/{key}")
            host.ask("check-data", identity, "60", f"{service.lab}/{key}")
        host.ask("check", "x.y.z;info=<>", "60", "")
        host.sign(key="Nobody")
        host.sign(x5u="https://other.example.com/c.pem")
        host.loop(200)
        host.ask("option", f"stirkeep_socket={service.base}/nowhere")
        host.sign()


def prepare(service):
    service.make_chain("709J", "other")
    service.make_chain("709J", "rated")
    for leaf, name in (("leaf", "Alpha"), ("other", "Gamma"), ("rated", "Delta")):
        service.import_leaf(name, leaf)
    subprocess.run(["openssl", "x509", "-in", f"{service.lab}/leaf.pem", "-noout", "-pubkey", "-out",
                    f"{service.lab}/leaf.pub"], check=True)
    service.script("lab-chain.sh", f"{service.lab}/stranger", "709J")
    return service


with Service(GRANT) as kept:
    run(service=prepare(kept.start()))
