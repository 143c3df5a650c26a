# SPDX-License-Identifier: BSD-2-Clause
"""A header and a payload that somebody else composed: signed as they are, or refused."""
import json
import time

import passports
import wire
from peers import ask, number
from tap import case, equal, run
from typed import (
    DIGITS, TYPES, UUID, WINDOW, claims_of, composed, input_request, payload_text, refused,
    request_of, start)


@case
def a_finished_header_and_payload_of_every_type_are_signed_as_they_are(service):
    key = passports.public_key(f"{service.lab}/leaf.pem")
    for ppt in TYPES:
        texts = composed(service, claims_of(ppt, service))
        answer = ask(service, input_request(*texts))
        equal(answer.status, 0, answer.message)
        parts = answer.signed.identity[:answer.signed.passport_length].split(".")
        equal(parts[:2], [payload_text(text) for text in texts], f"header and payload of {ppt}")
        assert passports.verifies(answer.signed.identity, key)
        files = [f"{service.base}/header", f"{service.base}/payload"]
        for path, text in zip(files, texts):
            with open(path, "w") as out:
                out.write(text)
        done = service.cli("sign", "Alpha", "--header", files[0], "--payload", files[1])
        equal(done.stdout.split(".")[:2], parts[:2], f"{ppt} by the command")


class Changed:
    """A good header and payload, and what becomes of them when something in them is another."""

    def __init__(self, header, payload):
        self.header_text, self.payload_text = header, payload

    @staticmethod
    def changed(text, changes):
        """`...` takes a key away."""
        value = {**json.loads(text), **changes}
        return json.dumps({key: one for key, one in value.items() if one is not ...},
                          ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    def header(self, **changes):
        return self.changed(self.header_text, changes)

    def payload(self, **changes):
        return self.changed(self.payload_text, changes)


def bad_headers(good):
    """(header, how the refusal begins)"""
    text = good.header_text
    yield good.header(x5u="https://certs.example.com/x.pem"), "header.x5u: "
    for changes in ({"x5u": ...}, {"alg": "none"}, {"alg": "ES384"}, {"alg": 1}, {"alg": ...},
                    {"typ": "JWT"}, {"typ": ...}, {"kid": "1"}, {"crit": ["x"]}):
        yield good.header(**changes), "header: "
    # Of another type the payload's claims are none.
    for changes in ({"ppt": ...}, {"ppt": "div"}):
        yield good.header(**changes), "attest: not allowed in a PASSporT of type "
    yield text.replace(":", ": ", 1), "header: byte 8 "
    yield " " + text, "header: byte 1 "
    yield text + "\n", "header: byte "
    yield text.replace("/", "\\/"), "header: byte "
    for bad in ("[]", "{", "null", '"x"'):
        yield bad, "header: "
    yield "", "input.header: "


def bad_payloads(good, now):
    """(payload, how the refusal begins)"""
    text, orig = good.payload_text, '"orig":{"tn":"12155551212"}'
    # its form
    yield text.replace(",", ", ", 1), "payload: byte "
    yield text + " ", "payload: byte "
    yield text.replace("1215", "\\u0031215", 1), "payload: byte "
    yield "{" + orig + "," + text[1:].replace("," + orig, ""), "payload: byte 3 "
    for bad in (text[:-1] + ',"iat":1}', "[" + text + "]", text[:-1], "null"):
        yield bad, "payload: "
    yield "", "input.payload: "
    # its claims, each by itself
    for changes, begin in (
            ({"attest": "D"}, "attest: "), ({"attest": ...}, "attest: "),
            ({"attest": ["A"]}, "attest: "), ({"origid": ...}, "origid: "),
            ({"origid": "x"}, "origid: "), ({"origid": UUID.upper()}, "payload: byte "),
            ({"iat": ...}, "iat: "), ({"iat": str(now)}, "iat: "), ({"iat": 0}, "iat: "),
            ({"iat": now + 2 * WINDOW}, "iat: "), ({"iat": now - 2 * WINDOW}, "iat: "),
            ({"iat": float(now)}, "payload: "), ({"dest": ...}, "dest: "),
            ({"dest": "12155551213"}, "dest: "), ({"dest": {"tn": "12155551213"}}, "dest.tn: "),
            ({"dest": {"tn": []}}, "dest.tn: "), ({"dest": {"tn": ["2", "1"]}}, "payload: byte "),
            ({"dest": {"tn": ["1", "1"]}}, "payload: byte "),
            ({"dest": {"tn": ["+1"]}}, "payload: byte "), ({"orig": ...}, "orig: "),
            ({"orig": {"tn": ["1"]}}, "orig.tn: "), ({"orig": {"tn": "1x"}}, "orig.tn: "),
            ({"orig": {"tn": "1", "uri": "sip:a@b"}}, "orig: "),
            ({"orig": {"tn": "1", "x": "1"}}, "orig: "),
            ({"orig": {"tn": "1" * (DIGITS + 1)}}, "orig.tn: "),
            ({"mky": [{"alg": "sha-1", "dig": "0F" * 20}]}, "mky: "),
            ({"div": {"tn": "1"}}, "div: "), ({"exp": now}, "payload: ")):
        yield good.payload(**changes), begin


@case
def every_fault_of_a_finished_header_or_payload_is_refused(service):
    good = Changed(*composed(service, claims_of("shaken", service)))
    equal(ask(service, input_request(good.header(), good.payload())).status, 0, "the good one")
    for header, begin in bad_headers(good):
        refused_by(service, input_request(header, good.payload_text), begin)
    for payload, begin in bad_payloads(good, int(time.time())):
        refused_by(service, input_request(good.header_text, payload), begin)
    for ppt in ("base", "other", "Shaken", "x" * 17, "1"):
        refused_by(service, input_request(good.header(ppt=ppt), good.payload_text), "ppt: ",
                   "unsupported")


def refused_by(service, request, begin, status="invalid"):
    answer = ask(service, request)
    what = f"{answer.message!r} of {request.sign.input}"
    equal((answer.id, answer.status), (request.id, wire.STATUS[status]), what)
    assert answer.message.startswith(begin), what


@case
def a_request_has_claims_or_a_finished_header_and_payload(service):
    request = request_of(claims_of("shaken", service))
    request.sign.input.header, request.sign.input.payload = composed(
        service, claims_of("shaken", service))
    refused(service, request, "invalid", "input")
    request = wire.sign_pb2.Request(id=number())
    request.sign.certificate = "Alpha"
    refused(service, request, "invalid", "claims")
    other = input_request(*composed(service, claims_of("shaken", service)), name="Batch")
    refused(service, other, "invalid", "header.x5u: ")


if __name__ == "__main__":
    with start("batch") as the_service:
        run(service=the_service)
