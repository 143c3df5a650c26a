# SPDX-License-Identifier: BSD-2-Clause
"""Every dimension of a grant, of attestation rules and of certificates: a pair of what is allowed and
what is refused. Each refusal names its rule, both outcomes are in the trail, and
`stirkeep policy explain` says the same as the service."""
import contextlib
import json
import os
import socket
import subprocess
import time

import limits_of
import wire
from leaves import Issuer
from peers import Who, allowed, ask, explained, need_root, number, record_of, refused, user
from stirkeep import ROOT, Service
from tap import Skip, case, contains, equal, run

OWN = os.geteuid()
PYTHON = os.path.realpath("/usr/bin/python3")
TYPES = ("base", "shaken", "div", "div-o", "rph", "rcd")
INNER = "eyJ0eXAiOiJwYXNzcG9ydCJ9.e30." + "A" * 86
SO_PEERPIDFD = 77

# Each has a user of its own, so that one grant alone applies.
UIDS = {name: 62001 + place for place, name in enumerate(
    ("by-user", "by-group", "by-program", "by-unit", "by-name", *(f"ppt-{name}" for name in TYPES), "ppt-other",
     "ppt-rich", "by-attest", "by-orig", "by-uri", "by-div", "by-input", "by-rate", "by-burst", "by-quota", "union",
     "reserve", "limits", "rules", "by-both"))}
GROUP = 63001
UNIT = "stirkeep-e2e.service"


def grants(program):
    """Text of the grant sections; `program` is the path of the command."""
    def grant(name, user=None, **keys):
        keys = {"certificates": "*", "ppt": "shaken", "attest": "A, B, C", **keys}
        who = f"user = {UIDS[name] if user is None else user}\n" if user != "" else ""
        return f"[grant {name}]\n{who}" + "".join(
            f"{key.replace('_', '-')} = {value}\n" for key, value in keys.items() if value)
    text = grant("own", OWN, ppt=", ".join(TYPES))
    if not ROOT:
        return text
    text += grant("by-user") + grant("by-group", "", group=str(GROUP))
    text += grant("by-program", executable=program) + grant("by-unit", unit=UNIT)
    text += grant("by-both", "", group=str(UIDS["by-both"]), executable=f"{PYTHON}, /usr/bin/nothing")
    text += grant("by-name", certificates="Alpha, Beta-*")
    for name in TYPES:
        text += grant(f"ppt-{name}", ppt=name, attest="A" if name == "shaken" else "")
    text += grant("ppt-other", ppt="msec", attest="") + grant("ppt-rich", ppt="shaken, rcd")
    text += grant("by-attest", attest="B, C")
    text += grant("by-orig", ppt="shaken, base", orig="12025550123, 1 (202) 555-0140 - 1 (202) 555-0149, 1415555*")
    text += grant("by-uri", ppt="base", attest="", orig="sip:*@example.com, tel:+1*")
    text += grant("by-div", ppt="div, div-o", attest="", orig="14155550100")
    text += grant("by-input", sign_input="yes", orig="1215*") + grant("by-rate", rate="1", burst="2")
    text += grant("by-burst", rate="100", burst="5") + grant("by-quota", quota="3")
    text += grant("union-B", UIDS["union"], attest="B", certificates="Alpha")
    text += grant("union-C", UIDS["union"], attest="C", certificates="Beta-1")
    text += grant("reserve-1", UIDS["reserve"], quota="2") + grant("reserve-2", UIDS["reserve"], quota="1")
    text += grant("limits", ppt="shaken, base, div") + grant("rules", ppt="shaken, div")
    return text


def attestation(service, exceed):
    return ("[certificate Limited]\nquota = 2\n[certificate Slow-*]\nrate = 1\n[certificate Slow-2]\nquota = 1\n"
            f"[attestation]\nfile = {service.rules}\ndefault = A\nexceed = {exceed}\n"
            "[attest 13035550123]\nlevel = none\n[attest 13035550124]\nlevel = A\n")


def configure(service, exceed="refuse", text=None):
    service.write_config(grants(f"{service.libexec}/stirkeep") + attestation(service, exceed)
                         if text is None else text, extra=EXTRA)


def sign(ppt="shaken", name="Alpha", orig="12155551212", attest=None, **more):
    request = wire.sign_pb2.Request()
    request.sign.certificate = name
    claims = request.sign.claims
    claims.ppt = "" if ppt == "base" else ppt
    if ":" in orig:
        claims.orig.uri = orig
    else:
        claims.orig.tn = orig
    claims.dest.tn.append("12155551213")
    claims.attest = ("A" if ppt == "shaken" else "") if attest is None else attest
    if ppt in ("div", "div-o"):
        claims.div.tn = more.get("div", "14155550100")
    if ppt == "div-o":
        claims.opt = INNER
    if ppt == "rph":
        claims.rph.auth.append("ets.0")
    if ppt == "rcd" or more.get("rich"):
        claims.rcd.nam = "Alice"
    if ppt not in ("base", *TYPES):
        claims.other = '{"a":1}'
    return request


def who(name, **more):
    need_root()
    return Who(UIDS[name], **more)


@contextlib.contextmanager
def in_unit(unit):
    """This process in a cgroup of that path, as systemd would put it there."""
    mounts = [line.split() for line in open("/proc/self/mounts")]
    with open("/proc/self/cgroup") as file:
        own = [line.rstrip("\n").split(":", 2) for line in file]
    named = next((path for _, controllers, path in own if controllers == "name=systemd"), None)
    unified = next((path for number, _, path in own if number == "0"), None)
    before = unified if named is None else named
    root = next((fields[1] for fields in mounts if
                 (fields[2] == "cgroup2" if named is None else
                  fields[2] == "cgroup" and "name=systemd" in fields[3].split(","))), None)
    if root is None or before is None:
        raise Skip("no cgroups are mounted that systemd would use")
    made = []
    try:
        path = root
        for part in unit.split("/"):
            path += "/" + part
            if not os.path.exists(path):
                os.mkdir(path)
                made.append(path)
        with open(f"{path}/cgroup.procs", "w") as file:
            file.write(str(os.getpid()))
    except OSError as why:
        for path in reversed(made):
            os.rmdir(path)
        raise Skip(f"a cgroup cannot be made here: {why}") from None
    try:
        yield
    finally:
        with open(f"{root}{before}/cgroup.procs", "w") as file:
            file.write(str(os.getpid()))
        for path in reversed(made):
            os.rmdir(path)


def need_peerpidfd():
    """Does the kernel tell which process has connected?"""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    with ours, theirs:
        try:
            os.close(int.from_bytes(ours.getsockopt(socket.SOL_SOCKET, SO_PEERPIDFD, 4), "little"))
        except OSError as why:
            raise Skip(f"SO_PEERPIDFD: {why}") from None


# ---- who

@case
def a_user_has_the_grant_and_another_has_none(service):
    allowed(service, who("by-user"), sign(), "by-user")
    refused(service, Who(62999), sign(), "no grant names this peer")


@case
def a_group_has_the_grant_by_gid_or_supplementary_and_others_have_none(service):
    allowed(service, who("by-group", gid=GROUP), sign(), "by-group")
    allowed(service, who("by-group", groups=(5, GROUP)), sign(), "by-group")
    refused(service, who("by-group"), sign(), "no grant names this peer")
    refused(service, who("by-group", groups=(GROUP + 1,)), sign(), "no grant names this peer")


@case
def a_program_has_the_grant_and_another_of_the_same_user_has_none(service):
    peer = who("by-program", executable=PYTHON)
    need_peerpidfd()
    refused(service, peer, sign(), "no grant names this peer")
    done = service.cli("sign", "Alpha", "--orig", "12155551212", "--dest", "1", "--attest", "A",
                       uid=peer.uid)
    contains(done.stdout, "ppt=shaken", "the command's own program")
    equal([json.loads(line)["grant"] for line in service.records() if f'"uid":{peer.uid}' in line
           and '"act":"sign"' in line], ["by-program"], "grants in the trail")
    peer.executable = f"{service.libexec}/stirkeep"
    verdict, lines = explained(service, peer, sign())
    assert verdict, lines
    contains(lines, "allowed by grant by-program, with attest A", "explain")


@case
def a_grant_with_a_group_and_a_program_asks_for_both(service):
    both = Who(62998, gid=UIDS["by-both"], executable=PYTHON)
    need_root()
    need_peerpidfd()
    allowed(service, both, sign(), "by-both")
    refused(service, Who(62998, executable=PYTHON), sign(), "no grant names this peer")
    done = subprocess.run([f"{service.libexec}/stirkeep", "sign", "Alpha", "--orig", "1", "--dest", "2", "--attest",
                           "A"], env=service.environment(), user=62998, group=UIDS["by-both"], extra_groups=[],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    equal(done.returncode, 1, done.stdout)
    contains(done.stderr, "no grant names this peer", "another program")


@case
def a_unit_has_the_grant_and_whatever_else_the_user_runs_has_none(service):
    peer = who("by-unit")
    need_peerpidfd()
    refused(service, peer, sign(), "no grant names this peer")
    with in_unit(f"system.slice/{UNIT}"):
        allowed(service, who("by-unit", unit=UNIT), sign(), "by-unit")
    with in_unit(f"system.slice/stirkeep-e2e.slice/{UNIT}/inner.scope"):
        allowed(service, who("by-unit", unit=UNIT), sign(), "by-unit")
    # A user makes units of any name below its own manager's.
    with in_unit(f"user.slice/user-{peer.uid}.slice/user@{peer.uid}.service/{UNIT}"):
        refused(service, who("by-unit", unit=f"user@{peer.uid}.service"), sign(), "no grant names this peer")
    with in_unit("system.slice/another.service"):
        refused(service, who("by-unit", unit="another.service"), sign(), "no grant names this peer")


# ---- what

@case
def certificates_are_granted_by_name_and_pattern(service):
    peer = who("by-name")
    for name in ("Alpha", "Beta-1"):
        allowed(service, peer, sign(name=name), "by-name")
    for name in ("Gamma", "Beta", "Alpha-1", "alpha", "Nobody"):
        refused(service, peer, sign(name=name), f"certificate {name}: no grant of this peer names it")


@case
def each_type_is_granted_by_itself(service):
    for place, name in enumerate(TYPES):
        peer = who(f"ppt-{name}")
        allowed(service, peer, sign(name), f"ppt-{name}")
        for other in (TYPES[place - 1], "msec"):
            refused(service, peer, sign(other), f"grant ppt-{name}: ppt {other} is not allowed ({name})")


@case
def another_type_is_granted_by_its_name(service):
    peer = who("ppt-other")
    allowed(service, peer, sign("msec"), "ppt-other")
    for name in ("msg", "mse", "msecx", "Msec", "shaken", "base"):
        refused(service, peer, sign(name), f"grant ppt-other: ppt {name} is not allowed (msec)")


@case
def rich_call_data_in_a_shaken_passport_needs_both_types(service):
    allowed(service, who("ppt-rich"), sign(rich=True), "ppt-rich")
    refused(service, who("ppt-shaken"), sign(rich=True), "grant ppt-shaken: ppt rcd", "shaken")


@case
def attestations_are_granted_one_by_one(service):
    peer = who("by-attest")
    for attest in "BC":
        allowed(service, peer, sign(attest=attest), "by-attest")
    refused(service, peer, sign(attest="A"), "grant by-attest: attest A is not allowed (B, C)")


@case
def calling_numbers_are_granted_by_number_range_and_prefix(service):
    peer = who("by-orig")
    for orig in ("12025550123", "+1 (202) 555-0140", "12025550149", "12025550145", "1415555", "14155550", "141555599999999"):
        allowed(service, peer, sign(orig=orig), "by-orig")
    for orig in ("12025550124", "12025550139", "12025550150", "120255501450", "1202555014", "141555", "14145550100", "*", "1"):
        refused(service, peer, sign(orig=orig), f"grant by-orig: orig {orig} is not allowed")
    refused(service, peer, sign("base", orig="sip:14155550100@example.com"),
            "grant by-orig: orig sip:14155550100@example.com is not allowed")


@case
def calling_uris_are_granted_by_pattern(service):
    peer = who("by-uri")
    for orig in ("sip:alice@example.com", "sip:@example.com", "tel:+12155551212"):
        allowed(service, peer, sign("base", orig=orig), "by-uri")
    for orig in ("sips:alice@example.com", "sip:alice@example.com.evil.org", "tel:+442071838750", "sip:alice@example.org",
                 "SIP:alice@example.com"):
        refused(service, peer, sign("base", orig=orig), f"grant by-uri: orig {orig} is not allowed")
    refused(service, peer, sign("base", orig="12155551212"), "grant by-uri: orig 12155551212 is not allowed")


@case
def who_diverts_a_call_answers_for_the_diverting_number_and_not_for_the_callers(service):
    peer = who("by-div")
    for ppt in ("div", "div-o"):
        allowed(service, peer, sign(ppt, orig="19995550000", div="14155550100"), "by-div")
        refused(service, peer, sign(ppt, orig="14155550100", div="19995550000"),
                "grant by-div: div 19995550000 is not allowed")


def as_input(service, request, **changes):
    """The same claims as a finished header and payload."""
    claims = request.sign.claims
    payload = {"attest": claims.attest, "dest": {"tn": list(claims.dest.tn)}, "iat": int(time.time()),
               "orig": {"tn": claims.orig.tn}, "origid": "123e4567-e89b-12d3-a456-426655440000", **changes}
    header = {"alg": "ES256", "ppt": "shaken", "typ": "passport", "x5u": service.x5u["Alpha"]}
    out = wire.sign_pb2.Request()
    out.sign.certificate = request.sign.certificate
    out.sign.input.header = json.dumps(header, separators=(",", ":"))
    out.sign.input.payload = json.dumps(payload, separators=(",", ":"), sort_keys=True)
    return out


@case
def a_finished_header_and_payload_are_signed_for_whom_they_are_granted(service):
    peer, request = who("by-input"), sign()
    finished = as_input(service, request)
    finished.id = number()
    answer = ask(service, finished, peer.uid)
    equal((answer.status, answer.signed.attest), (0, "A"), answer.message)
    record = record_of(service, finished.id, "sign")
    equal((record["grant"], record["attest"], record["orig"]), ("by-input", "A", "12155551212"), "the record")
    verdict, lines = explained(service, peer, request, "--sign-input")
    assert verdict, lines
    for other, part in ((as_input(service, request), "grant by-user: sign-input is not allowed"),):
        refused(service, who("by-user"), other, part, explain=False)
        verdict, lines = explained(service, who("by-user"), request, "--sign-input")
        assert not verdict, lines
        contains(lines, f"refused: {part}", "explain")
    # All else that is granted holds for it, too.
    refused(service, peer, as_input(service, sign(orig="14155550100")),
            "grant by-input: orig 14155550100 is not allowed", explain=False)


# ---- how much

def at_once(service, peer, request, count):
    """The same request so many times, sent in one piece: (number, answer) in the order of sending."""
    requests = []
    for _ in range(count):
        requests.append(wire.sign_pb2.Request())
        requests[-1].CopyFrom(request)
        requests[-1].id = number()
    with contextlib.ExitStack() as stack:
        with user(peer.uid):
            connection = stack.enter_context(wire.Connection(service.sign_socket))
        connection.send(*requests)
        answers = {answer.id: answer for answer in (connection.receive() for _ in requests)}
    return [answers[request.id] for request in requests]


def check_limited(service, answers, most, reason, grant):
    """The first are signed and the others refused for that reason, and so it is in the trail."""
    signed = sum(answer.status == 0 for answer in answers)
    equal([answer.status for answer in answers], [0] * signed + [wire.STATUS["rate-limited"]] * (len(answers) - signed),
          "the first are signed")
    assert 1 <= signed <= most, f"{signed} of {len(answers)} signed, at most {most}"
    for answer in answers:
        if answer.status == 0:
            equal(record_of(service, answer.id, "sign")["grant"], grant, "grant in the trail")
        else:
            equal(answer.message, reason, "message")
            record = record_of(service, answer.id, "refuse")
            equal((record["outcome"], record["reason"]), ("rate-limited", reason), "the record")
    return signed


@case
def a_rate_is_held_and_comes_back(service):
    peer, reason = who("by-rate"), "grant by-rate: rate: 1 a second are used up"
    began = time.monotonic()
    signed = check_limited(service, at_once(service, peer, sign(), 5), 3, reason, "by-rate")
    assert signed >= 2, signed
    verdict, lines = explained(service, peer, sign())
    assert verdict, lines
    contains(lines, "grant by-rate: applies, allows (at most 1 a second (2 at once))", "explain")
    time.sleep(1.1)
    signed += check_limited(service, at_once(service, peer, sign(), 5), 2, reason, "by-rate")
    assert signed <= 2 + (time.monotonic() - began) * 1, f"{signed} in {time.monotonic() - began:.2f} s"


@case
def a_batch_is_charged_for_all_that_is_in_it(service):
    peer = who("by-burst")

    def batch(size, whole):
        request = wire.sign_pb2.Request(id=number())
        request.batch.whole = whole
        for _ in range(size):
            request.batch.sign.append(sign().sign)
        return ask(service, request, peer.uid)

    answer = batch(6, True)
    equal(answer.status, wire.STATUS["rate-limited"], answer.message)
    contains(answer.message, "grant by-burst: rate: ", "more than the burst")
    # Nothing of it was charged.
    answer = batch(5, True)
    equal((answer.status, len(answer.batch.results)), (0, 5), answer.message)
    time.sleep(0.1)
    answer = batch(10, False)
    statuses = [result.status for result in answer.batch.results]
    signed = statuses.count(0)
    equal(statuses, [0] * signed + [wire.STATUS["rate-limited"]] * (10 - signed), "the first are signed")
    assert 5 <= signed <= 6, f"{signed} after a rest that fills the bucket"


@case
def a_quota_is_held(service):
    peer = who("by-quota")
    for _ in range(3):
        allowed(service, peer, sign(), "by-quota", explain=False)
    # Less than all of it is no way in, and a refusal takes nothing.
    for _ in range(3):
        refused(service, peer, sign(), "grant by-quota: quota: 3 a day are used up", status="rate-limited", explain=False)
    contains(explained(service, peer, sign())[1], "allows (at most 3 a day)", "explain")


@case
def a_certificate_has_limits_of_its_own_whoever_asks(service):
    need_root()
    allowed(service, who("by-user"), sign(name="Limited"), "by-user", explain=False)
    allowed(service, who("limits"), sign(name="Limited"), "limits", explain=False)
    for name in ("by-user", "limits"):
        refused(service, who(name), sign(name="Limited"), "certificate Limited: quota: 2 a day are used up",
                status="rate-limited", explain=False)
        allowed(service, who(name), sign(), name)
    contains(explained(service, who("limits"), sign(name="Limited"))[1],
             "certificate Limited: at most 2 a day, by [certificate Limited]", "explain")


@case
def each_certificate_that_a_pattern_matches_has_the_limit_for_itself_and_the_first_section_counts(service):
    peer = who("limits")
    for name in ("Slow-1", "Slow-2"):
        check_limited(service, at_once(service, peer, sign(name=name), 3), 2,
                      f"certificate {name}: rate: 1 a second are used up", "limits")
    time.sleep(1.1)
    # [certificate Slow-2] with its quota of 1 stands behind [certificate Slow-*].
    allowed(service, peer, sign(name="Slow-2"), "limits", explain=False)


# ---- several grants

@case
def grants_are_a_union_and_two_halves_make_no_whole(service):
    peer = who("union")
    allowed(service, peer, sign(attest="B"), "union-B")
    allowed(service, peer, sign(name="Beta-1", attest="C"), "union-C")
    refused(service, peer, sign(attest="C"), "grant union-B: attest C is not allowed (B)")
    refused(service, peer, sign(name="Beta-1", attest="B"), "grant union-C: attest B is not allowed (C)")


@case
def the_next_grant_is_charged_when_the_first_is_used_up(service):
    peer = who("reserve")
    for grant in ("reserve-1", "reserve-1", "reserve-2"):
        allowed(service, peer, sign(), grant, explain=False)
    refused(service, peer, sign(), "grant reserve-2: quota: 1 a day are used up", status="rate-limited", explain=False)


# ---- attestation rules

@case
def a_rule_of_the_file_and_one_of_the_configuration_say_what_a_number_may_get(service):
    peer = who("rules")
    # By the default, a prefix, a range, a number in it, and numbers of the configuration.
    for orig, level in (("12155551212", "A"), ("13035551000", "C"), ("13035550150", "B"), ("13035550151", "A"),
                        ("13035550124", "A")):
        for attest in "ABC":
            if attest >= level:
                allowed(service, peer, sign(orig=orig, attest=attest), "rules")
            else:
                line = {"C": 2, "B": 3}[level]
                refused(service, peer, sign(orig=orig, attest=attest),
                        f"attest {attest} for {orig}: {service.rules}:{line} allows {level}")
    refused(service, peer, sign(orig="13035550123", attest="C"),
            "attest C for 13035550123: line ", " of the configuration allows none")
    # They are about attestations: other types have none.
    allowed(service, peer, sign("div", orig="1", div="13035550123"), "rules")


@case
def a_rule_lowers_what_exceeds_it_and_the_trail_has_both(service):
    need_root()
    configure(service, "lower")
    service.cli("reload")
    peer = who("rules")
    try:
        for orig, level in (("13035551000", "C"), ("13035550150", "B"), ("13035550151", "A")):
            for attest in "ABC":
                allowed(service, peer, sign(orig=orig, attest=attest), "rules", max(attest, level))
        for attest in "ABC":  # nothing is left to lower to
            refused(service, peer, sign(orig="13035550123", attest=attest), f"attest {attest} for 13035550123: line ",
                    "allows none")
        # The grant is asked for what was asked for.
        refused(service, who("by-attest"), sign(orig="13035550150", attest="A"),
                "grant by-attest: attest A is not allowed (B, C)")
        allowed(service, who("by-attest"), sign(orig="13035551000", attest="B"), "by-attest", "C")
    finally:
        configure(service)
        service.cli("reload")


# ---- the certificate itself

@case
def a_certificate_with_numbers_signs_for_them_alone(service):
    peer = who("limits") if ROOT else Who(OWN)
    grant = "limits" if ROOT else "own"
    for orig in ("12025550100", "12025550110", "12025550119", "18005550100"):
        allowed(service, peer, sign(name="Numbers", orig=orig), grant, explain=False)
        allowed(service, peer, sign("div", name="Numbers", orig="1", div=orig), grant, explain=False)
    for orig in ("12025550099", "12025550120", "18005550101", "1202555010", "120255501000"):
        refused(service, peer, sign(name="Numbers", orig=orig),
                f"certificate: its TNAuthList does not cover orig {orig}", explain=False)
        refused(service, peer, sign("div", name="Numbers", orig="18005550100", div=orig),
                f"certificate: its TNAuthList does not cover div {orig}", explain=False)
    refused(service, peer, sign("base", name="Numbers", orig="sip:18005550100@example.com"), "certificate: its TNAuthList",
            "URI", explain=False)


@case
def a_certificates_claim_constraints_are_held(service):
    peer = who("ppt-rich") if ROOT else Who(OWN)
    grant = "ppt-rich" if ROOT else "own"

    def pair(name, good, bad, *parts):
        for request in good:
            allowed(service, peer, request, grant, explain=False)
        for request in bad:
            refused(service, peer, request, "certificate: ", *parts, explain=False)

    pair("Include", [sign(name="Include", rich=True)], [sign(name="Include")], "rcd", "mustInclude")
    pair("Permitted", [sign(name="Permitted", attest=attest) for attest in "BC"],
         [sign(name="Permitted", attest="A")], "attest")
    pair("Exclude", [sign(name="Exclude")], [sign(name="Exclude", rich=True)], "rcd", "mustExclude")
    pair("Orig", [sign(name="Orig", orig="12155551212")], [sign(name="Orig", orig="12155551213")], "orig")


@case
def the_certificate_judges_the_attestation_as_it_is_given(service):
    """Lowered by a rule to what the certificate permits, or to what it does not."""
    need_root()
    configure(service, "lower")
    service.cli("reload")
    try:
        peer = who("ppt-rich")
        allowed(service, peer, sign(name="Permitted", orig="13035550150", attest="A"), "ppt-rich", "B", explain=False)
        refused(service, peer, sign(name="Permitted", orig="12155551212", attest="A"), "certificate: ", explain=False)
    finally:
        configure(service)
        service.cli("reload")


# ---- the whole

@case
def a_peer_whose_grant_a_reload_takes_away_is_refused_on_its_open_connection(service):
    need_root()
    peer = who("by-user")
    with contextlib.ExitStack() as stack:
        with user(peer.uid):
            connection = stack.enter_context(wire.Connection(service.sign_socket))

        def status():
            request = sign()
            request.id = number()
            connection.send(request)
            answer = connection.receive()
            return answer.status, answer.message
        equal(status(), (0, ""), "before")
        text = (grants(f"{service.libexec}/stirkeep") + attestation(service, "refuse")).replace(
            f"user = {peer.uid}\n", "user = 62997\n")
        configure(service, text=text)
        service.cli("reload")
        equal(status(), (wire.STATUS["not-permitted"], "no grant names this peer"), "while it is away")
        configure(service)
        service.cli("reload")
        equal(status(), (0, ""), "when it is back")


@case
def every_change_of_the_policy_is_in_the_trail_and_the_trail_verifies(service):
    policies = [record for record in map(json.loads, service.records()) if record["act"] == "policy"]
    assert policies[0]["outcome"] == "ok" and "uid" not in policies[0], policies[0]
    digest = subprocess.run(["sha256sum", service.config, service.rules], check=True, stdout=subprocess.PIPE,
                            text=True).stdout.split()
    for record in (policies[0], policies[-1]):
        contains(record["detail"], f"configuration {digest[0]} attestation {digest[2]} ", "the policy in force")
    if ROOT:
        equal([record["uid"] for record in policies[1:]], [0] * (len(policies) - 1), "who asked for a reload")
        equal(len(policies), 7, "policies")
    service.cli("audit", "verify", service.audit)


def import_constrained(service):
    issuer = Issuer(service.lab)
    own = {
        "Numbers": [limits_of.tnauthlist("709J", ranges=[("12025550100", 20)], numbers=["18005550100"])],
        "Include": [limits_of.claim_constraints(include=["rcd"])],
        "Permitted": [limits_of.claim_constraints(permitted={"attest": ["B", "C"]})],
        "Exclude": [limits_of.claim_constraints(exclude=["rcd", "mky"], enhanced=True)],
        "Orig": [limits_of.claim_constraints(permitted={"orig": ['{"tn":"12155551212"}']}, enhanced=True)],
    }
    for name, extensions in own.items():
        issuer.files(issuer.leaf(own=extensions), name)
        service.import_leaf(name, name)


EXTRA = {"import": {"profile": "test"}}

if __name__ == "__main__":
    # Quotas are a day's: not over midnight.
    if time.time() % 86400 > 86400 - 60:
        time.sleep(61)
    with Service(extra=EXTRA) as the_service:
        the_service.rules = f"{the_service.base}/attest.csv"
        with open(the_service.rules, "w") as out:
            out.write("number,level\n1303555*,C\n13035550100-13035550199,B\n13035550151,A\n")
        os.chmod(the_service.rules, 0o644)
        configure(the_service)
        the_service.start()
        leaves = {"Alpha": "leaf", "Beta-1": "beta", "Gamma": "gamma", "Limited": "limited", "Slow-1": "slow-1",
                  "Slow-2": "slow-2"}
        the_service.make_chain("709J", *leaves.values())
        for the_name, the_leaf in leaves.items():
            the_service.import_leaf(the_name, the_leaf)
        import_constrained(the_service)
        the_service.x5u = {name: json.loads(the_service.cli("show", name, "--json").stdout)["generations"][0]["x5u"]
                           for name in ("Alpha",)}
        run(service=the_service)
