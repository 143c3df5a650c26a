# SPDX-License-Identifier: BSD-2-Clause
"""Who may have what signed: a pair of what is allowed and what is refused for every dimension of a
grant. Each refusal names its rule, both outcomes are in the trail, and `stirkeep policy explain`
says the same as the service."""
import contextlib
import json
import subprocess
import time

import wire
from granted import (
    GROUP, PYTHON, TYPES, UIDS, UNIT, attestation, configure, grants, sign, start, who)
from peers import Who, allowed, ask, explained, need_root, number, record_of, refused, user
from programs import in_unit, need_peerpidfd
from tap import case, contains, equal, run


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
    done = subprocess.run([f"{service.libexec}/stirkeep", "sign", "Alpha", "--orig", "1",
                           "--dest", "2", "--attest", "A"], env=service.environment(), text=True,
                          user=62998, group=UIDS["by-both"], extra_groups=[],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
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
        peer.unit = f"user@{peer.uid}.service"
        refused(service, peer, sign(), "no grant names this peer")
    with in_unit("system.slice/another.service"):
        refused(service, who("by-unit", unit="another.service"), sign(), "no grant names this peer")


# ---- what

@case
def certificates_are_granted_by_name_and_pattern(service):
    peer = who("by-name")
    for name in ("Alpha", "Beta-1"):
        allowed(service, peer, sign(name=name), "by-name")
    for name in ("Gamma", "Beta", "Alpha-1", "alpha", "Nobody"):
        refused(service, peer, sign(name=name),
                f"certificate {name}: no grant of this peer names it")


@case
def each_type_is_granted_by_itself(service):
    for place, name in enumerate(TYPES):
        peer = who(f"ppt-{name}")
        allowed(service, peer, sign(name), f"ppt-{name}")
        for other in (TYPES[place - 1], "msec"):
            refused(service, peer, sign(other),
                    f"grant ppt-{name}: ppt {other} is not allowed ({name})")


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
    for orig in ("12025550123", "+1 (202) 555-0140", "12025550149",
                 "12025550145", "1415555", "14155550", "141555599999999"):
        allowed(service, peer, sign(orig=orig), "by-orig")
    for orig in ("12025550124", "12025550139", "12025550150", "120255501450",
                 "1202555014", "141555", "14145550100", "*", "1"):
        refused(service, peer, sign(orig=orig), f"grant by-orig: orig {orig} is not allowed")
    refused(service, peer, sign("base", orig="sip:14155550100@example.com"),
            "grant by-orig: orig sip:14155550100@example.com is not allowed")


@case
def calling_uris_are_granted_by_pattern(service):
    peer = who("by-uri")
    for orig in ("sip:alice@example.com", "sip:@example.com", "urn:service:sos"):
        allowed(service, peer, sign("base", orig=orig), "by-uri")
    for orig in ("sips:alice@example.com", "sip:alice@example.com.evil.org", "urn:x:sos",
                 "sip:alice@example.org", "SIP:alice@example.com"):
        refused(service, peer, sign("base", orig=orig), f"grant by-uri: orig {orig} is not allowed")
    refused(service, peer, sign("base", orig="12155551212"),
            "grant by-uri: orig 12155551212 is not allowed")


@case
def who_diverts_a_call_answers_for_the_diverting_number_and_not_for_the_callers(service):
    peer = who("by-div")
    for ppt in ("div", "div-o"):
        allowed(service, peer, sign(ppt, orig="19995550000", div="14155550100"), "by-div")
        refused(service, peer, sign(ppt, orig="14155550100", div="19995550000"),
                "grant by-div: div 19995550000 is not allowed")


def as_input(service, request):
    """The same claims as a finished header and payload."""
    claims = request.sign.claims
    payload = {"attest": claims.attest, "dest": {"tn": list(claims.dest.tn)},
               "iat": int(time.time()), "orig": {"tn": claims.orig.tn},
               "origid": "123e4567-e89b-12d3-a456-426655440000"}
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
    equal((record["grant"], record["attest"], record["orig"]),
          ("by-input", "A", "12155551212"), "the record")
    verdict, lines = explained(service, peer, request, "--sign-input")
    assert verdict, lines
    reason = "grant by-user: sign-input is not allowed"
    refused(service, who("by-user"), as_input(service, request), reason, explain=False)
    verdict, lines = explained(service, who("by-user"), request, "--sign-input")
    assert not verdict, lines
    contains(lines, f"refused: {reason}", "explain")
    # All else that is granted holds for it, too.
    refused(service, peer, as_input(service, sign(orig="14155550100")),
            "grant by-input: orig 14155550100 is not allowed", explain=False)


@case
def grants_are_a_union_and_two_halves_make_no_whole(service):
    peer = who("union")
    allowed(service, peer, sign(attest="B"), "union-B")
    allowed(service, peer, sign(name="Beta-1", attest="C"), "union-C")
    refused(service, peer, sign(attest="C"), "grant union-B: attest C is not allowed (B)")
    refused(service, peer, sign(name="Beta-1", attest="B"),
            "grant union-C: attest B is not allowed (C)")


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
        equal(status(), (wire.STATUS["not-permitted"], "no grant names this peer"), "without it")
        configure(service)
        service.cli("reload")
        equal(status(), (0, ""), "when it is back")


if __name__ == "__main__":
    with start("beta-1", "gamma") as the_service:
        shown = json.loads(the_service.cli("show", "Alpha", "--json").stdout)
        the_service.x5u = {"Alpha": shown["generations"][0]["x5u"]}
        run(service=the_service)
