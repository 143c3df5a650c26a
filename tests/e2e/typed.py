# SPDX-License-Identifier: BSD-2-Clause
"""Requests for PASSporTs of every type, and what has to come of them."""
import json
import os
import subprocess
import time

import passports
import reference
import wire
from peers import ask, number
from stirkeep import Service
from tap import contains, equal

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
        claims.rcd.nam, claims.rcd.apn = "Zoë \"Q\" Smith", "+1 215 555 1299"
        claims.rcd.icn, claims.rcd.jcd = "https://example.com/i.png", json.dumps(JCARD)
        claims.rcd.crn = "délivery / \\"
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
        ["secsipidx", "-check", "-fidentity", path, "-fpubkey", f"{service.lab}/leaf.pem",
         "-expire", "60", "-cert-verify", "13", "-ca-file", f"{service.lab}/root.pem",
         "-ca-inter", f"{service.lab}/ca.pem"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    said = done.stdout.strip()
    return done.returncode == 0 and said.endswith("ok") and not said.endswith("not-ok")


def verify(service, identity, *more, check=True, leaf="leaf"):
    return service.cli("verify", "--cert", f"{service.lab}/{leaf}-chain.pem", "--ca",
                       f"{service.lab}/root.pem", "--max-age", "60", "--ppt", "msec", *more, identity,
                       check=check)


def batch_of(requests, whole):
    batch = wire.sign_pb2.Request(id=number())
    batch.batch.whole = whole
    for request in requests:
        batch.batch.sign.append(request.sign)
    return batch


def composed(service, claims):
    """As somebody else composes it, by the reference."""
    judged = reference.Judged(claims, int(time.time()), WINDOW)
    equal(judged.faults, [], "claims")
    judged.payload["iat"] = judged.payload["iat"] or int(time.time())
    return (reference.written(reference.header_of(judged.ppt, service.x5u)),
            reference.written(judged.payload))


def input_request(header, payload, name="Alpha"):
    request = wire.sign_pb2.Request(id=number())
    request.sign.certificate = name
    request.sign.input.header, request.sign.input.payload = header, payload
    return request


def payload_text(payload):
    return reference.encoded(payload.encode())


def start(*leaves):
    """A service that signs all types with Alpha, and with a certificate named as each leaf."""
    names = [leaf.capitalize() for leaf in leaves]
    granted = ["Alpha", "Brief", "Nobody", *(name for name in names if name != "Only-base")]
    grants = (f"[grant all]\nuser = {os.geteuid()}\ncertificates = {', '.join(granted)}\n"
              f"ppt = {', '.join(TYPES)}\nattest = A, B, C\nsign-input = yes\n"
              f"[grant base-only]\nuser = {os.geteuid()}\ncertificates = Only-base\nppt = base\n")
    service = Service(grants=grants, extra={"signing": {
        "tn-digits": str(DIGITS), "deadline-ms": "10000",
        "x5u-template": "https://certs.example.com/{name}/{fingerprint}.pem"}})
    service.start()
    service.import_leaf()
    service.make_chain("709J", *leaves)
    for name, leaf in zip(names, leaves):
        service.import_leaf(name, leaf)
    shown = json.loads(service.cli("show", "Alpha", "--json").stdout)
    service.x5u = shown["generations"][0]["x5u"]
    return service
