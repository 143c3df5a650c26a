# SPDX-License-Identifier: BSD-2-Clause
"""Calls: sipp -> Kamailio with the configuration of docs/KAMAILIO.md -> stirkeep -> SoftHSM, on to a
second, stock Kamailio which verifies, on to whoever is called."""
import concurrent.futures
import glob
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time

import kamailio_bed as bed
import passports
from built import UNDER
from kamailio_bed import Called, Phone, Proxy, header
from kamailio_host import OBJECT
from stirkeep import ROOT, Service, wait_if_slowed
from tap import Skip, case, contains, equal, note, run

WORKERS = 4
PATIENT = 2000    # milliseconds: where each call has to be signed, however busy the machine is
LIMIT = 0.2       # seconds: the default
SLACK = 0.5       # for two proxies and a busy machine
CALLS = 40
LOADS = (600, 200), (150, 50), (75, 25)  # calls, calls a second
GRANT = (f"[grant kamailio]\nuser = {os.geteuid()}\ncertificates = Alpha\nppt = shaken\n"
         "attest = A\norig = 1215*\n")


def needs_codes():
    if bed.version() < (5, 6):
        raise Skip("Kamailio 5.5 tells scripts no codes")


def signing_config(service, port, following, limit=PATIENT, add=False):
    """The documented one with addresses of this machine; `add`: for Kamailio 5.5."""
    text = bed.example("kamailio")
    if add or bed.version() < (5, 6):
        text, count = re.subn(r"^route\[SIGN\] \{\n.*?^\}\n", lambda _: bed.example("kamailio55"), text,
                              flags=re.M | re.S)
        equal(count, 1, "route[SIGN]")
    for documented, here in (
            ("udp:192.0.2.10:5060", f"udp:127.0.0.1:{port}"), ("192.0.2.20:5060", f"127.0.0.1:{following}"),
            ("/usr/lib/x86_64-linux-gnu/kamailio/modules/", bed.modules()),
            ("/usr/local/lib/x86_64-linux-gnu/kamailio/modules/secsipid_stirkeep.so", OBJECT),
            ("/run/stirkeep/sign.sock", service.sign_socket),
            ("stirkeep_timeout=200", f"stirkeep_timeout={limit}")):
        contains(text, documented, "docs/KAMAILIO.md")
        text = text.replace(documented, here)
    return text


def verifying_config(service, port, following):
    with open(f"{bed.HERE}/verifier.cfg") as file:
        text = file.read()
    for name, value in (("LISTEN", f"udp:127.0.0.1:{port}"), ("MODULES", bed.modules()),
                        ("CACHE", f"{service.base}/published"), ("ROOTS", f"{service.lab}/root.pem"),
                        ("BETWEEN", f"{service.lab}/ca.pem"), ("NEXT", f"127.0.0.1:{following}")):
        text = text.replace(name, value)
    return text


def adding_config(service, port, following):
    return signing_config(service, port, following, add=True)


def hasty_config(service, port, following):
    """With the limit as documented."""
    return signing_config(service, port, following, 200)


class Road:
    """Both proxies; `caller` and `called` are the ends of it. `options` are the signing one's."""

    def __init__(self, service, name, config=signing_config, defines=(), **options):
        self.called = Called()
        between, first = bed.free_port(), bed.free_port()
        self.verifier = Proxy(service.base, f"{name}-verifier",
                              verifying_config(service, between, self.called.port), between)
        try:
            self.signer = Proxy(service.base, f"{name}-signer", config(service, first, between),
                                first, defines, **options)
        except BaseException:
            self.verifier.stop()
            raise
        self.caller = Phone(first)
        self.count = 0

    def call(self, **who):
        """(final code or None, INVITE as it arrived or None, seconds)"""
        self.count += 1
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            asked = pool.submit(self.caller.ask, "INVITE", self.count, 5.0, **who)
            arrived = None
            while arrived is None and not asked.done():
                arrived = self.called.invite(0.02)
            return asked.result(), arrived, time.monotonic() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.signer.stop()
        self.verifier.stop()
        self.caller.socket.close()
        self.called.socket.close()


def publish(service, identity, chain):
    """Put a chain where whoever verifies looks for the x5u: as if it had been fetched."""
    url = passports.claims_of(identity)[0]["x5u"]
    os.makedirs(f"{service.base}/published", exist_ok=True)
    shutil.copy(chain, f"{service.base}/published/" + url.replace("://", "_").replace("/", "_"))


def median(times):
    return sorted(times)[len(times) // 2]


def signed(call, what=""):
    code, arrived, _ = call
    equal(code, 486, f"{what}: the called one's answer")
    equal(header(arrived, "X-Verified"), "1", f"{what}: what the second Kamailio found")
    return header(arrived, "Identity")


def secsipidx(service, identity, leaf):
    path = f"{service.base}/identity.txt"
    with open(path, "w") as out:
        out.write(identity)
    return subprocess.run(
        ["secsipidx", "-check", "-fidentity", path, "-fpubkey", f"{service.lab}/{leaf}.pem",
         "-expire", "60", "-cert-verify", "13", "-ca-file", f"{service.lab}/root.pem",
         "-ca-inter", f"{service.lab}/ca.pem"], stdout=subprocess.PIPE).returncode == 0


def sipp_calls(second, ports, count, rate, meanwhile=lambda: None):
    """What a sipp that is called has written of `count` calls of another one."""
    first, called, caller = ports
    uas = bed.sipp(second.path, "called.xml", called, "-m", str(count), "-trace_msg",
                   "-message_file", "called.log", "-trace_err", "-error_file", "called.err")
    uac = bed.sipp(second.path, "caller.xml", caller, "-m", str(count), "-r", str(rate), "-key",
                   "calling", "12155551212", "-key", "called", "12155551213", "-trace_err",
                   "-error_file", "caller.err", remote=first)
    try:
        meanwhile()
        ended = uac.wait(90), uas.wait(90)
    finally:
        for process in (uac, uas):
            if process.poll() is None:
                process.kill()
                process.wait()
    for name in ("caller.err", "called.err"):
        if ended != (0, 0) and os.path.exists(f"{second.path}/{name}"):
            with open(f"{second.path}/{name}", errors="replace") as file:
                note(file.read()[:2000])
    equal(ended, (0, 0), "sipp that calls, sipp that is called")
    with open(f"{second.path}/called.log", newline="") as file:
        return file.read()


# ---- calls

@case
def a_call_of_sipp_is_signed_with_the_documented_configuration_and_verified_by_three(service):
    called, between, first, caller = (bed.free_port() for _ in range(4))
    signer = signing_config(service, first, between)
    verifier = verifying_config(service, between, called)
    with Proxy(service.base, "sipp-verifier", verifier, between) as second, \
            Proxy(service.base, "sipp-signer", signer, first):
        said = sipp_calls(second, (first, called, caller), CALLS, 50)
    identities = set(re.findall(r"^Identity: ([^\r\n]+)", said, re.M))
    equal(len(identities), CALLS, "Identity headers, each another one")
    equal(set(re.findall(r"^X-Verified: ([^\r\n]+)", said, re.M)), {"1"})
    key = passports.public_key(f"{service.lab}/leaf.pem")
    for identity in identities:
        assert passports.verifies(identity, key), identity
    identity = identities.pop()
    assert secsipidx(service, identity, "leaf")
    _, payload = passports.claims_of(identity)
    equal((payload["orig"], payload["dest"], payload["attest"]),
          ({"tn": "12155551212"}, {"tn": ["12155551213"]}, "A"))


@case
def each_worker_makes_a_connection_of_its_own_and_begins_no_thread(service):
    with Road(service, "workers") as road:
        for _ in range(3 * WORKERS):
            signed(road.call())
        counts = []
        for pid in road.signer.workers():
            sockets = [os.readlink(name) for name in glob.glob(f"/proc/{pid}/fd/*")]
            counts.append((len(os.listdir(f"/proc/{pid}/task")), len(sockets)))
        equal({threads for threads, _ in counts}, {1}, "threads")


@case
def from_the_moment_of_a_rotation_calls_have_the_new_certificate_and_verify(service):
    with Road(service, "rotation") as road:
        before = passports.claims_of(signed(road.call(), "before"))[0]["x5u"]
        service.make_chain("709J", "renewed")
        service.cli("import", "Alpha", "--cert", f"{service.lab}/renewed-chain.pem", "--key",
                    f"{service.lab}/renewed.key")
        publish(service, service.sign().stdout.strip(), f"{service.lab}/renewed-chain.pem")
        identity = signed(road.call(), "after")
        after = passports.claims_of(identity)[0]["x5u"]
        assert before != after, before
        assert passports.verifies(identity, passports.public_key(f"{service.lab}/renewed.pem"))
        assert secsipidx(service, identity, "renewed")
        service.cli("rollback", "Alpha")
        equal(passports.claims_of(signed(road.call(), "rolled back"))[0]["x5u"], before)


@case
def what_the_policy_refuses_is_answered_with_403_by_the_documented_script(service):
    needs_codes()
    with Road(service, "refusal") as road:
        code, arrived, seconds = road.call(calling="14155551212")
        equal((code, arrived), (403, None))
        assert seconds < LIMIT + SLACK, seconds
        contains(road.signer.said(), 'certificate "Alpha": not signed: not-permitted')
        signed(road.call(), "the next one")


@case
def a_number_that_cannot_be_signed_goes_on_unsigned(service):
    needs_codes()
    with Road(service, "anonymous") as road:
        code, arrived, _ = road.call(calling="anonymous")
        equal((code, header(arrived, "Identity")), (486, None))
        contains(road.signer.said(), "goes on unsigned (-231)")


def unchanged_config(service, port, following):
    """With the path of a key, as it was before."""
    return signing_config(service, port, following).replace('"Alpha"', '"/etc/kamailio/alpha.key"')


@case
def a_script_that_still_names_a_file_is_told_so_and_its_calls_go_on_unsigned(service):
    with Road(service, "unchanged", unchanged_config) as road:
        code, arrived, seconds = road.call()
        equal((code, header(arrived, "Identity")), (486, None))
        assert seconds < LIMIT + SLACK, seconds
        contains(road.signer.said(), 'gives "/etc/kamailio/alpha.key" where the certificate\'s name')


@case
def workers_are_known_by_the_user_that_they_became(service):
    """Kamailio gives root up after it has loaded the object."""
    if not ROOT:
        raise Skip("not run by root")
    try:
        user = pwd.getpwnam("kamailio")
    except KeyError:
        raise Skip("there is no user kamailio") from None
    with Road(service, "stranger", user=user.pw_name) as road:
        equal({os.stat(f"/proc/{pid}").st_uid for pid in road.signer.workers()}, {user.pw_uid})
        code, arrived, _ = road.call()
        if bed.version() >= (5, 6):
            equal((code, arrived), (403, None), "without a grant")
        contains(road.signer.said(), "not signed: not-permitted")
        service.write_config(GRANT.replace(f"user = {os.geteuid()}", f"user = {user.pw_name}"))
        service.cli("reload")
        try:
            signed(road.call(), "with a grant")
        finally:
            service.write_config(GRANT)
            service.cli("reload")


@case
def a_killed_keeper_costs_calls_no_more_than_the_limit(service):
    with Road(service, "keeper", hasty_config) as road:
        road.call()
        unsigned = 0
        for _ in range(5):
            service.kill("keeper")
            for _ in range(5):
                code, arrived, seconds = road.call()
                equal(code, 486)
                assert seconds < LIMIT + SLACK, seconds
                unsigned += header(arrived, "Identity") is None
        note(f"{unsigned} of 25 calls went unsigned")
    wait_if_slowed("the keeper is back", lambda: service.sign(check=False).returncode == 0)
    with Road(service, "keeper-after") as road:
        signed(road.call(), "after")


@case
def stopped_and_started_under_calls_each_call_goes_on_and_the_first_one_after_it_is_signed(service):
    with Road(service, "restart") as road:
        for _ in range(WORKERS):
            signed(road.call(), "before")
        times = []
        for _ in range(2):
            service.stop()
            for _ in range(2 * WORKERS):
                code, arrived, seconds = road.call()
                equal((code, header(arrived, "Identity")), (486, None), "without a stirkeep")
                equal(header(arrived, "X-Verified"), "-1", "the second Kamailio")
                times.append(seconds)
            service.start()
            for _ in range(2 * WORKERS):
                signed(road.call(), "after")
        assert median(times) < LIMIT / 2 and max(times) < LIMIT + SLACK, times
        contains(road.signer.said(), "goes on unsigned")
        contains(road.signer.said(), "stirkeep answers again")


@case
def a_script_may_refuse_instead_and_a_stirkeep_that_stands_still_delays_it_by_the_limit(service):
    needs_codes()
    with Road(service, "strict", hasty_config, ["UNSIGNED_REFUSED"]) as road:
        for _ in range(WORKERS):
            road.call()
        front = service.pid("front")
        os.kill(front, signal.SIGSTOP)
        try:
            times = []
            for _ in range(3 * WORKERS):
                code, arrived, seconds = road.call()
                equal((code, arrived), (503, None))
                times.append(seconds)
        finally:
            os.kill(front, signal.SIGCONT)
        note(f"slowest answer {max(times) * 1000:.0f} ms, median {median(times) * 1000:.0f} ms")
        assert max(times) < LIMIT + SLACK, times


@case
def the_first_calls_after_a_standstill_are_signed(service):
    with Road(service, "standstill") as road:
        for _ in range(WORKERS):
            signed(road.call(), "before")
        front = service.pid("front")
        os.kill(front, signal.SIGSTOP)
        try:
            equal(header(road.call()[1], "Identity"), None)
        finally:
            os.kill(front, signal.SIGCONT)
        for _ in range(2 * WORKERS):
            signed(road.call(), "after")


@case
def a_load_of_calls_is_signed_by_all_workers_while_stirkeep_is_restarted(service):
    def restart():
        time.sleep(1)
        service.stop()
        time.sleep(0.3)
        service.start()

    def load(calls, rate):
        called, between, first, caller = (bed.free_port() for _ in range(4))
        with Proxy(service.base, f"load-verifier-{rate}", verifying_config(service, between, called),
                   between) as second, \
                Proxy(service.base, f"load-signer-{rate}", hasty_config(service, first, between),
                      first):
            said = sipp_calls(second, (first, called, caller), calls, rate, restart)
        verified = re.findall(r"^X-Verified: ([^\r\n]+)", said, re.M)
        note(f"{verified.count('1')} signed, {verified.count('-1')} without Identity")
        equal(set(verified), {"1", "-1"}, "signed well, or not at all")
        if not UNDER:  # else all calls are over before stirkeep is back
            equal(verified[-1], "1", "the last one")

    # sipp gives calls up whose messages overtake each other, as they do on a machine that is busy
    # with other things: then with fewer.
    for calls, rate in LOADS:
        try:
            return load(calls, rate)
        except AssertionError as why:
            if rate == LOADS[-1][1]:
                raise
            note(f"{rate} calls a second: {str(why)[:300]}")


# ---- other ways to ask

@case
def the_script_for_kamailio_5_5_adds_the_header_or_leaves_the_call_unsigned(service):
    with Road(service, "adding", adding_config) as road:
        signed(road.call())
        code, arrived, _ = road.call(calling="14155551212")
        equal((code, header(arrived, "Identity")), (486, None))
        contains(road.signer.said(), "goes on unsigned")


def python_config(service, port, following):
    if not os.path.exists(f"{bed.modules()}app_python3.so"):
        kind = AssertionError if bed.must_be_there() else Skip
        raise kind("kamailio-python3-modules is not installed")
    script = f"{service.base}/sign-{port}.py"
    with open(script, "w") as out:
        out.write(bed.example("python").replace("192.0.2.20:5060", f"127.0.0.1:{following}"))
    return "\n".join((
        "#!KAMAILIO", f"listen=udp:127.0.0.1:{port}", "children=2", f'mpath="{bed.modules()}"',
        *(f'loadmodule "{name}.so"' for name in ("tm", "sl", "pv", "textops", "siputils", "secsipid",
                                                 "app_python3")),
        f'modparam("secsipid", "modproc", "{OBJECT}")',
        f'modparam("app_python3", "load", "{script}")', 'cfgengine "python"', ""))


@case
def the_same_from_python_by_kemi(service):
    needs_codes()
    with Road(service, "kemi", python_config, STIRKEEP_SIGN_SOCKET=service.sign_socket) as road:
        for _ in range(4):
            signed(road.call())
        equal(road.call(calling="14155551212")[:2], (403, None))


def finished_json_config(service, port, following):
    """secsipid_sign, secsipid_add_identity, and verification through the object itself."""
    x5u = passports.claims_of(service.sign().stdout)[0]["x5u"]
    return "\n".join((
        "#!KAMAILIO", f"listen=udp:127.0.0.1:{port}", "children=1", "log_stderror=yes",
        f'mpath="{bed.modules()}"',
        *(f'loadmodule "{name}.so"' for name in ("tm", "sl", "pv", "textops", "siputils", "xlog",
                                                 "secsipid")),
        f'modparam("secsipid", "modproc", "{OBJECT}")',
        f'modparam("secsipid", "libopt", "stirkeep_socket={service.sign_socket}")',
        'modparam("secsipid", "libopt", "CertVerify=13")',
        f'modparam("secsipid", "libopt", "CertCAFile={service.lab}/root.pem")',
        f'modparam("secsipid", "libopt", "CertCAInter={service.lab}/ca.pem")',
        "request_route {",
        '  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }',
        f'  $du = "sip:127.0.0.1:{following}";',
        f'  if (!secsipid_add_identity("$fU", "$rU", "A", "", "{x5u}", "Alpha")) '
        '{ sl_send_reply("500", "add"); exit; }',
        '  if (secsipid_add_identity("$fU", "$rU", "A", "", "https://other.example.com/c", "Alpha")) '
        '{ sl_send_reply("500", "x5u"); exit; }',
        '  if (!secsipid_build_identity_prvkey("$fU", "$rU", "A", "", "", "Alpha")) '
        '{ sl_send_reply("500", "data"); exit; }',
        f'  secsipid_check("$secsipid(val)", "{service.lab}/leaf.pem");', "  $var(own) = $rc;",
        '  append_hf("X-Own: $var(own)\\r\\n");',
        f'  if (secsipid_sign(\'{{"alg":"ES256","ppt":"shaken","typ":"passport","x5u":"{x5u}"}}\', '
        '\'{"attest":"A","dest":{"tn":["12155551213"]},"iat":1,"orig":{"tn":"12155551212"},'
        '"origid":"123e4567-e89b-12d3-a456-426655440000"}\', "Alpha")) '
        '{ append_hf("X-Signed: yes\\r\\n"); } else { append_hf("X-Signed: $secsipid(ret)\\r\\n"); }',
        "  t_relay();", "}", ""))


@case
def the_other_functions_of_the_module_work_through_it_too(service):
    needs_codes()
    with Road(service, "others", finished_json_config) as road:
        call = road.call()
        signed(call)
        equal(header(call[1], "X-Own"), "1", "libsecsipid's verification through the object")
        equal(header(call[1], "X-Signed"), "-151", "the grant has no sign-input")
        contains(road.signer.said(), 'the script gives x5u "https://other.example.com/c"')


def prepare(service):
    service.import_leaf()
    publish(service, service.sign().stdout.strip(), f"{service.lab}/leaf-chain.pem")
    return service


if bed.missing() and bed.must_be_there():
    print(f"1..1\n# {bed.missing()}\nnot ok 1 - what softhsm-conf/packages.sh proxy installs is there")
    sys.exit(1)
elif bed.missing():
    print(f"1..0 # SKIP {bed.missing()}")
else:
    with Service(GRANT) as kept:
        run(service=prepare(kept.start()))
