# SPDX-License-Identifier: BSD-2-Clause
"""Every PASSporT type over the socket and by the commands, batches, and finished headers and payloads."""
import datetime
import json
import os
import re
import subprocess
import time

import limits_of
import passports
import reference
import wire
from cryptography import x509
from leaves import Issuer
from peers import ask, number
from stirkeep import Service
from tap import case, contains, equal, run

TYPES = ("base", "shaken", "div", "div-o", "rph", "rcd", "msec")
UUID = "123e4567-e89b-12d3-a456-426655440000"
JCARD = ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Zoë \"Q\" Smith"],
                   ["logo", {}, "uri", "https://example.com/q.png"]]]
DIGEST = "sha256-" + "A" * 43 + "="
WINDOW = 60
DIGITS = 13  # [signing] tn-digits


def claims_of(ppt, service):
    """Claims of that type with all that it may have, out of order and not canonical."""
    claims = wire.sign_pb2.Claims(ppt="" if ppt == "base" else ppt)
    claims.orig.tn = "+1 (215) 555-1212"
    claims.dest.tn.extend(["+1.215.555.1214", "12155551213"])
    claims.dest.uri.extend(["sip:bob@example.com", "sip:alice@example.com"])
    if ppt == "shaken":
        claims.attest, claims.origid = "B", UUID.upper()
    if ppt in ("div", "div-o"):
        claims.div.tn, claims.div.hi = "+1 215 555 1213", "1.2.1"
    if ppt == "div-o":
        claims.opt = signed(service, claims_of("shaken", service)).identity.split(";")[0]
    if ppt == "rph":
        claims.rph.auth.extend(["wps.0", "esnet.1", "ets.0"])
        claims.rph.sph = "psap-callback"
    if ppt in ("rcd", "shaken"):
        claims.rcd.nam, claims.rcd.apn, claims.rcd.crn = "Zoë \"Q\" Smith", "+1 215 555 1299", "délivery / \\"
        claims.rcd.icn, claims.rcd.jcd = "https://example.com/i.png", json.dumps(JCARD)
        for pointer in ("/jcd/1/2/3", "/icn", "/nam"):
            claims.rcd.rcdi.add(pointer=pointer, digest=DIGEST)
    if ppt != "shaken":
        claims.mky.add(alg="sha-256", dig=":".join(["ab"] * 32))
        claims.mky.add(alg="sha-1", dig="0f" * 20)
    if ppt == "msec":
        claims.other = '{"z":[1,{"b":null,"a":true}],"\\u0061":"\\/","msgi":"sha256-x"}'
    return claims


def request_of(claims, name="Alpha"):
    request = wire.sign_pb2.Request(id=number())
    request.sign.certificate = name
    request.sign.claims.CopyFrom(claims)
    return request


def signed(service, claims, name="Alpha"):
    answer = ask(service, request_of(claims, name))
    equal(answer.status, 0, answer.message)
    return answer.signed


def refused(service, request, status, *parts):
    answer = ask(service, request)
    equal((answer.id, answer.status), (request.id, wire.STATUS[status]), answer.message)
    for part in parts:
        contains(answer.message, part, "message")


def check(service, signed_, claims, leaf="leaf"):
    """It verifies, and is what the reference writes; the payload."""
    judged = reference.Judged(claims, int(time.time()), WINDOW)
    equal(judged.faults, [], "what the reference says of the claims")
    judged.payload["iat"] = judged.payload["iat"] or signed_.iat
    if "origid" in judged.payload:
        judged.payload["origid"] = judged.payload["origid"] or signed_.origid
    header, payload, _ = signed_.identity[:signed_.passport_length].split(".")
    equal(reference.decoded(payload).decode(), reference.written(judged.payload), "payload")
    equal(json.loads(reference.decoded(header)).get("ppt", ""), judged.ppt, "ppt in the header")
    assert passports.verifies(signed_.identity, passports.public_key(f"{service.lab}/{leaf}.pem"))
    return judged.payload


def secsipidx(service, identity):
    path = f"{service.base}/identity.txt"
    with open(path, "w") as out:
        out.write(identity)
    done = subprocess.run(
        ["secsipidx", "-check", "-fidentity", path, "-fpubkey", f"{service.lab}/leaf.pem", "-expire", "60",
         "-cert-verify", "13", "-ca-file", f"{service.lab}/root.pem", "-ca-inter", f"{service.lab}/ca.pem"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = done.stdout.strip()
    return done.returncode == 0 and said.endswith("ok") and not said.endswith("not-ok")


def verify(service, identity, *more, check=True, leaf="leaf"):
    return service.cli("verify", "--cert", f"{service.lab}/{leaf}-chain.pem", "--ca", f"{service.lab}/root.pem",
                       "--max-age", "60", *more, identity, check=check)


# ---- every type

@case
def every_type_is_signed_over_the_socket_with_all_claims_that_it_may_have(service):
    for ppt in TYPES:
        claims = claims_of(ppt, service)
        payload = check(service, signed(service, claims), claims)
        equal(payload["dest"], {"tn": ["12155551213", "12155551214"],
                                "uri": ["sip:alice@example.com", "sip:bob@example.com"]}, f"dest of {ppt}")


@case
def every_type_is_verified_by_the_command_and_refused_when_it_was_tampered_with(service):
    for ppt in TYPES:
        identity = signed(service, claims_of(ppt, service)).identity
        verify(service, identity)
        good = json.loads(verify(service, identity, "--json").stdout)
        equal((good["good"], good["signature"], good["chain"]), (True, "good", "trusted"), f"{ppt}: {good}")
        equal([finding["code"] for finding in good["findings"]], ["PPT-UNKNOWN"] if ppt == "msec" else [],
              f"findings of {ppt}")
        header, payload, rest = identity.split(".", 2)
        changed = reference.decoded(payload).replace(b"1212", b"1219")
        bad = verify(service, f"{header}.{reference.encoded(changed)}.{rest}", "--json", check=False)
        equal(bad.returncode, 1, f"{ppt}, tampered with")
        said = json.loads(bad.stdout)
        equal((said["good"], said["signature"], said["sip"]["code"]), (False, "bad", 438), f"{ppt}: {said}")


@case
def every_type_is_signed_by_the_command(service):
    files = {"opt": claims_of("div-o", service).opt, "jcd": json.dumps(JCARD), "claims": '{"b":1,"a":[2]}'}
    for name, text in files.items():
        with open(f"{service.base}/{name}", "w") as out:
            out.write(text)
        files[name] = f"{service.base}/{name}"
    mky = ("--mky", "sha-1:" + "0f" * 20)
    rich = ("--nam", "Zoë", "--apn", "+1 215 555 1299", "--crn", "délivery", "--jcd", files["jcd"],
            "--icn", "https://example.com/i.png", "--rcdi", f"/icn={DIGEST}", "--rcdi", f"/jcd/1/2/3={DIGEST}")
    options = {
        "base": mky, "shaken": ("--attest", "C", "--origid", UUID.upper(), *rich),
        "div": ("--div", "1-215-555-1213", "--hi", "1.1", *mky),
        "div-o": ("--div", "sip:x@example.com", "--opt", files["opt"], *mky),
        "rph": ("--rph", "ets.0,wps.1", "--rph", "esnet.0", "--sph", "psap-callback", *mky),
        "rcd": (*rich, *mky), "msec": ("--claims", files["claims"], *mky)}
    wanted = {
        "base": {}, "shaken": {"attest": "C", "origid": UUID}, "div": {"div": {"hi": "1.1", "tn": "12155551213"}},
        "div-o": {"div": {"uri": "sip:x@example.com"}, "opt": open(files["opt"]).read()},
        "rph": {"rph": {"auth": ["ets.0", "wps.1", "esnet.0"]}, "sph": "psap-callback"}, "rcd": {},
        "msec": {"a": [2], "b": 1}}
    for ppt in TYPES:
        done = service.cli("sign", "Alpha", "--ppt", ppt, "--orig", "+1 (215) 555-1212", "--dest",
                           "12155551214,1 215 555 1213", "--dest-uri", "sip:bob@example.com", *options[ppt], "--json")
        said = json.loads(done.stdout)
        identity = said["identity"]
        _, payload = passports.claims_of(identity)
        equal(payload["dest"], {"tn": ["12155551213", "12155551214"], "uri": ["sip:bob@example.com"]}, f"dest of {ppt}")
        for key, value in wanted[ppt].items():
            equal(payload[key], value, f"{key} of {ppt}")
        if ppt in ("shaken", "rcd"):
            equal((payload["rcd"], payload["crn"], payload["rcdi"]),
                  ({"apn": "12155551299", "icn": "https://example.com/i.png", "jcd": JCARD, "nam": "Zoë"}, "délivery",
                   {"/icn": DIGEST, "/jcd/1/2/3": DIGEST}), f"rich call data of {ppt}")
        if ppt != "shaken":
            equal(payload["mky"], [{"alg": "sha-1", "dig": "0F" * 20}], f"mky of {ppt}")
        equal(reference.written(payload), passports.decode(identity.split(".")[1]).decode(), f"canonical form of {ppt}")
        verify(service, identity)


@case
def secsipidx_accepts_shaken_passports_however_they_came(service):
    plain = claims_of("shaken", service)
    assert secsipidx(service, signed(service, plain).identity)
    plain.ClearField("rcd")
    header, payload = composed(service, plain)
    request = input_request(header, payload)
    answer = ask(service, request)
    equal(answer.status, 0, answer.message)
    assert secsipidx(service, answer.signed.identity)
    batch = wire.sign_pb2.Request(id=number())
    batch.batch.sign.append(request_of(plain).sign)
    assert secsipidx(service, ask(service, batch).batch.results[0].signed.identity)
    answer.signed.identity = answer.signed.identity.replace(payload_text(payload), payload_text(
        payload.replace('"attest":"B"', '"attest":"A"')))
    assert not secsipidx(service, answer.signed.identity)


def payload_text(payload):
    return reference.encoded(payload.encode())


@case
def the_inner_passport_of_a_div_o_is_whole_and_verifies(service):
    claims = claims_of("div-o", service)
    identity = signed(service, claims).identity
    _, payload = passports.claims_of(identity)
    key = passports.public_key(f"{service.lab}/leaf.pem")
    assert passports.verifies(payload["opt"], key) and passports.verifies(identity, key)
    equal(passports.claims_of(payload["opt"])[1]["attest"], "B", "the inner one's attest")


@case
def the_compact_form_verifies_when_its_claims_are_put_back(service):
    claims = claims_of("base", service)
    claims.compact = True
    answer = signed(service, claims)
    begin, payload, signature = answer.identity[:answer.passport_length].split(".")
    equal((begin, payload, len(signature)), ("", "", 86), "the compact form")
    judged = reference.Judged(claims, int(time.time()), WINDOW)
    judged.payload["iat"] = answer.iat
    whole = ".".join((reference.encoded(reference.written(reference.header_of("", service.x5u)).encode()),
                      payload_text(reference.written(judged.payload)), signature))
    assert passports.verifies(whole, passports.public_key(f"{service.lab}/leaf.pem"))
    options = ("--orig", "12155551212", "--dest", "12155551213,12155551214", "--dest-uri", "sip:alice@example.com",
               "--dest-uri", "sip:bob@example.com", "--mky", "sha-256:" + "AB" * 32, "--mky", "sha-1:" + "0F" * 20,
               "--iat", str(answer.iat))
    verify(service, answer.identity, *options)
    equal(verify(service, answer.identity, *options[:-1], str(answer.iat + 1), check=False).returncode, 1, "another iat")
    for ppt in TYPES[1:]:
        claims = claims_of(ppt, service)
        claims.compact = True
        refused(service, request_of(claims), "invalid", "compact: ")
    done = service.cli("sign", "Alpha", "--ppt", "base", "--compact", "--orig", "1", "--dest", "2")
    assert done.stdout.startswith("..") and "ppt=" not in done.stdout, done.stdout


@case
def an_origid_is_kept_in_lower_case_or_made_anew_each_time(service):
    claims = claims_of("shaken", service)
    equal(signed(service, claims).origid, UUID, "as given")
    claims.origid = ""
    made = {signed(service, claims).origid for _ in range(50)}
    equal(len(made), 50, "made ones")
    assert all(map(reference.is_uuid4, made)), made


@case
def iat_is_now_or_within_the_window(service):
    claims = claims_of("base", service)
    for off in (-WINDOW + 5, WINDOW - 5):
        claims.iat = int(time.time()) + off
        equal(signed(service, claims).iat, claims.iat, "as given")
    for off in (-WINDOW - 5, WINDOW + 5):
        claims.iat = int(time.time()) + off
        refused(service, request_of(claims), "invalid", "iat: ", f"more than {WINDOW} s from now")
    claims.iat = 0
    assert abs(signed(service, claims).iat - time.time()) < 5


@case
def longer_numbers_than_the_configuration_allows_are_refused_wherever_they_stand(service):
    for ppt in TYPES:
        claims = claims_of(ppt, service)
        claims.orig.tn = "1" * DIGITS
        check(service, signed(service, claims), claims)
        claims.orig.tn = "1" * (DIGITS + 1)
        refused(service, request_of(claims), "invalid", "orig.tn: ", str(DIGITS))
    claims = claims_of("base", service)
    claims.dest.tn.append("2" * (DIGITS + 1))
    refused(service, request_of(claims), "invalid", "dest.tn", str(DIGITS))
    claims = claims_of("div", service)
    claims.div.tn = "3" * (DIGITS + 1)
    refused(service, request_of(claims), "invalid", "div.tn: ", str(DIGITS))


# ---- batches

def batch_of(requests, whole):
    batch = wire.sign_pb2.Request(id=number())
    batch.batch.whole = whole
    for request in requests:
        batch.batch.sign.append(request.sign)
    return batch


def trail_of(service, name):
    return sum('"act":"sign"' in line and '"outcome":"ok"' in line and f'"name":"{name}"' in line
               for line in service.records())


@case
def a_diverted_call_gets_its_whole_chain_in_one_request(service):
    """A shaken and five div, each from where the one before went to."""
    shaken = wire.sign_pb2.Claims(ppt="shaken", attest="A")
    shaken.orig.tn = "12155551212"
    shaken.dest.tn.append("12155551300")
    chain = [shaken]
    for hop in range(1, 6):
        div = wire.sign_pb2.Claims(ppt="div")
        div.orig.tn = "12155551212"
        div.dest.tn.append(f"1215555130{hop}")
        div.div.tn = f"1215555130{hop - 1}"
        chain.append(div)
    answer = ask(service, batch_of(map(request_of, chain), True))
    equal((answer.status, len(answer.batch.results)), (0, 6), answer.message)
    payloads = [check(service, result.signed, claims) for result, claims in zip(answer.batch.results, chain)]
    for before, after in zip(payloads, payloads[1:]):
        equal([after["div"]["tn"]], before["dest"]["tn"], "the diverting party")
    for result in answer.batch.results:
        verify(service, result.signed.identity)


@case
def of_a_whole_batch_all_are_signed_or_none(service):
    good = [request_of(claims_of(ppt, service), "Batch") for ppt in TYPES]
    answer = ask(service, batch_of(good, True))
    equal((answer.status, [result.status for result in answer.batch.results]), (0, [0] * len(good)), answer.message)
    before = trail_of(service, "Batch")
    spoilt = claims_of("shaken", service)
    spoilt.attest = "D"
    late = claims_of("base", service)
    late.iat = int(time.time()) + 2 * WINDOW
    for bad, status, message in (
            (request_of(spoilt, "Batch"), "invalid", "sign[3]: attest: "), (request_of(late), "invalid", "sign[3]: iat: "),
            (request_of(claims_of("base", service), "Nobody"), "unknown-name", "sign[3]: certificate Nobody: "),
            (request_of(claims_of("base", service), "Retired"), "not-active", "sign[3]: certificate Retired: "),
            (request_of(claims_of("rph", service), "Base-only"), "not-permitted", "sign[3]: grant base-only: ppt rph")):
        batch = batch_of(good[:3] + [bad] + good[3:], True)
        answer = ask(service, batch)
        equal((answer.id, answer.status), (batch.id, wire.STATUS[status]), answer.message)
        assert answer.message.startswith(message), answer.message
        assert not answer.HasField("batch")
    time.sleep(0.2)
    equal(trail_of(service, "Batch"), before, "signatures in the trail")


@case
def of_another_batch_each_has_its_own_answer_in_the_order_of_the_request(service):
    requests = [request_of(claims_of(ppt, service), name) for ppt, name in
                (("base", "Alpha"), ("shaken", "Batch"), ("rph", "Base-only"), ("div", "Nobody"), ("rcd", "Alpha"),
                 ("msec", "Retired"), ("base", "Base-only"))]
    requests[4].sign.claims.rcd.nam = "\n"
    answer = ask(service, batch_of(requests, False))
    equal(answer.status, 0, answer.message)
    equal([result.status for result in answer.batch.results],
          [wire.STATUS[name] for name in ("ok", "ok", "not-permitted", "unknown-name", "invalid", "not-active", "ok")],
          [result.message for result in answer.batch.results])
    for place, leaf in ((0, "leaf"), (1, "batch"), (6, "base-only")):
        check(service, answer.batch.results[place].signed, requests[place].sign.claims, leaf)
    for place, part in ((2, "grant base-only: ppt rph"), (3, "certificate Nobody"), (4, "rcd.nam: "), (5, "Retired")):
        contains(answer.batch.results[place].message, part, "message")
        assert not answer.batch.results[place].HasField("signed")


@case
def a_batch_has_one_to_sixty_four(service):
    one = request_of(claims_of("base", service))
    for whole in (False, True):
        for count in (1, 64):
            answer = ask(service, batch_of([one] * count, whole))
            equal((answer.status, len(answer.batch.results)), (0, count), answer.message)
        refused(service, batch_of([], whole), "invalid", "batch")
        refused(service, batch_of([one] * 65, whole), "too-large", "batch", "64")


@case
def a_batch_whose_answer_would_be_too_long_is_refused_before_it_is_signed(service):
    long = claims_of("msec", service)
    long.other = json.dumps({"a": "x" * 12000})
    before = len(service.records())
    for whole in (False, True):
        refused(service, batch_of([request_of(long)] * 5, whole), "too-large", "batch")
    answer = ask(service, batch_of([request_of(long)] * 3, True))
    equal((answer.status, len(answer.batch.results)), (0, 3), answer.message)
    acts = [json.loads(line)["act"] for line in service.records()[before:]]
    equal(acts.count("sign"), 3, "signatures in the trail")


@case
def the_command_signs_a_batch(service):
    lines = [{"name": "Alpha", "attest": "A", "orig": {"tn": "12155551212"}, "dest": {"tn": ["12155551213"]}},
             {"ppt": "div", "orig": {"tn": "12155551212"}, "dest": {"tn": "12155551214"}, "div": {"tn": "12155551213"}},
             {"ppt": "base", "name": "Batch", "orig": {"uri": "sip:a@b"}, "dest": {"uri": ["sip:c@d"]}}]
    path = f"{service.base}/batch"
    with open(path, "w") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    done = service.cli("sign", "Alpha", "--batch", path)
    equal(len(done.stdout.splitlines()), 3, done.stdout)
    for identity, leaf in zip(done.stdout.splitlines(), ("leaf", "leaf", "batch")):
        verify(service, identity, leaf=leaf)
    with open(path, "a") as out:
        out.write(json.dumps({**lines[0], "attest": "D"}) + "\n")
    done = service.cli("sign", "Alpha", "--batch", path, check=False)
    equal((done.returncode, len(done.stdout.splitlines())), (1, 4), done.stdout)
    contains(done.stdout.splitlines()[3], "attest", "the last line")
    before = len(service.records())
    done = service.cli("sign", "Alpha", "--batch", path, "--whole", check=False)
    equal((done.returncode, done.stdout), (1, ""), done.stderr)
    contains(done.stderr, "line 4", "what is told")
    time.sleep(0.2)
    assert all('"act":"sign"' not in line for line in service.records()[before:]), "something was signed"


# ---- finished headers and payloads

def composed(service, claims):
    """As somebody else composes it, by the reference."""
    judged = reference.Judged(claims, int(time.time()), WINDOW)
    equal(judged.faults, [], "claims")
    judged.payload["iat"] = judged.payload["iat"] or int(time.time())
    return (reference.written(reference.header_of(judged.ppt, service.x5u)), reference.written(judged.payload))


def input_request(header, payload, name="Alpha"):
    request = wire.sign_pb2.Request(id=number())
    request.sign.certificate = name
    request.sign.input.header, request.sign.input.payload = header, payload
    return request


@case
def a_finished_header_and_payload_of_every_type_are_signed_as_they_are(service):
    for ppt in TYPES:
        header, payload = composed(service, claims_of(ppt, service))
        answer = ask(service, input_request(header, payload))
        equal(answer.status, 0, answer.message)
        parts = answer.signed.identity[:answer.signed.passport_length].split(".")
        equal(parts[:2], [payload_text(header), payload_text(payload)], f"header and payload of {ppt}")
        assert passports.verifies(answer.signed.identity, passports.public_key(f"{service.lab}/leaf.pem"))
        with open(f"{service.base}/header", "w") as out:
            out.write(header)
        with open(f"{service.base}/payload", "w") as out:
            out.write(payload)
        done = service.cli("sign", "Alpha", "--header", f"{service.base}/header", "--payload", f"{service.base}/payload")
        equal(done.stdout.split(".")[:2], parts[:2], f"{ppt} by the command")


@case
def every_fault_of_a_finished_header_or_payload_is_refused(service):
    good_header, good_payload = composed(service, claims_of("shaken", service))
    equal(ask(service, input_request(good_header, good_payload)).status, 0, "the good one")

    def header(**changes):
        value = {**json.loads(good_header), **changes}
        return reference.written({key: text for key, text in value.items() if text is not ...})

    def payload(**changes):
        value = {**json.loads(good_payload), **changes}
        return json.dumps({key: text for key, text in value.items() if text is not ...}, ensure_ascii=False,
                          separators=(",", ":"), sort_keys=True)

    now = int(time.time())
    for bad_header, bad_payload, part in (
            # of the header
            (header(x5u="https://certs.example.com/x.pem"), good_payload, "header.x5u: "),
            (header(x5u=...), good_payload, "header"), (header(alg="none"), good_payload, "header"),
            (header(alg="ES384"), good_payload, "header"), (header(typ="JWT"), good_payload, "header"),
            (header(typ=...), good_payload, "header"), (header(ppt=...), good_payload, ""),
            (header(ppt="div"), good_payload, ""), (header(kid="1"), good_payload, "header"),
            (header(crit=["x"]), good_payload, "header"), (header(alg=1), good_payload, "header"),
            (good_header.replace(":", ": ", 1), good_payload, "header: byte 8 "), (" " + good_header, good_payload, "header: byte 1 "),
            (good_header + "\n", good_payload, "header: byte "), (good_header.replace("/", "\\/"), good_payload, "header: byte "),
            ("[]", good_payload, "header"), ("", good_payload, "input.header"), ("{", good_payload, "header"),
            # of the payload: form
            (good_header, good_payload.replace(",", ", ", 1), "payload: byte "), (good_header, good_payload + " ", "payload: byte "),
            (good_header, good_payload.replace("1215", "\\u0031215", 1), "payload: byte "),
            (good_header, '{"orig":{"tn":"12155551212"},' + good_payload[1:].replace(',"orig":{"tn":"12155551212"}', ""), "payload: byte 3 "),
            (good_header, good_payload[:-1] + ',"iat":1}', "payload"), (good_header, "[" + good_payload + "]", "payload"),
            (good_header, "", "input.payload"), (good_header, good_payload[:-1], "payload"), (good_header, "null", "payload"),
            # of the payload: claims
            (good_header, payload(attest="D"), "attest: "), (good_header, payload(attest=...), "attest: "), (good_header, payload(attest=["A"]), "attest"),
            (good_header, payload(origid=...), "origid: "), (good_header, payload(origid="x"), "origid: "), (good_header, payload(origid=UUID.upper()), "payload: byte "),
            (good_header, payload(iat=...), "iat: "), (good_header, payload(iat=str(now)), "iat"), (good_header, payload(iat=0), "iat: "),
            (good_header, payload(iat=now + 2 * WINDOW), "iat: "), (good_header, payload(iat=now - 2 * WINDOW), "iat: "), (good_header, payload(iat=float(now)), "payload"),
            (good_header, payload(dest="12155551213"), "dest"), (good_header, payload(dest={"tn": "12155551213"}), "dest"), (good_header, payload(dest={"tn": []}), "dest"),
            (good_header, payload(dest={"tn": ["2", "1"]}), "payload: byte "), (good_header, payload(dest={"tn": ["1", "1"]}), "payload: byte "),
            (good_header, payload(dest={"tn": ["+1"]}), "payload: byte "), (good_header, payload(dest=...), "dest: "), (good_header, payload(orig=...), "orig: "),
            (good_header, payload(orig={"tn": ["1"]}), "orig"), (good_header, payload(orig={"tn": "1", "uri": "sip:a@b"}), "orig: "), (good_header, payload(orig={"tn": "1x"}), "orig.tn: "),
            (good_header, payload(orig={"tn": "1", "x": "1"}), "orig"), (good_header, payload(exp=now), "payload"), (good_header, payload(mky=[{"alg": "sha-1", "dig": "0F" * 20}]), "mky: "),
            (good_header, payload(div={"tn": "1"}), "div: "), (good_header, payload(orig={"tn": "1" * (DIGITS + 1)}), "orig.tn: ")):
        refused(service, input_request(bad_header, bad_payload), "invalid", part)
    for ppt in ("base", "other", "Shaken", "x" * 17, "1"):
        refused(service, input_request(header(ppt=ppt), good_payload), "unsupported", "ppt: ")


@case
def a_request_has_claims_or_a_finished_header_and_payload(service):
    request = request_of(claims_of("shaken", service))
    request.sign.input.header, request.sign.input.payload = composed(service, claims_of("shaken", service))
    refused(service, request, "invalid", "input")
    request = wire.sign_pb2.Request(id=number())
    request.sign.certificate = "Alpha"
    refused(service, request, "invalid", "claims")
    refused(service, input_request(*composed(service, claims_of("shaken", service)), name="Batch"), "invalid", "header.x5u: ")


# ---- certificates

@case
def a_certificate_signs_no_more_from_the_second_after_its_end(service):
    issuer = Issuer(service.lab)
    issuer.files(issuer.leaf(seconds=6), "brief")
    service.import_leaf("Brief", "brief")
    request = request_of(claims_of("shaken", service), "Brief")
    end = passports.certificate(f"{service.lab}/brief.pem").not_valid_after.replace(tzinfo=datetime.timezone.utc)
    while True:
        before = time.time()
        answer = ask(service, request)
        if answer.status != 0:
            break
        assert before < end.timestamp() + 1, "signed after its end"
        time.sleep(0.02)
    equal(answer.status, wire.STATUS["cert-expired"], answer.message)
    contains(answer.message, "certificate Brief: expired", "message")
    assert time.time() >= end.timestamp(), "refused before its end"
    refused(service, batch_of([request_of(claims_of("base", service)), request], True), "cert-expired", "sign[1]: ")
    done = service.cli("sign", "Brief", "--orig", "1", "--dest", "2", "--attest", "A", check=False)
    equal(done.returncode, 1, done.stdout)
    contains(done.stderr, "expired", "the command")


@case
def a_tnauthlist_is_written_and_read_as_its_vectors_are(service):
    vectors = {"616H": "3008a006160436313648", "1234": "3008a006160431323334"}
    for spc, vector in vectors.items():
        out = f"{service.base}/{spc}.csr"
        service.cli("generate", f"Spc-{spc}", "--spc", spc, "--csr-out", out)
        with open(out, "rb") as file:
            request = x509.load_pem_x509_csr(file.read())
        value = request.extensions.get_extension_for_oid(limits_of.TNAUTHLIST).value.value
        equal(value.hex(), vector, f"TNAuthList of {spc}")
        equal(request.subject.rfc4514_string(), f"CN=SHAKEN {spc}", "subject")
        issuer = Issuer(service.lab)
        extension = limits_of.tnauthlist(spc)
        equal(extension.value.hex(), vector, "by hand")
        issuer.files(issuer.leaf(own=[extension]), f"spc-{spc}")
        service.import_leaf(f"Spc-{spc}-read", f"spc-{spc}")
        shown = json.loads(service.cli("show", f"Spc-{spc}-read", "--json").stdout)
        equal(shown["generations"][0]["spc"], spc, "what is read")


@case
def what_is_published_is_certificates_and_nothing_else(service):
    served = f"{service.base}/served"
    os.mkdir(served)
    service.cli("publish", "--dir", served)
    found = [f"{path}/{name}" for path, _, names in os.walk(served) for name in names]
    assert len(found) >= 3, found
    for path in found:
        with open(path) as file:
            lines = file.read().splitlines()
        equal({line for line in lines if line.startswith("-----")},
              {"-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"}, path)
        assert all(line.startswith("-----") or re.fullmatch("[A-Za-z0-9+/=]+", line) for line in lines), path


@case
def the_trail_has_each_with_its_type_and_verifies(service):
    kinds = {json.loads(line).get("ppt") for line in service.records() if '"act":"sign"' in line}
    equal(kinds, set(TYPES), "types in the trail")
    record = next(json.loads(line) for line in reversed(service.records()) if '"ppt":"div"' in line and '"act":"sign"' in line)
    equal(record["orig"], "12155551212", "orig of a div")
    service.cli("audit", "verify", service.audit)


if __name__ == "__main__":
    GRANTS = (f"[grant all]\nuser = {os.geteuid()}\ncertificates = Alpha, Batch, Brief, Nobody, Retired\nppt = {', '.join(TYPES)}\n"
              f"attest = A, B, C\nsign-input = yes\n[grant base-only]\nuser = {os.geteuid()}\ncertificates = Base-only\nppt = base\n")
    with Service(grants=GRANTS, extra={"signing": {
            "tn-digits": str(DIGITS), "deadline-ms": "10000",
            "x5u-template": "https://certs.example.com/{name}/{fingerprint}.pem"}}) as the_service:
        the_service.start()
        the_service.import_leaf()
        the_service.make_chain("709J", "batch", "base-only", "retired")
        for the_name, the_leaf in (("Batch", "batch"), ("Base-only", "base-only"), ("Retired", "retired")):
            the_service.import_leaf(the_name, the_leaf)
        the_service.cli("retire", "Retired")
        the_service.x5u = json.loads(the_service.cli("show", "Alpha", "--json").stdout)["generations"][0]["x5u"]
        run(service=the_service)
