# SPDX-License-Identifier: BSD-2-Clause
"""What is done with a real service's trail: looking things up in it, and proving one record of it."""
import glob
import hashlib
import hmac
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

import passports
import wire
from stirkeep import CLI, Service, wait_until
from tap import case, contains, equal, note, run

SOURCE = os.environ["STIRKEEP_SOURCE"]


def quick(**keys):
    return {"audit": {"seal-seconds": "1", **keys}}


def wait_sealed(service):
    return wait_until("all is sealed", lambda: json.loads(
        service.cli("status", "--json").stdout)["audit_unsealed"] == 0, 15, 0.1)


def key_of(service):
    path = f"{service.base}/audit.pem"
    if not os.path.exists(path):
        service.cli("audit", "key", "--out", path)
    return path


def ask(connection, number, **claims):
    connection.send(wire.sign_request(number, **claims))
    answer = connection.receive()
    equal(answer.id, number, "answer")
    return answer


def sign(connection, number, **claims):
    """The Identity header value."""
    answer = ask(connection, number, **claims)
    equal(answer.status, 0, answer.message)
    return answer.signed.identity


def put(service, name, text):
    path = f"{service.base}/{name}"
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def sig_of(identity):
    third = passports.passport_of(identity).rpartition(".")[2]
    return hashlib.sha256(passports.decode(third)).hexdigest()


def shown(service, *options, check=True):
    done = service.cli("audit", "show", service.audit, *options, "--json", check=check)
    return [json.loads(line) for line in done.stdout.splitlines()]


def documented():
    """The program in docs/AUDIT.md that checks a proof with nothing of ours."""
    with open(f"{SOURCE}/docs/AUDIT.md", encoding="utf-8") as page:
        blocks = re.findall(r"^```python\n(.*?)^```", page.read(), re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if 'proof["path"]' in block)


def independent(service, key, proof):
    script = put(service, "check.py", documented())
    return subprocess.run([sys.executable, script, key, proof], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)


# ---- proofs


@case
def a_request_is_proven_and_the_proof_needs_no_trail():
    with Service(extra=quick()) as service:
        service.start()
        service.import_leaf()
        key = key_of(service)
        # Administrators' requests have numbers of their own, from 1 on.
        with wire.Connection(service.sign_socket) as connection:
            identities = {number: sign(connection, number, orig=f"1215555{number:04}")
                          for number in range(1001, 1101)}
        wait_sealed(service)
        sizes = []
        for number in (1001, 1002, 1050, 1099, 1100):
            began = time.monotonic()
            proof = put(service, f"proof-{number}.json", service.cli(
                "audit", "prove", "--request", str(number), "--key", key, service.audit).stdout)
            took = time.monotonic() - began
            sizes.append(os.path.getsize(proof))
            passport = put(service, "identity.txt", identities[number] + "\n")
            done = service.cli("audit", "check-proof", proof, "--key", key, "--passport", passport)
            for part in ("a PASSporT was signed", f"from 1215555{number:04}", "to 12155551213",
                         f"as its request {number}.", sig_of(identities[number]), "sealed: at 20",
                         "the same in the PASSporT: signature, ppt, orig, dest, attest, origid, iat"):
                contains(done.stdout, part, "what is proven")
            other = independent(service, key, proof)
            equal(other.returncode, 0, other.stderr)
            contains(other.stdout, f'"request_id":"{number}"', "what python3 proves")
        note(f"proofs of {min(sizes)} to {max(sizes)} bytes, the last one in {took * 1000:.0f} ms")
        # The same by the PASSporT itself, without its parameters, too, and by its digest.
        bare = put(service, "bare.txt", passports.passport_of(identities[1050]))
        by = [service.cli("audit", "prove", *how, "--key", key, service.audit).stdout for how in (
            ("--passport", passport), ("--sig", sig_of(identities[1100])), ("--request", "1100"))]
        equal(len(set(by)), 1, "one record, one proof")
        fifty = service.cli("audit", "prove", "--passport", bare, "--key", key, service.audit).stdout
        contains(fifty, r'\"request_id\":\"1050\"', "by the bare PASSporT")
        # It is checked by whoever has these two files; the trail may be gone.
        equal(service.stop(), 0, "exit status")
        os.unlink(service.audit)
        done = service.cli("audit", "check-proof", proof, "--key", key, "--json")
        equal(json.loads(done.stdout)["record"]["request_id"], "1100", "without the trail")


@case
def another_passport_is_told_from_the_one_that_was_signed():
    with Service(extra=quick()) as service:
        service.start()
        service.import_leaf()
        key = key_of(service)
        with wire.Connection(service.sign_socket) as connection:
            identity = sign(connection, 1)
            other = sign(connection, 2, orig="12155550199", dest=("12155551213", "12155551214"),
                         attest="B")
        wait_sealed(service)
        proof = f"{service.base}/proof.json"
        service.cli("audit", "prove", "--request", "1", "--key", key, "--out", proof, service.audit)

        def check(passport, *more):
            path = put(service, "passport.txt", passport)
            return service.cli("audit", "check-proof", proof, "--key", key, "--passport", path,
                               *more, check=False)

        equal(check(identity).returncode, 0, "the one")
        done = check(other)
        equal(done.returncode, 1, "another one")
        contains(done.stderr, "different: signature, orig, dest, attest, origid", "why")
        told = json.loads(check(other, "--json").stdout)
        equal(told["good"], False, "good")
        equal({part: told["passport"][part] for part in ("same", "signature", "ppt", "orig")},
              {"same": False, "signature": "different", "ppt": "same", "orig": "different"}, "parts")
        # The signature of the one on the claims of the other.
        mixed = (passports.passport_of(other).rpartition(".")[0] + "." +
                 passports.passport_of(identity).rpartition(".")[2])
        done = check(mixed)
        equal(done.returncode, 1, "claims of another one")
        contains(done.stderr, "different: orig, dest, attest, origid", "why")
        for nothing in ("", "a.b", "x" * 40000, "\0", "a.b.c"):
            done = check(nothing)
            equal(done.returncode, 1, repr(nothing[:9]))
            contains(done.stderr, "passport.txt", "what it names")
        # A record that is not a signature's is of no PASSporT.
        first = f"{service.base}/first.json"
        service.cli("audit", "prove", "--seq", "1", "--key", key, "--out", first, service.audit)
        path = put(service, "passport.txt", identity)
        done = service.cli("audit", "check-proof", first, "--key", key, "--passport", path,
                           check=False)
        equal(done.returncode, 1, "a start")
        contains(done.stderr, "different: signature", "a start")


@case
def several_records_of_one_request_are_listed_and_narrowed():
    with Service(extra=quick()) as service:
        service.start()
        service.import_leaf()
        key = key_of(service)
        with wire.Connection(service.sign_socket) as one, \
                wire.Connection(service.sign_socket) as two:
            sign(one, 7)
            identity = sign(two, 7, orig="12155550199")
            refused = ask(one, 7, attest="Z")
            assert refused.status != 0, "it was signed"
        wait_sealed(service)
        again = ("audit", "prove", "--request", "7", "--key", key, service.audit)
        done = service.cli(*again, check=False)
        equal((done.returncode, done.stdout), (1, ""), "several")
        lines = done.stderr.splitlines()
        equal(len(lines), 4, done.stderr)
        contains(lines[1], "12155550199 to 12155551213", "the choice")
        contains(lines[3], "3 records fit", "why")
        for option in ("--seq", "--passport", "--act", "--uid", "--name"):
            contains(lines[3], option, "what narrows it")
        number = re.search(r"record: (\d+) ", lines[1])[1]
        proof = service.cli(*again, "--seq", number).stdout
        contains(proof, "12155550199", "by number")
        passport = put(service, "passport.txt", identity)
        equal(service.cli(*again, "--passport", passport).stdout, proof, "by PASSporT")
        contains(service.cli(*again, "--act", "refuse").stdout, "refuse", "by act")
        for nothing in (("--uid", "4000000000"), ("--name", "Gamma"), ("--sig", "00" * 32)):
            done = service.cli(*again, *nothing, check=False)
            equal((done.returncode, done.stdout), (1, ""), f"{nothing}")
            contains(done.stderr, "no record in these files fits", f"{nothing}")


@case
def what_cannot_be_proven_is_told():
    with Service(extra={"audit": {"seal-seconds": "600"}}) as service:
        service.start()
        service.import_leaf()
        key = key_of(service)
        with wire.Connection(service.sign_socket) as connection:
            sign(connection, 5)
        again = ("audit", "prove", "--request", "5", "--key", key, service.audit)
        done = service.cli(*again, check=False)
        equal((done.returncode, done.stdout), (1, ""), "unsealed")
        contains(done.stderr, "is not sealed yet", "why")
        contains(done.stderr, "seal-seconds", "until when")
        equal(service.stop(), 0, "exit status")  # which seals
        proof = service.cli(*again).stdout
        equal(independent(service, key, put(service, "p.json", proof)).returncode, 0, "python3")
        # A trail that was changed proves nothing.
        with open(service.audit, "rb") as file:
            data = file.read()
        with open(f"{service.base}/changed", "wb") as file:
            file.write(data.replace(b'"act":"sign"', b'"act":"sigh"', 1))
        done = service.cli(*again[:-1], f"{service.base}/changed", check=False)
        equal((done.returncode, done.stdout), (1, ""), "changed")
        contains(done.stderr, "its sum does not match", "changed")
        # Nor without the key, or the records before that are under the seal.
        done = service.cli("audit", "prove", "--request", "5", service.audit, check=False)
        equal(done.returncode, 2, "without a key")
        lines = data.splitlines(keepends=True)
        with open(f"{service.base}/rest", "wb") as file:
            file.writelines(lines[3:])
        equal(service.cli(*again[:-1], f"{service.base}/rest", check=False).returncode, 1, "the rest")
        # Nothing is overwritten.
        done = service.cli(*again, "--out", f"{service.base}/rest", check=False)
        equal(done.returncode, 1, "an old file")
        equal(os.path.getsize(f"{service.base}/rest"), sum(map(len, lines[3:])), "it stayed")


@case
def a_forged_proof_is_refused_by_both():
    with Service(extra=quick()) as service:
        service.start()
        service.import_leaf()
        key = key_of(service)
        with wire.Connection(service.sign_socket) as connection:
            for number in range(1, 20):
                sign(connection, number)
        wait_sealed(service)
        proof = json.loads(service.cli("audit", "prove", "--request", "9", "--key", key,
                                       service.audit).stdout)

        def resummed(line):
            head = line[:line.rindex(',"sum":')]
            return f'{head},"sum":"{hashlib.sha256(head.encode()).hexdigest()[:16]}"}}'

        forged = {
            "record": {**proof, "record": resummed(proof["record"].replace('"attest":"A"',
                                                                           '"attest":"C"'))},
            "number": {**proof, "record": resummed(re.sub(r'"seq":\d+', '"seq":4', proof["record"]))},
            "path": {**proof, "path": proof["path"][::-1]},
            "short": {**proof, "path": proof["path"][1:]},
            "seal": {**proof, "seal": resummed(proof["seal"].replace('"sealed":"2', '"sealed":"1'))},
        }
        for what, value in forged.items():
            path = put(service, "forged.json", json.dumps(value))
            done = service.cli("audit", "check-proof", path, "--key", key, check=False)
            equal((done.returncode, done.stdout), (1, ""), what)
            assert independent(service, key, path).returncode != 0, f"python3 takes a forged {what}"
        whole = put(service, "whole.json", json.dumps(proof, indent=4, sort_keys=True))
        equal(service.cli("audit", "check-proof", whole, "--key", key).returncode, 0, "laid out anew")
        # Texts that steer a terminal do not get through, wherever they stand.
        path = put(service, "forged.json", json.dumps({**proof, "record": "\x1b[2J{\"seq\":1"}))
        done = service.cli("audit", "check-proof", path, "--key", key, check=False)
        assert "\x1b" not in done.stdout + done.stderr, done.stderr


@case
def a_record_is_proven_out_of_the_file_that_it_was_rotated_into():
    with Service(extra=quick(**{"rotate-size": "32K"})) as service:
        service.start()
        service.import_leaf()
        key = key_of(service)
        identities = []
        for _ in range(3):
            with wire.Connection(service.sign_socket) as connection:
                identities += [sign(connection, 2000 + len(identities)) for _ in range(80)]
            time.sleep(0.3)
        wait_sealed(service)
        equal(service.stop(), 0, "exit status")
        rotated = sorted(path for path in glob.glob(f"{service.audit}.*")
                         if re.fullmatch(r"\d{12}(\.zst)?", path[len(service.audit) + 1:]))
        assert len(rotated) > 1, rotated
        files = rotated + [service.audit]
        for identity in identities[::40]:
            passport = put(service, "passport.txt", identity)
            proof = service.cli("audit", "prove", "--passport", passport, "--key", key, *files).stdout
            path = put(service, "proof.json", proof)
            equal(independent(service, key, path).returncode, 0, "python3")
            # The one file that has it is enough, or that and the one before.
            proofs = [service.cli("audit", "prove", "--passport", passport, "--key", key, *two,
                                  check=False).stdout for two in zip(files, files[1:])]
            assert proof in proofs, f"out of two files: {proofs}"
        equal(len(service.cli("audit", "show", *files, "--act", "sign").stdout.splitlines()),
              len(identities), "all signatures")


class Forge:
    """A trail and its seals, written by Python alone."""

    def __init__(self):
        self.private = ec.generate_private_key(ec.SECP256R1())
        public = self.private.public_key()
        self.pem = public.public_bytes(serialization.Encoding.PEM,
                                       serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        self.key_id = hashlib.sha256(public.public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()
        self.lines, self.digests = [], []

    def add(self, members):
        prev = self.digests[-1].hex() if self.digests else "0" * 64
        head = (f'{{"seq":{len(self.lines) + 1},"time":"2026-11-25T20:06:24.123456Z",{members},'
                f'"prev":"{prev}"')
        self.lines.append(f'{head},"sum":"{hashlib.sha256(head.encode()).hexdigest()[:16]}"}}')
        self.digests.append(hashlib.sha256(self.lines[-1].encode()).digest())

    def root(self, digests):
        if len(digests) == 1:
            return hashlib.sha256(b"\0" + digests[0]).digest()
        half = 1 << (len(digests) - 1).bit_length() - 1
        return hashlib.sha256(b"\1" + self.root(digests[:half]) + self.root(digests[half:])).digest()

    def seal(self, first):
        last, time_text = len(self.lines), "2026-11-25T20:06:24.123456Z"
        head, root = self.digests[-1].hex(), self.root(self.digests[first - 1:]).hex()
        text = (f"stirkeep audit seal 1\n{first}\n{last}\n{head}\n{root}\n{time_text}\n"
                f"{self.key_id}\n")
        pair = utils.decode_dss_signature(self.private.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        self.add(f'"act":"seal","outcome":"ok","key_id":"{self.key_id}","from":{first},'
                 f'"through":{last},"head":"{head}","root":"{root}","sealed":"{time_text}",'
                 f'"seal":"{pair[0]:064x}{pair[1]:064x}"')


@case
def a_record_that_is_in_no_tree_given_is_told_so():
    with tempfile.TemporaryDirectory(prefix="stirkeep-forge-") as base:
        forge = Forge()
        for number in range(1, 7):
            forge.add('"act":"continue","outcome":"ok"' if number == 4 else
                      f'"act":"sign","outcome":"ok","uid":0,"gid":0,"pid":1,"request_id":"{number}"')
        forge.seal(2)

        def written(name, lines):
            with open(f"{base}/{name}", "w") as file:
                file.writelines(f"{line}\n" for line in lines)
            return f"{base}/{name}"

        key = written("key.pem", forge.pem.splitlines())

        def prove(number, lines):
            return subprocess.run([CLI, "audit", "prove", "--seq", str(number), "--key", key,
                                   written("trail", lines)], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)

        done = prove(1, forge.lines)
        equal((done.returncode, done.stdout), (1, ""), "the first one")
        contains(done.stderr, "covered by the chain alone", "the first one")
        proofs = [prove(number, forge.lines) for number in range(2, 7)]
        equal([done.returncode for done in proofs], [0] * 5, "those in the tree")
        for number in (4, 5, 6):
            done = prove(number, forge.lines[3:])
            equal((done.returncode, done.stdout), (1, ""), f"{number}")
            contains(done.stderr, "give the file before, too", f"{number}")
        done = prove(7, forge.lines)  # the seal's own record
        equal((done.returncode, done.stdout), (1, ""), "the seal")
        contains(done.stderr, "is not sealed yet", "the seal")
        # Of the file before, no more than its last record is in the tree: its digest is known.
        del forge.lines[6:], forge.digests[6:]
        forge.seal(3)
        for number in (4, 5, 6):
            equal(prove(number, forge.lines[3:]).stdout, prove(number, forge.lines).stdout, "proof")
            equal(prove(number, forge.lines[3:]).returncode, 0, f"{number}")


# ---- looking things up


@case
def records_are_shown_by_what_they_say():
    with Service(extra=quick()) as service:
        service.start()
        service.import_leaf()
        key = key_of(service)
        with wire.Connection(service.sign_socket) as connection:
            sign(connection, 11)
            sign(connection, 12, orig="12155550199", dest=("12155550100", "12155551213"))
            refused = ask(connection, 13, attest="A", name="No\x1b[1mname")
            assert refused.status != 0, "it was signed"
        wait_sealed(service)
        everything = shown(service)
        with open(service.audit) as file:
            lines = file.read().splitlines()
        equal([json.dumps(r) for r in everything], [json.dumps(json.loads(x)) for x in lines],
              "all lines")
        signed = [r for r in everything if r["act"] == "sign"]
        equal([r["request_id"] for r in shown(service, "--act", "sign")], ["11", "12"], "act")
        equal(shown(service, "--request", "12"), signed[1:], "request")
        equal(shown(service, "--number", "12155550199"), signed[1:], "orig")
        equal(shown(service, "--number", "+1 215-555-0100"), signed[1:], "dest")
        equal(shown(service, "--number", "12155551213", "--act", "sign"), signed, "dest of both")
        equal(shown(service, "--number", "1215555121"), [], "a part of a number")
        equal(shown(service, "--name", "Al*a", "--act", "sign"), signed, "pattern")
        equal(shown(service, "--name", "alpha"), [], "another case")
        equal(shown(service, "--key-id", signed[0]["key_id"][:12], "--act", "sign"), signed, "key")
        equal(shown(service, "--uid", str(os.getuid()), "--act", "sign"), signed, "uid")
        equal(shown(service, "--uid", "4000000000"), [], "another uid")
        equal([r["request_id"] for r in shown(service, "--outcome", "refused")], ["13"], "refused")
        equal([r["request_id"] for r in shown(service, "--outcome", everything[-1]["outcome"],
                                              "--last", "1", "--act", "sign")], ["12"], "last")
        equal(shown(service, "--last", "3"), everything[-3:], "the last three")
        equal(shown(service, "--last", "100000"), everything, "more than there are")
        began, ended = everything[0]["time"], everything[-1]["time"]
        equal(shown(service, "--since", f"{began[:19]}Z", "--until", "2090-01"), everything, "times")
        equal(shown(service, "--until", f"{began[:10]}"), [], "before the day")
        equal(shown(service, "--since", "2090-01-01"), [], f"after {ended}")
        # In words, of which none steers a terminal.
        words = service.cli("audit", "show", service.audit, "--key", key).stdout
        equal(len(words.splitlines()), len(everything), "a line each")
        contains(words, "sign ok  Alpha (generation 1)  shaken A  12155551212 to 12155551213  by uid "
                 f"{os.getuid()}, pid {os.getpid()}, ", "words")
        assert "\x1b" not in words, "a terminal is steered"
        contains(words, "because: ", "why it was refused")
        for wrong in (("--since", "yesterday"), ("--outcome", "bad"), ("--key-id", "abc"),
                      ("--number", "x"), ("--last", "0"), ("--uid", "-1"), ("--request", "x")):
            done = service.cli("audit", "show", service.audit, *wrong, check=False)
            equal(done.returncode, 2, f"{wrong}")


@case
def what_is_good_is_shown_and_then_the_error():
    with Service(extra=quick()) as service:
        service.start()
        service.import_leaf()
        with wire.Connection(service.sign_socket) as connection:
            for number in range(1, 30):
                sign(connection, number)
        equal(service.stop(), 0, "exit status")
        with open(service.audit, "rb") as file:
            lines = file.read().splitlines(keepends=True)
        lines[20] = lines[20].replace(b'"uid":', b'"uid": ')
        with open(service.audit, "wb") as file:
            file.writelines(lines)
        for more, count in (((), 20), (("--last", "5"), 5), (("--json",), 20)):
            done = service.cli("audit", "show", service.audit, *more, check=False)
            equal(done.returncode, 1, f"{more}")
            equal(len(done.stdout.splitlines()), count, f"{more}")
            contains(done.stderr, "line 21 (record 21): its sum does not match", f"{more}")
        # Who forges sums as well gets no control character to a terminal.
        at = lines[0].index(b',"sum":')
        head = lines[0][:at].replace(b'"detail":"', b'"detail":"\x1b[2J')
        lines[0] = head + b',"sum":"%s"}\n' % hashlib.sha256(head).hexdigest()[:16].encode()
        with open(service.audit, "wb") as file:
            file.writelines(lines[:1])
        for more in ((), ("--json",), ("--act", "start")):
            done = service.cli("audit", "show", service.audit, *more, check=False)
            equal((done.returncode, done.stdout), (1, ""), f"{more}")
            contains(done.stderr, "does not know", f"{more}")


@case
def a_reader_that_goes_and_a_full_disk_are_met():
    with Service(extra=quick()) as service:
        service.start()
        service.import_leaf()
        with wire.Connection(service.sign_socket) as connection:
            for number in range(1, 1500):
                sign(connection, number)
        equal(service.stop(), 0, "exit status")
        command = [f"{service.libexec}/stirkeep", "audit", "show", service.audit]
        for more in ([], ["--json"], ["--last", "1400"]):
            pipe = subprocess.Popen(command + more, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            equal(len(pipe.stdout.readline()) > 20, True, "the first line")
            pipe.stdout.close()
            equal(pipe.stderr.read(), b"", "nobody is told")
            pipe.stderr.close()
            equal(pipe.wait(20), 1, "exit status")
            with open("/dev/full", "wb") as full:
                done = subprocess.run(command + more, stdout=full, stderr=subprocess.PIPE, text=True)
            equal(done.returncode, 1, "full")
            equal(done.stderr, "stirkeep: standard output: No space left on device\n", "full")


@case
def hashed_numbers_are_found_and_compared_with_their_key():
    base = tempfile.mkdtemp(prefix="stirkeep-numbers-")
    secret = os.urandom(48)
    with open(f"{base}/key", "wb", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(secret)
    try:
        with Service(extra=quick(numbers="hashed", **{"number-key": f"{base}/key"})) as service:
            service.start()
            service.import_leaf()
            key = key_of(service)
            with wire.Connection(service.sign_socket) as connection:
                identity = sign(connection, 1, dest=("12155551213", "12155551214"))
                other = sign(connection, 2, orig="12155550199")
            wait_sealed(service)
            equal(shown(service, "--number", "12155550199"), [], "without the key")
            found = shown(service, "--number", "12155550199", "--number-key", f"{base}/key")
            equal([r["request_id"] for r in found], ["2"], "with the key")
            hashed = "h:" + hmac.new(secret, b"12155551214", hashlib.sha256).hexdigest()[:32]
            equal([r["request_id"] for r in shown(service, "--number", hashed)], ["1"], "by hash")
            one, two = put(service, "one.txt", identity), put(service, "two.txt", other)
            proof = f"{service.base}/proof.json"
            service.cli("audit", "prove", "--passport", one, "--key", key, "--out", proof,
                        service.audit)
            check = ("audit", "check-proof", proof, "--key", key)
            done = service.cli(*check, "--passport", one)
            contains(done.stdout, "not compared, keyed hashes in the record (--number-key): orig, dest",
                     "without the key")
            done = service.cli(*check, "--passport", one, "--number-key", f"{base}/key")
            contains(done.stdout, "signature, ppt, orig, dest, attest, origid, iat", "with the key")
            assert "not compared" not in done.stdout, done.stdout
            mixed = put(service, "mixed.txt", passports.passport_of(other).rpartition(".")[0] + "." +
                        passports.passport_of(identity).rpartition(".")[2])
            done = service.cli(*check, "--passport", mixed, "--number-key", f"{base}/key",
                               check=False)
            equal(done.returncode, 1, "other numbers")
            contains(done.stderr, "orig, dest", "other numbers")
            with open(f"{base}/other", "wb") as file:
                file.write(os.urandom(48))
            done = service.cli(*check, "--passport", one, "--number-key", f"{base}/other",
                               check=False)
            equal(done.returncode, 1, "another key")
            equal(service.cli(*check, "--passport", two, check=False).returncode, 1, "another one")
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    run()
