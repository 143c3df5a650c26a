# SPDX-License-Identifier: BSD-2-Clause
"""The main job: upload a key, see it leave the disk, sign PASSporTs by name, verify elsewhere."""
import os
import random
import re
import subprocess
import time

import passports
import wire
from stirkeep import PATIENT, Service
from tap import case, contains, equal, note, run

ROUNDS = 10000


def secsipidx(service, identity, leaf="leaf"):
    path = f"{service.base}/identity.txt"
    with open(path, "w") as out:
        out.write(identity)
    done = subprocess.run(
        ["secsipidx", "-check", "-fidentity", path, "-fpubkey", f"{service.lab}/{leaf}.pem",
         "-expire", "60", "-cert-verify", "13", "-ca-file", f"{service.lab}/root.pem",
         "-ca-inter", f"{service.lab}/ca.pem"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        text=True)
    return done.returncode == 0 and done.stdout.strip().endswith("ok") \
        and not done.stdout.strip().endswith("not-ok")


def tampered(identity):
    """The same value with another attest in the payload, and with another signature."""
    header, payload, signature = passports.passport_of(identity).split(".")
    parameters = identity[identity.index(";"):]
    changed = passports.base64.urlsafe_b64encode(
        passports.decode(payload).replace(b'"attest":"A"', b'"attest":"B"')).decode().rstrip("=")
    yield f"{header}.{changed}.{signature}{parameters}"
    flipped = bytearray(passports.decode(signature))
    flipped[40] ^= 1
    other = passports.base64.urlsafe_b64encode(bytes(flipped)).decode().rstrip("=")
    yield f"{header}.{payload}.{other}{parameters}"


@case
def the_imported_key_has_left_the_disk_and_the_answer_says_how(service):
    key = f"{service.lab}/leaf.key"
    assert os.path.exists(key)
    said = service.import_leaf().stdout
    assert not os.path.exists(key)
    for part in ("Alpha", "https://certs.example.com/Alpha/", "SENSITIVE=1", "EXTRACTABLE=0", "unlinked"):
        contains(said, part, "what import says")


@case
def the_identity_header_value_has_the_form_of_rfc_8224(service):
    identity = service.sign().stdout
    equal(identity.count("\n"), 1, "lines")
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{86};"
                        r"info=<https://certs\.example\.com/Alpha/[0-9a-f]{64}\.pem>;"
                        r"alg=ES256;ppt=shaken", identity.strip()), identity
    header, payload = passports.claims_of(identity)
    equal(list(header), ["alg", "ppt", "typ", "x5u"], "header keys")
    contains(identity, f"info=<{header['x5u']}>", "info")
    equal(list(payload), ["attest", "dest", "iat", "orig", "origid"], "payload keys")
    equal(payload["dest"], {"tn": ["12155551213"]}, "dest")
    equal(payload["orig"], {"tn": "12155551212"}, "orig")
    assert abs(payload["iat"] - time.time()) < 10, payload["iat"]


@case
def secsipidx_accepts_it_with_the_chain_and_refuses_tampered_ones(service):
    identity = service.sign().stdout.strip()
    assert secsipidx(service, identity)
    for bad in tampered(identity):
        assert not secsipidx(service, bad), bad


@case
def python_cryptography_accepts_it_and_refuses_tampered_ones(service):
    key = passports.public_key(f"{service.lab}/leaf.pem")
    identity = service.sign().stdout.strip()
    assert passports.verifies(identity, key)
    for bad in tampered(identity):
        assert not passports.verifies(bad, key), bad


@case
def the_verify_command_accepts_it_and_refuses_tampered_ones(service):
    identity = service.sign().stdout.strip()
    arguments = ("verify", "--cert", f"{service.lab}/leaf-chain.pem", "--ca", f"{service.lab}/root.pem")
    service.cli(*arguments, identity)
    service.cli(*arguments, "-", stdin=f"Identity: {identity}\r\n")
    for bad in tampered(identity):
        equal(service.cli(*arguments, bad, check=False).returncode, 1, "exit status")


@case
def a_base_passport_has_no_ppt_and_verifies(service):
    identity = service.cli("sign", "Alpha", "--ppt", "base", "--orig", "+1 (215) 555-1212",
                           "--dest-uri", "sip:alice@example.com").stdout.strip()
    header, payload = passports.claims_of(identity)
    equal(list(header), ["alg", "typ", "x5u"], "header keys")
    equal(payload["orig"], {"tn": "12155551212"}, "orig")
    equal(payload["dest"], {"uri": ["sip:alice@example.com"]}, "dest")
    assert "ppt=" not in identity
    assert passports.verifies(identity, passports.public_key(f"{service.lab}/leaf.pem"))


@case
def ten_thousand_over_one_pipelined_connection_verify_and_match_their_requests(service):
    key = passports.public_key(f"{service.lab}/leaf.pem")
    wanted, seen, window, sent = {}, set(), 256, 0
    numbers = random.sample(range(1, 1 << 62), ROUNDS)
    began = time.monotonic()
    answers = []
    with wire.Connection(service.sign_socket, timeout=30) as connection:
        while len(answers) < ROUNDS:
            batch = []
            while sent < ROUNDS and sent - len(answers) < window:
                number = numbers[sent]
                orig, dest = f"1215{number % 10000000:07d}", f"1415{sent % 10000000:07d}"
                wanted[number] = (orig, dest, "ABC"[sent % 3])
                batch.append(wire.sign_request(number, orig=orig, dest=(dest,), attest="ABC"[sent % 3]))
                sent += 1
            if batch:
                connection.send(*batch)
            answers.append(connection.receive())
    took = time.monotonic() - began
    for answer in answers:
        equal(answer.status, 0, answer.message)
        assert answer.id not in seen, "answered twice"
        seen.add(answer.id)
        orig, dest, attest = wanted[answer.id]
        _, payload = passports.claims_of(answer.signed.identity)
        equal((payload["orig"]["tn"], payload["dest"]["tn"], payload["attest"]), (orig, [dest], attest),
              "claims")
        equal(answer.signed.identity[answer.signed.passport_length], ";", "passport_length")
        assert passports.verifies(answer.signed.identity, key)
    equal(len(seen), ROUNDS, "answers")
    note(f"{ROUNDS} signatures in {took:.2f} s with a client in Python")


@case
def every_signature_is_in_the_trail_once(service):
    signed = sum('"act":"sign"' in line and '"outcome":"ok"' in line for line in service.records())
    assert signed >= ROUNDS, signed


if __name__ == "__main__":
    with Service(extra=PATIENT) as the_service:
        the_service.start()
        run(service=the_service)
