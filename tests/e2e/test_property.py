# SPDX-License-Identifier: BSD-2-Clause
"""Whatever claims are asked for: they are refused by the name of a field that is at fault, or
signed as the reference writes them.

    test_property.py [COUNT [SEED]]     COUNT claims sets (default 5000); the seed is printed

The reference (reference.py) judges each request by itself, so that both a signature over what is
not allowed and a refusal of what is allowed are failures.
"""
import collections
import itertools
import json
import os
import random
import struct
import sys
import time

import passports
import reference
import wire
from stirkeep import Service
from tap import case, contains, equal, note, run
from wild import OTHER_PPTS, Wild

COUNT = int(sys.argv[1]) if len(sys.argv) > 1 else 5000
SEED = int(sys.argv[2]) if len(sys.argv) > 2 else random.SystemRandom().randrange(1 << 32)
WINDOW = 86400  # seconds that iat may be off
UNDER_WAY = 65536  # bytes of requests; what is sent beyond what is read waits in both directions
BATCH_MAX = 64
ROOM = 20000  # bytes of claims in a batch whose answer certainly fits
JSON_NODES = 1000  # a JSON text of more values may be too much for the service's memory

STATUS = {0: "signed", 1: "invalid", 3: "too large", 4: "not permitted", 27: "unsupported"}
BAD_UTF_8 = (b"\xff", b"\x80", b"\xc3", b"\xc0\xaf", b"\xe0\x80\xaf", b"\xed\xa0\x80",
             b"\xed\xbf\xbf", b"\xf0\x80\x80\xaf", b"\xf4\x90\x80\x80",
             b"\xf8\x88\x80\x80\x80", b"\xe2\x28\xa1", b"\xf0\x9f\x98", b"\0")
INPUTS = 0.15  # so many are a header and payload that were composed here
FIELDS = {*reference.OWN_CLAIMS, "other", "compact", "ppt", "claims", "header", "payload", "input"}


SHOWN = 5  # of what is wrong


class Wrong(AssertionError):
    pass


def texts_of(message):
    """Every text in it, as (path, text)."""
    for field, value in message.ListFields():
        repeated = field.label == field.LABEL_REPEATED
        for one in value if repeated else [value]:
            if field.type == field.TYPE_MESSAGE:
                for path, text in texts_of(one):
                    yield f"{field.name}.{path}", text
            elif field.type == field.TYPE_STRING:
                yield field.name, one


class Asked:
    """Claims, or a header and payload; and what the reference says of them."""

    def __init__(self, wild, x5u, claims=None):
        self.claims = claims or wild.claims()
        self.judged = reference.Judged(self.claims, wild.now, WINDOW)
        self.input = None
        may = claims is None and not self.judged.faults and not self.claims.compact
        if may and wild.chance(INPUTS):
            self.compose(wild, x5u)

    def compose(self, wild, x5u):
        payload = dict(self.judged.payload)
        payload["iat"] = payload["iat"] or wild.now
        if "origid" in payload:
            payload["origid"] = payload["origid"] or wild.uuid().lower()
        self.input = wild.bend(reference.written(reference.header_of(self.judged.ppt, x5u)),
                               reference.written(payload))
        self.claims = wire.sign_pb2.Claims()
        self.legal_input = reference.input_is_legal(*self.input, x5u, self.claims, wild.now, WINDOW)
        self.judged = reference.Judged(self.claims, wild.now, WINDOW)

    @property
    def legal(self):
        return self.legal_input if self.input else not self.judged.faults

    @property
    def granted(self):
        return self.claims.ppt in ("", *reference.TYPED, *OTHER_PPTS)

    def byte_size(self):
        if self.input:
            return sum(len(text.encode()) for text in self.input)
        return self.claims.ByteSize()

    @property
    def nul_at(self):
        """Paths of texts with a NUL: such a message is refused as a whole."""
        sign = wire.sign_pb2.SignRequest()
        self.fill(sign)
        return [path for path, text in texts_of(sign) if "\0" in text]

    def fill(self, sign):
        sign.certificate = "Alpha"
        if self.input:
            sign.input.header, sign.input.payload = self.input
        else:
            sign.claims.CopyFrom(self.claims)

    def is_named(self, message):
        if self.input:  # where exactly, the service may see in another way
            return message.split(":")[0].split(".")[0].split("[")[0] in FIELDS
        return self.judged.is_named(message)

    def __str__(self):
        return f"{self.input}" if self.input else f"{self.claims}"


class Bench:
    """Sends requests of one to 64 claims sets and holds every answer against the reference."""

    def __init__(self, service):
        self.service = service
        self.key = passports.public_key(f"{service.lab}/leaf.pem")
        self.count = collections.Counter()
        self.wrong = []
        self.before = 0
        self.numbers = itertools.count(1)
        self.random = random.Random(SEED)
        self.wild = Wild(self.random, int(time.time()), WINDOW)

    def requests(self, count):
        """(request, what was asked in it)"""
        while count > 0:
            size = min(count, self.random.choice((1, 1, 1, 1, 2, 5, 20, BATCH_MAX)))
            self.wild.now = int(time.time())
            asked = [Asked(self.wild, self.service.x5u) for _ in range(size)]
            if size > 1 and self.random.random() < 0.1:  # for a batch that is signed as a whole
                asked = [one for one in asked if one.legal and one.granted] or asked
            count -= len(asked)
            alone = [one for one in asked if one.nul_at]
            together = [one for one in asked if one not in alone]
            for group in ([one] for one in alone):
                yield self.request(group), group
            for group in self.groups(together):
                yield self.request(group), group

    def groups(self, asked):
        """So that each fits into a message, and its answer too."""
        if len(asked) > 1 and sum(one.byte_size() for one in asked) > ROOM:
            half = len(asked) // 2
            yield from self.groups(asked[:half])
            yield from self.groups(asked[half:])
        elif asked:
            yield asked

    def request(self, asked):
        request = wire.sign_pb2.Request(id=next(self.numbers))
        if len(asked) == 1 and self.random.random() < 0.9:
            asked[0].fill(request.sign)
            return request
        request.batch.whole = self.random.random() < 0.2
        for one in asked:
            one.fill(request.batch.sign.add())
        return request

    def catalogue(self):
        """(request, what was asked in it) for each that is asked for whatever the dice say."""
        for claims in self.wild.catalogue():
            one = Asked(self.wild, self.service.x5u, claims)
            yield self.request([one]), [one]

    def ask(self, requests):
        waiting = {}
        with wire.Connection(self.service.sign_socket, timeout=30) as connection:
            while True:
                for request, asked in requests:
                    assert request.id not in waiting
                    waiting[request.id] = (request, asked)
                    connection.send(request)
                    if sum(request.ByteSize() for request, _ in waiting.values()) >= UNDER_WAY:
                        break
                if not waiting:
                    return
                answer = connection.receive()
                assert answer is not None, "the service has closed the connection"
                self.judge(answer, *waiting.pop(answer.id))

    def signed(self):
        """Signatures in the trail."""
        records = map(json.loads, self.service.records())
        return sum(record["act"] == "sign" and record["outcome"] == "ok" for record in records)

    def check(self):
        wrong, self.wrong = self.wrong, []
        assert not wrong, f"{len(wrong)} are wrong:\n" + "\n".join(wrong[:SHOWN])

    # ---- judging

    def judge(self, answer, request, asked):
        self.count["requests"] += 1
        self.count["claims sets"] += len(asked)
        if not request.HasField("batch") or asked[0].nul_at:
            self.judge_one(answer, asked[0], "")
        elif request.batch.whole:
            self.judge_whole(answer, asked)
        else:
            equal(answer.status, 0, answer.message)
            equal(len(answer.batch.results), len(asked), "results")
            for result, one in zip(answer.batch.results, asked):
                self.judge_one(result, one, "")

    def judge_whole(self, answer, asked):
        """All or nothing."""
        if answer.status == 0:
            self.count["whole batches signed"] += 1
            for result, one in zip(answer.batch.results, asked):
                self.judge_one(result, one, "")
            return
        self.count["whole batches refused"] += 1
        place = int(answer.message[len("sign["):answer.message.index("]")])
        self.judge_one(answer, asked[place], f"sign[{place}]: ")
        assert not answer.HasField("batch"), "signatures in a refusal"

    def judge_one(self, answer, asked, prefix):
        assert answer.status in STATUS, f"status {answer.status}: {answer.message}\n{asked}"
        self.count[STATUS[answer.status]] += 1
        self.count["inputs"] += asked.input is not None
        try:
            if answer.status == 0:
                self.judge_signed(answer.signed, asked)
            else:
                contains(answer.message, prefix, "message")
                self.judge_refused(answer.message[len(prefix):], answer.status, asked)
        except AssertionError as why:
            self.wrong.append(str(why))

    def judge_refused(self, message, status, asked):
        if asked.nul_at:
            path = message.split(":")[0].removeprefix("batch.").removeprefix("sign.")
            equal((status, path in asked.nul_at), (1, True),
                  f"{message!r}, a NUL is at {asked.nul_at}")
            self.count["refused: a NUL"] += 1
        elif status == 4 and not asked.granted and asked.judged.faults in ([], ["iat"]):
            contains(message, "grant test: ppt ", "message")  # the window comes after the policy
        elif status == 3 and self.is_too_large(message, asked):
            self.count["refused: its length"] += 1
        elif asked.legal:
            raise Wrong(f"refused ({message!r}), but the reference allows\n{asked}")
        elif asked.is_named(message):
            self.count[f"refused: {message.split(':')[0].split('[')[0]}"] += 1
        else:
            raise Wrong(f"refused by {message!r}, but what is at fault is {asked.judged.faults} "
                        f"in\n{asked}")

    def is_too_large(self, message, asked):
        """All of it together, whether or not something is at fault that is looked at later."""
        if message.startswith("claims: the Identity header could be longer than "):
            if asked.judged.faults not in ([], ["iat"]):
                return False
            length = reference.identity_length(asked.judged.ppt, asked.judged.payload,
                                               self.service.x5u, asked.claims.compact)
            # What it does not know yet (iat, origid) it takes for as long as can be.
            return length > reference.IDENTITY_MAX - 64
        return message.endswith("takes too much memory") and too_many_values(asked.claims)

    def judge_signed(self, signed, asked):
        judged, identity = asked.judged, signed.identity
        if not asked.legal or not asked.granted:
            raise Wrong(f"signed, but the reference refuses {judged.faults} in\n{asked}")
        self.count[f"signed: {asked.claims.ppt or 'base'}"] += 1
        passport = identity[:signed.passport_length]
        header, payload, signature = passport.split(".")
        payload_text = self.payload_text(judged, signed)
        header_text = reference.written(reference.header_of(judged.ppt, self.service.x5u))
        if asked.input:
            equal((header_text, payload_text), asked.input, "the header and payload as given")
        wanted = [reference.encoded(text.encode()) for text in (header_text, payload_text)]
        equal([header, payload], ["", ""] if asked.claims.compact else wanted,
              f"header and payload of\n{asked}")
        assert len(identity) <= reference.IDENTITY_MAX, len(identity)
        ppt = f";ppt={judged.ppt}" if judged.ppt else ""
        equal(identity[signed.passport_length:], f";info=<{self.service.x5u}>;alg=ES256{ppt}",
              "parameters")
        equal(signed.attest, asked.claims.attest, "attest")
        if not passports.verifies(".".join((*wanted, signature)), self.key):
            raise Wrong(f"the signature does not verify: {identity}")
        # As anybody else reads it: Python's json, without the reference's rules.
        equal(json.loads(payload_text), judged.payload, "the claims read back")

    def payload_text(self, judged, signed):
        """With what the service had to fill in."""
        payload = judged.payload
        if payload["iat"] == 0:
            assert abs(signed.iat - time.time()) < 60, signed.iat
            payload["iat"] = signed.iat
        if payload.get("origid") == "":
            assert reference.is_uuid4(signed.origid), signed.origid
            payload["origid"] = signed.origid
        equal((signed.iat, signed.origid), (payload["iat"], payload.get("origid", "")),
              "iat and origid in the answer")
        return reference.written(payload)


def too_many_values(claims):
    return any(text.count(",") + text.count("[") + text.count("{") > JSON_NODES
               for text in (claims.other, claims.rcd.jcd))


@case
def the_reference_writes_the_vectors_of_the_standards(bench):
    header = reference.written(reference.header_of("", "https://cert.example.org/passport.cer"))
    claims = wire.sign_pb2.Claims(iat=1471375418)
    claims.orig.tn = "+1 (215) 555-1212"
    claims.dest.uri.append("sip:alice@example.com")
    payload = reference.written(reference.Judged(claims, claims.iat, 0).payload)
    equal(".".join(reference.encoded(text.encode()) for text in (header, payload)),
          "eyJhbGciOiJFUzI1NiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0LmV4YW1wbGUub3JnL3B"
          "hc3Nwb3J0LmNlciJ9.eyJkZXN0Ijp7InVyaSI6WyJzaXA6YWxpY2VAZXhhbXBsZS5jb20iXX0sImlhdCI6MTQ3M"
          "TM3NTQxOCwib3JpZyI6eyJ0biI6IjEyMTU1NTUxMjEyIn19", "RFC 8225 appendix A")
    claims = wire.sign_pb2.Claims(ppt="shaken", iat=1443208345, attest="A",
                                  origid="123E4567-E89B-12D3-A456-426655440000")
    claims.orig.tn = "12155550121"
    claims.dest.tn.append("12155550131")
    equal(reference.written(reference.Judged(claims, claims.iat, 0).payload),
          '{"attest":"A","dest":{"tn":["12155550131"]},"iat":1443208345,'
          '"orig":{"tn":"12155550121"},"origid":"123e4567-e89b-12d3-a456-426655440000"}',
          "RFC 8588 with erratum 6656")
    equal(reference.Judged(claims, claims.iat + 61, 60).faults, ["iat"], "past the window")


PATHS = {"Identity": "orig.", "Diversion": "div.", "Priority": "rph.", "RichCallData": "rcd.",
         "Integrity": "rcd.rcdi.", "MediaKey": "mky."}


def marked(wild, mark):
    """(path as the service names it, claims that have the mark there), for every text of claims."""
    claims = wire.sign_pb2.Claims()
    for field in ("orig", "dest", *sum(reference.NEEDED.values(), ()), "origid", "other", "mky"):
        wild.put(claims, field)
    claims.rcd.rcdi.add()
    fields = {}
    for message, name in wild.fields_of(claims):
        part = message.DESCRIPTOR.name
        fields[PATHS.get(part, "") + name] = (message, name)
    for path, (message, name) in fields.items():
        text = getattr(message, name)
        setattr(message, name, mark)
        yield path, claims
        setattr(message, name, text)
    for path, texts in (("dest.tn", claims.dest.tn), ("dest.uri", claims.dest.uri),
                        ("rph.auth", claims.rph.auth)):
        texts.append(mark)
        yield path, claims
        texts.pop()


@case
def text_that_is_not_utf_8_is_refused_by_its_field_wherever_it_stands(bench):
    paths = set()
    with wire.Connection(bench.service.sign_socket) as connection:
        for bad in BAD_UTF_8:
            mark = "MARK?" + "?" * len(bad)
            for path, claims in marked(bench.wild, mark):
                paths.add(path)
                request = wire.sign_pb2.Request(id=next(bench.numbers))
                request.sign.certificate = "Alpha"
                request.sign.claims.CopyFrom(claims)
                body = request.SerializeToString()
                equal(body.count(mark.encode()), 1, f"marks of {path}")
                body = body.replace(mark.encode(), b"MARK?" + bad)
                connection.send_raw(struct.pack(">I", len(body)) + body)
                answer = connection.receive()
                equal((answer.id, answer.status), (request.id, 1), f"{path}: {answer.message}")
                equal(answer.message.split(": ")[0], f"sign.claims.{path}", f"{bad} there")
    equal(len(paths), 24, "texts in claims")


@case
def every_awkward_text_in_every_field_is_signed_or_refused_as_the_reference_says(bench):
    bench.ask(bench.catalogue())
    note(f"{bench.count['claims sets']} claims sets, {bench.count['signed']} signed")
    bench.before = bench.count["signed"]
    bench.count.clear()
    bench.check()


@case
def random_claims_are_signed_as_the_reference_writes_them_or_refused_by_their_field(bench):
    note(f"seed {SEED}: test_property.py {COUNT} {SEED} repeats it")
    began = time.monotonic()
    bench.ask(bench.requests(COUNT))
    took = time.monotonic() - began
    counts = ", ".join(f"{bench.count[name]} {name}" for name in (*STATUS.values(), "inputs"))
    note(f"{bench.count['claims sets']} claims sets in {bench.count['requests']} requests, "
         f"{took:.1f} s: {counts}")
    note(", ".join(f"{name}: {count}" for name, count in sorted(bench.count.items())
                   if name.startswith(("signed: ", "refused: ", "whole"))))
    bench.check()
    equal(bench.count["claims sets"], COUNT, "claims sets")
    # Neither way may have been idle.
    assert bench.count["signed"] > COUNT / 4, bench.count
    assert bench.count["invalid"] > COUNT / 10, bench.count


@case
def every_signature_is_in_the_trail_once_and_the_trail_verifies(bench):
    service = bench.service
    signed = bench.signed()
    # Of a whole batch that fails after its first signatures the trail has those; none failed.
    equal(signed, bench.before + bench.count["signed"], "signatures in the trail")
    service.cli("audit", "verify", service.audit)


if __name__ == "__main__":
    GRANTS = (f"[grant test]\nuser = {os.geteuid()}\ncertificates = *\n"
              f"ppt = base, shaken, div, div-o, rph, rcd, {', '.join(OTHER_PPTS)}\n"
              "attest = A, B, C\nsign-input = yes\n")
    with Service(grants=GRANTS, extra={"signing": {
            "iat-window-s": str(WINDOW), "deadline-ms": "20000",
            "x5u-template": "https://certs.example.com/{name}/{fingerprint}.pem"}}) as the_service:
        the_service.start()
        the_service.import_leaf()
        the_service.x5u = json.loads(the_service.cli("show", "Alpha", "--json").stdout)[
            "generations"][0]["x5u"]
        run(bench=Bench(the_service))
