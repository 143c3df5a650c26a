# SPDX-License-Identifier: BSD-2-Clause
"""Every PASSporT type over the socket and by the commands, and what holds for all of them."""
import datetime
import json
import os
import re
import time

import limits_of
import passports
import reference
import wire
from cryptography import x509
from leaves import Issuer
from peers import ask, number
from tap import case, contains, equal, run
from typed import (
    DIGEST, DIGITS, JCARD, TYPES, UUID, WINDOW, batch_of, check, claims_of, composed,
    input_request, payload_text, refused, request_of, secsipidx, signed, start, verify)


@case
def every_type_is_signed_over_the_socket_with_all_claims_that_it_may_have(service):
    for ppt in TYPES:
        claims = claims_of(ppt, service)
        payload = check(service, signed(service, claims), claims)
        equal(payload["dest"], {"tn": ["12155551213", "12155551214"],
                                "uri": ["sip:alice@example.com", "sip:bob@example.com"]}, ppt)


@case
def every_type_is_verified_by_the_command_and_refused_when_it_was_tampered_with(service):
    for ppt in TYPES:
        identity = signed(service, claims_of(ppt, service)).identity
        verify(service, identity)
        good = json.loads(verify(service, identity, "--json").stdout)
        equal((good["good"], good["signature"], good["chain"]), (True, "good", "trusted"), ppt)
        equal([finding["code"] for finding in good["findings"]],
              ["PPT-UNKNOWN"] if ppt == "msec" else [], f"findings of {ppt}")
        header, payload, rest = identity.split(".", 2)
        changed = reference.encoded(reference.decoded(payload).replace(b"1212", b"1219"))
        bad = verify(service, f"{header}.{changed}.{rest}", "--json", check=False)
        equal(bad.returncode, 1, f"{ppt}, tampered with")
        said = json.loads(bad.stdout)
        equal((said["good"], said["signature"], said["sip"]["code"]), (False, "bad", 438), ppt)


def options_of(service):
    """{type: (options of the command, claims that have to come of them)}"""
    texts = {"opt": claims_of("div-o", service).opt, "jcd": json.dumps(JCARD),
             "claims": '{"b":1,"a":[2]}'}
    files = {name: f"{service.base}/{name}" for name in texts}
    for name, text in texts.items():
        with open(files[name], "w") as out:
            out.write(text)
    rich = ("--nam", "Zoë", "--apn", "+1 215 555 1299", "--icn", "https://example.com/i.png",
            "--jcd", files["jcd"], "--crn", "délivery", "--rcdi", f"/icn={DIGEST}",
            "--rcdi", f"/jcd/1/2/3={DIGEST}")
    rich_claims = {"rcd": {"apn": "12155551299", "icn": "https://example.com/i.png",
                           "jcd": JCARD, "nam": "Zoë"},
                   "crn": "délivery", "rcdi": {"/icn": DIGEST, "/jcd/1/2/3": DIGEST}}
    found = {
        "base": ((), {}),
        "div": (("--div", "1-215-555-1213", "--hi", "1.1"),
                {"div": {"hi": "1.1", "tn": "12155551213"}}),
        "div-o": (("--div", "sip:x@example.com", "--opt", files["opt"]),
                  {"div": {"uri": "sip:x@example.com"}, "opt": texts["opt"]}),
        "rph": (("--rph", "ets.0,wps.1", "--rph", "esnet.0", "--sph", "psap-callback"),
                {"rph": {"auth": ["ets.0", "wps.1", "esnet.0"]}, "sph": "psap-callback"}),
        "rcd": (rich, rich_claims),
        "msec": (("--claims", files["claims"]), {"a": [2], "b": 1})}
    mky = ("--mky", "sha-1:" + "0f" * 20)
    mky_claims = {"mky": [{"alg": "sha-1", "dig": "0F" * 20}]}
    found = {ppt: ((*options, *mky), {**claims, **mky_claims})
             for ppt, (options, claims) in found.items()}
    found["shaken"] = (("--attest", "C", "--origid", UUID.upper(), *rich),
                       {"attest": "C", "origid": UUID, **rich_claims})
    return found


@case
def every_type_is_signed_by_the_command(service):
    common = {"orig": {"tn": "12155551212"},
              "dest": {"tn": ["12155551213", "12155551214"], "uri": ["sip:bob@example.com"]}}
    for ppt, (options, claims) in options_of(service).items():
        done = service.cli("sign", "Alpha", "--ppt", ppt, "--orig", "+1 (215) 555-1212", "--dest",
                           "12155551214,1 215 555 1213", "--dest-uri", "sip:bob@example.com",
                           *options, "--json")
        said = json.loads(done.stdout)
        text = passports.decode(said["identity"].split(".")[1]).decode()
        equal(text, reference.written({**common, **claims, "iat": said["iat"]}), ppt)
        verify(service, said["identity"])


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
    header = reference.written(reference.header_of("", service.x5u))
    whole = ".".join((payload_text(header), payload_text(reference.written(judged.payload)),
                      signature))
    assert passports.verifies(whole, passports.public_key(f"{service.lab}/leaf.pem"))
    options = ("--orig", "12155551212", "--dest", "12155551213,12155551214",
               "--dest-uri", "sip:alice@example.com", "--dest-uri", "sip:bob@example.com",
               "--mky", "sha-256:" + "AB" * 32, "--mky", "sha-1:" + "0F" * 20, "--iat")
    verify(service, answer.identity, *options, str(answer.iat))
    done = verify(service, answer.identity, *options, str(answer.iat + 1), check=False)
    equal(done.returncode, 1, "another iat")
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


# ---- certificates

@case
def a_certificate_signs_no_more_from_the_second_after_its_end(service):
    issuer = Issuer(service.lab)
    issuer.files(issuer.leaf(seconds=6), "brief")
    service.import_leaf("Brief", "brief")
    request = request_of(claims_of("shaken", service), "Brief")
    end = passports.certificate(f"{service.lab}/brief.pem").not_valid_after
    end = end.replace(tzinfo=datetime.timezone.utc).timestamp()
    while True:
        before = time.time()
        answer = ask(service, request)
        if answer.status != 0:
            break
        assert before < end + 1, "signed after its end"
        time.sleep(0.02)
    equal(answer.status, wire.STATUS["cert-expired"], answer.message)
    contains(answer.message, "certificate Brief: expired", "message")
    assert time.time() >= end, "refused before its end"
    batch = batch_of([request_of(claims_of("base", service)), request], True)
    refused(service, batch, "cert-expired", "sign[1]: ")
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
        assert all(re.fullmatch("-----.*|[A-Za-z0-9+/=]+", line) for line in lines), path


@case
def the_trail_has_each_with_its_type_and_verifies(service):
    kinds = {json.loads(line).get("ppt") for line in service.records() if '"act":"sign"' in line}
    equal(kinds, set(TYPES), "types in the trail")
    service.cli("audit", "verify", service.audit)


if __name__ == "__main__":
    with start("batch", "gamma") as the_service:
        run(service=the_service)
