# SPDX-License-Identifier: BSD-2-Clause
"""The audit trail of the real service: sealed, rotated, witnessed, on a full disk, and killed.

    test_audit.py [KILLS]    so often the keeper is killed at full rate (20)
"""
import base64
import glob
import hashlib
import hmac
import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import time

import wire
from disk import Disk, Memory
from stirkeep import ROOMS, ROOT, Service, wait_until
from tap import Skip, case, contains, equal, note, run

KILLS = int(sys.argv[1]) if len(sys.argv) > 1 else 20
KILLS_OF_ONE_START = 5  # then the service is started anew: who dies too often waits to be born again
WINDOW = 64
UNAVAILABLE = wire.STATUS["audit-unavailable"]


# ---- the trail, as a stranger reads it


def files_of(service):
    """Oldest first; the one that is being written last."""
    rotated = [path for path in glob.glob(f"{service.audit}.*")
               if re.fullmatch(r"\d{12}(\.zst)?", path[len(service.audit) + 1:])]
    return sorted(rotated) + [service.audit]


def text_of(path):
    if not path.endswith(".zst"):
        with open(path, encoding="utf-8") as file:
            return file.read()
    return subprocess.run(["zstd", "-dcq", path], check=True, stdout=subprocess.PIPE).stdout.decode()


def lines_of(service):
    for path in files_of(service):
        yield from text_of(path).splitlines()


def records_of(service):
    return [json.loads(line) for line in lines_of(service)]


def settled(service):
    """Wait until what was rotated is compressed, so that no name changes while it is read."""
    wait_until("rotated files are compressed",
               lambda: all(path.endswith(".zst") for path in files_of(service)[:-1]), 30)
    return files_of(service)


def audit_key(service, directory=None):
    """A file with its public key; asked for once, while the service runs."""
    path = f"{directory or service.base}/audit.pem"
    if not os.path.exists(path):
        service.cli("audit", "key", "--out", path)
    return path


def verdict(service):
    """What `audit verify` says of all files; they may be rotated meanwhile, or a record be under way
    (on a full disk a part of it, until it is taken back), and then it is asked again."""
    while True:
        files = settled(service)
        done = service.cli("audit", "verify", *files, "--key", audit_key(service), "--json",
                           check=False)
        if done.returncode == 0:
            return json.loads(done.stdout)
        if files == files_of(service) and "is being written" not in done.stdout:
            raise AssertionError(f"{done.stdout}{done.stderr}\n{service.said()}")


def status(service):
    return json.loads(service.cli("status", "--json").stdout)


def wait_sealed(service):
    """Nothing is unsealed."""
    return wait_until("all is sealed", lambda: status(service)["audit_unsealed"] == 0, 15, 0.1)


def digest_of(signed):
    """The member "sig" of a signature's record, from the Identity header that a client got."""
    passport = signed.identity[:signed.passport_length]
    third = passport.rsplit(".", 1)[1]
    return hashlib.sha256(base64.urlsafe_b64decode(third + "=" * (-len(third) % 4))).hexdigest()


def quick(**keys):
    return {"audit": {"seal-seconds": "1", **keys}}


# ---- clients


class Client(threading.Thread):
    """Signs with a full window until it is stopped; what it received is in `digests`."""

    def __init__(self, service):
        super().__init__(daemon=True)
        self.service, self.digests, self.refused = service, [], {}
        self.stopping, self.trouble = threading.Event(), None

    def run(self):
        try:
            self.work()
        except Exception as why:  # told by who joins it
            self.trouble = why

    def work(self):
        with wire.Connection(self.service.sign_socket, 30) as connection:
            number, waiting = 0, 0
            while waiting > 0 or not self.stopping.is_set():
                if not self.stopping.is_set() and waiting <= WINDOW // 2:
                    more = [wire.sign_request(number + i, deadline_ms=20000)
                            for i in range(WINDOW - waiting)]
                    number += len(more)
                    waiting += len(more)
                    connection.send(*more)
                answer = connection.receive()
                assert answer is not None, "the service has hung up"
                waiting -= 1
                if answer.status == 0:
                    self.digests.append(digest_of(answer.signed))
                else:
                    self.refused[answer.status] = self.refused.get(answer.status, 0) + 1

    def finish(self):
        self.stopping.set()
        self.join(60)
        assert not self.is_alive(), "a client is not answered"
        if self.trouble is not None:
            raise self.trouble
        return self.digests


def sign_some(service, count):
    """Signatures one after the other; their digests."""
    digests = []
    with wire.Connection(service.sign_socket) as connection:
        for number in range(count):
            connection.send(wire.sign_request(number))
            answer = connection.receive()
            equal(answer.status, 0, answer.message)
            digests.append(digest_of(answer.signed))
    return digests


def expect_all(service, digests):
    missing = set(digests)
    for line in lines_of(service):
        at = line.find('"sig":"')
        if at >= 0:
            missing.discard(line[at + 7:at + 71])
    equal(missing, set(), "PASSporTs that a client has and the trail has not")


# ---- seals


@case
def the_trail_is_sealed_and_verifies_with_the_audit_key():
    with Service(extra=quick(**{"rotate-size": "32K"})) as service:
        service.start()
        service.import_leaf()
        digests = []
        for _ in range(4):
            digests += sign_some(service, 100)
            time.sleep(0.3)
        wait_sealed(service)
        told = status(service)
        equal(len(told["audit_key"]), 64, "key id")
        assert told["audit_sealed"] > 300, told
        equal(told["audit_unsealed_since"], None, "unsealed since")
        files = settled(service)
        assert len(files) > 3, files
        found = verdict(service)
        equal((found["good"], found["first"], found["uncovered"]), (True, 1, 0), "verdict")
        assert found["unsealed"] <= 2, found
        expect_all(service, digests)
        equal(service.stop(), 0, "exit status")
        found = verdict(service)
        equal(found["unsealed"], 1, "behind the last seal")  # the seal itself
        last = records_of(service)[-2:]
        equal([record["act"] for record in last], ["stop", "seal"], "the end")
        equal(last[1]["through"], last[0]["seq"], "what the last seal covers")


@case
def another_key_did_not_seal_it():
    with Service(extra=quick()) as service:
        service.start()
        wait_sealed(service)
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        f"{service.base}/other.key"], check=True)
        subprocess.run(["openssl", "ec", "-in", f"{service.base}/other.key", "-pubout", "-out",
                        f"{service.base}/other.pem"], check=True, stderr=subprocess.DEVNULL)
        done = service.cli("audit", "verify", service.audit, "--key", f"{service.base}/other.pem",
                           check=False)
        equal(done.returncode, 1, "with another key")
        equal(verdict(service)["good"], True, "with the key")
        # The public key is what the page says: openssl reads it.
        subprocess.run(["openssl", "ec", "-pubin", "-in", audit_key(service), "-noout"],
                       check=True, stderr=subprocess.DEVNULL)


@case
def the_audit_key_cannot_leave_the_token_and_is_nobody_elses():
    with Service(extra=quick()) as service:
        service.start()
        service.import_leaf()
        told = json.loads(service.cli("audit", "key", "--json").stdout)
        for part in ("SENSITIVE=1", "EXTRACTABLE=0", "NEVER_EXTRACTABLE=1", "LOCAL=1"):
            contains(told["attributes"], part, "attributes")
        rebuilt = service.cli("doctor", "--rebuild-catalog").stdout
        assert told["key_id"] not in rebuilt, rebuilt
        assert told["key_id"] not in service.cli("list", "--json").stdout
        contains(service.cli("doctor", check=False).stdout, told["key_id"], "doctor")
        made = [record for record in records_of(service) if record["act"] == "audit-key"]
        equal([record["key_id"] for record in made], [told["key_id"]], "made once")
        equal(service.stop(), 0, "exit status")
        listed = service.pkcs11_tool("--list-objects", "--type", "privkey").stdout.decode()
        contains(listed, "stirkeep audit", "on the token")
        service.start()
        equal(json.loads(service.cli("audit", "key", "--json").stdout)["key_id"], told["key_id"],
              "after a restart")


@case
def the_death_of_a_room_is_in_the_trail():
    with Service(extra=quick()) as service:
        service.start()
        service.kill("front")
        wait_until("front is back", lambda: any(
            record["act"] == "room-up" for record in records_of(service)))
        acts = [(record["act"], record["detail"]) for record in records_of(service)
                if record["act"].startswith("room-")]
        equal(len(acts), 2, f"{acts}")
        equal(acts[0][0], "room-down", "first")
        contains(acts[0][1], "front: ended by signal 9", "how")
        equal(acts[1], ("room-up", "front"), "then")


# ---- killed


@case
def every_passport_that_a_client_has_is_in_the_trail_however_often_the_keeper_is_killed():
    digests, kills, took = [], 0, 0.0
    # Long enough for a keeper to be born again on a busy host: all that is asked for is answered.
    extra = {**quick(**{"rotate-size": "4M", "seal-records": "5000"}),
             "signing": {"deadline-ms": "20000"}}
    with Service(extra=extra) as service:
        service.start()
        service.import_leaf()
        audit_key(service)
        while kills < KILLS:
            for _ in range(min(KILLS_OF_ONE_START, KILLS - kills)):
                clients = [Client(service) for _ in range(2)]
                began = time.monotonic()
                for client in clients:
                    client.start()
                # Others, who keep it as busy as it can be.
                load = subprocess.Popen(
                    [f"{service.libexec}/stirkeep", "bench", "Alpha", "--connections", "4",
                     "--window", "64", "--seconds", "1"], env=service.environment(),
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                time.sleep(0.2 + 0.01 * (kills % 37))
                service.kill("keeper")
                kills += 1
                before = len(clients[0].digests)
                wait_until("signing goes on", lambda: len(clients[0].digests) > before + WINDOW,
                           30)
                for client in clients:
                    digests += client.finish()
                    equal(client.refused, {}, "refused")
                load.wait(30)
                took += time.monotonic() - began
                equal(verdict(service)["good"], True, "verified")
            equal(service.stop(), 0, "exit status")
            service.start()
        expect_all(service, digests)
        equal(len(set(digests)), len(digests), "signatures given out twice")
        starts, stops = (sum(f'"act":"{act}",' in line for line in lines_of(service))
                         for act in ("start", "stop"))
        equal(starts - stops - 1, kills, "starts without a stop")
        torn = glob.glob(f"{service.audit}.torn-*")
        found = verdict(service)
        note(f"{kills} kills, {len(digests)} PASSporTs received in {took:.1f} s, "
             f"{found['records']} records in {found['files']} files, {found['seals']} seals, "
             f"{len(torn)} torn lines put aside")


# ---- a full disk


class Small:
    """A file system of 8 MiB: ext4 in a file, or where there is no loop device, in memory."""

    def __init__(self):
        try:
            self.disk, self.kind = Disk(size=8 << 20), "ext4"
        except Skip:
            self.disk, self.kind = Memory(8 << 20), "tmpfs"
        self.mounted = self.disk.mounted

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.disk.remove()

    def fill(self, leave):
        """Take what is free but for `leave` bytes."""
        free = os.statvfs(self.mounted)
        with open(f"{self.mounted}/filler", "wb") as filler:
            left = free.f_bfree * free.f_frsize - leave
            try:
                while left > 0:
                    left -= filler.write(b"\0" * min(left, 4096))
                filler.flush()
                os.fsync(filler.fileno())
            except OSError:  # full earlier than it said
                pass

    def empty(self):
        os.unlink(f"{self.mounted}/filler")


class Limit:
    """For those who may not mount: the keeper's file size limit, which a write meets in the same way."""

    def __init__(self, service):
        self.pid, self.path = service.pid("keeper"), service.audit

    def set(self, soft):
        """Set by its own user: root may not everywhere."""
        user = {"user": ROOMS["keeper"], "group": ROOMS["keeper"], "extra_groups": []}
        subprocess.run(["prlimit", "--pid", str(self.pid), f"--fsize={soft}:unlimited"],
                       check=True, **(user if ROOT else {}))

    def fill(self, leave):
        self.set(os.stat(self.path).st_size + leave)

    def empty(self):
        self.set("unlimited")


def refused_while_full(service, client, before):
    """What is said by all who ask, and what the trail holds by then."""
    wait_until("it is refused", lambda: client.refused.get(UNAVAILABLE, 0) > 200, 30)
    done = service.sign(check=False)  # the end of a block may have room for one
    for _ in range(20):
        done = done if done.returncode else service.sign(check=False)
    equal(done.returncode, 1, "the command")
    contains(done.stderr, "audit trail", "the command")
    told = json.loads(service.cli("status", "--json", check=False).stdout)
    equal(told["ready"], False, "status")
    contains(told["detail"], "audit trail cannot be written", "status")
    received = before + client.digests
    equal(verdict(service)["good"], True, "verified while it is full")
    expect_all(service, received)


def fill_up(service, small):
    """Full in the midst of signing, and empty again; nobody is restarted, nobody told anything else."""
    digests, took = sign_some(service, 50), []
    keeper = service.pid("keeper")
    for leave in (200_000, 30_000, 700, 0):
        client = Client(service)
        client.start()
        wait_until("it signs", lambda: len(client.digests) > WINDOW)
        small.fill(leave)
        refused_while_full(service, client, digests)
        refused, had = client.refused.get(UNAVAILABLE, 0), len(client.digests)
        began = time.monotonic()
        small.empty()
        wait_until("it signs again", lambda: len(client.digests) > had, 10, 0.001)
        took.append(time.monotonic() - began)
        digests += client.finish()
        equal(set(client.refused), {UNAVAILABLE}, "what it says")
        assert refused > 200, refused
        digests += sign_some(service, 20)
    equal(service.pid("keeper"), keeper, "nobody was restarted")
    wait_sealed(service)
    equal(service.stop(), 0, "exit status")
    expect_all(service, digests)
    equal(len(set(digests)), len(digests), "signatures given out twice")
    found = verdict(service)
    equal((found["good"], found["uncovered"], found["unsealed"]), (True, 0, 1), "verdict")
    equal(glob.glob(f"{service.audit}.torn-*") + glob.glob(f"{service.audit}.next"), [], "left over")
    contains(service.said(), "nothing is signed until it can be written", "the log")
    contains(service.said(), "is written again", "the log")
    note(f"signed again {max(took) * 1000:.0f} ms after there was room, at most")


@case
def on_a_full_disk_nothing_is_signed_and_nothing_torn_and_then_it_goes_on():
    for mode in ("interval", "always"):
        with Small() as small:
            note(f"sync = {mode}, on {small.kind}")
            log = f"{small.mounted}/log"
            os.mkdir(log, 0o700)
            os.chown(log, ROOMS["keeper"], ROOMS["keeper"])
            extra = quick(file=f"{log}/audit.jsonl", sync=mode, **{"rotate-size": "1M"})
            with Service(extra=extra) as service:
                service.audit = f"{log}/audit.jsonl"
                service.start()
                service.import_leaf()
                fill_up(service, small)


@case
def at_the_file_size_limit_nothing_is_signed_and_nothing_torn_and_then_it_goes_on():
    for mode in ("interval", "always", "none"):
        note(f"sync = {mode}")
        # One file: a limit of this kind knows nothing of the disk, and a new file would have room.
        with Service(extra=quick(sync=mode, **{"rotate-size": "0"})) as service:
            service.start()
            service.import_leaf()
            fill_up(service, Limit(service))


# ---- the witness


def witnessed(**more):
    base = tempfile.mkdtemp(prefix="stirkeep-witness-")
    os.chmod(base, 0o755)
    extra = quick(witness=f"{base}/seals", **more)
    return base, extra


@case
def the_witness_finds_what_was_cut_off_and_what_was_put_back():
    base, extra = witnessed(compress="no", **{"rotate-size": "0"})
    try:
        with Service(extra=extra) as service:
            service.start()
            service.import_leaf()
            sign_some(service, 30)
            wait_sealed(service)
            shutil.copy(service.audit, f"{base}/old.jsonl")
            sign_some(service, 30)
            equal(service.stop(), 0, "exit status")
            seals = f"{base}/seals"
            about = os.stat(seals)
            equal((about.st_uid, stat.S_IMODE(about.st_mode) & 0o022), (os.geteuid(), 0),
                  "whose it is")
            with open(seals) as file:
                kept = file.read().splitlines()
            equal(kept, [line for line in service.records() if '"act":"seal"' in line],
                  "what it was given")
            # The key as the auditor has it: the service is gone.
            service.start()
            key = audit_key(service, base)
            equal(service.stop(), 0, "exit status")
            arguments = ("--key", key, "--witness", seals)
            service.cli("audit", "verify", service.audit, *arguments)
            # Cut off behind the first seals: a whole and sealed trail, but for the witness.
            lines = text_of(service.audit).splitlines(keepends=True)
            last = [i for i, line in enumerate(lines) if '"act":"seal"' in line][1]
            with open(f"{base}/cut.jsonl", "w") as file:
                file.writelines(lines[:last + 1])
            for path in (f"{base}/cut.jsonl", f"{base}/old.jsonl"):
                service.cli("audit", "verify", path, "--key", key)
                done = service.cli("audit", "verify", path, *arguments, check=False)
                equal(done.returncode, 1, path)
                contains(done.stderr, "witness", path)
    finally:
        shutil.rmtree(base)


@case
def the_keeper_cannot_write_to_the_witness():
    if not ROOT:
        raise Skip("all rooms have the same user")
    base, extra = witnessed()
    try:
        with Service(extra=extra) as service:
            service.start()
            wait_until("a seal is there", lambda: os.path.exists(f"{base}/seals"))
            done = subprocess.run(["sh", "-c", f"echo >> {base}/seals"], user=ROOMS["keeper"],
                                  group=ROOMS["keeper"], extra_groups=[],
                                  stderr=subprocess.DEVNULL)
            assert done.returncode != 0
    finally:
        shutil.rmtree(base)


@case
def seals_go_to_a_command_and_to_the_log_and_what_was_missed_comes_later():
    base = tempfile.mkdtemp(prefix="stirkeep-witness-")
    script, out = f"{base}/take.sh", f"{base}/taken"
    with open(script, "w") as file:
        file.write(f"[ -e {base}/open ] || exit 1\ncat >> {out}\n")
    try:
        with Service(extra=quick(**{"witness-command": f"/bin/sh {script}"})) as service:
            service.start()
            for _ in range(3):
                service.sign(check=False)
                wait_sealed(service)
                time.sleep(0.3)
            assert not os.path.exists(out)
            open(f"{base}/open", "w").close()
            seals = [line for line in service.records() if '"act":"seal"' in line]
            wait_until("the command has them", lambda: os.path.exists(out) and
                       len(open(out).read().splitlines()) >= len(seals), 20)
            with open(out) as file:
                equal(file.read().splitlines()[:len(seals)], seals, "in order")
            equal(service.stop(), 0, "exit status")
            seals = [line for line in service.records() if '"act":"seal"' in line]
            with open(out) as file:
                equal(file.read().splitlines(), seals, "the last one too")
            for line in seals:
                record = json.loads(line)
                contains(service.said(), f"audit seal through {record['through']} head "
                         f"{record['head']}", "the log")
    finally:
        shutil.rmtree(base)


# ---- numbers


@case
def hashed_numbers_can_be_proven_and_not_read():
    base = tempfile.mkdtemp(prefix="stirkeep-numbers-")
    key = os.urandom(48)
    with open(f"{base}/key", "wb", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(key)
    try:
        with Service(extra=quick(numbers="hashed", **{"number-key": f"{base}/key"})) as service:
            service.start()
            service.import_leaf()
            service.sign()
            service.cli("sign", "Alpha", "--orig", "12155559999", "--dest", "12155551213", "--attest",
                        "A", "--ppt", "div", check=False)
            equal(service.stop(), 0, "exit status")
            text = text_of(service.audit)
            for number in ("12155551212", "12155551213", "12155559999"):
                assert number not in text, "a number stands in the trail"
            signed = [json.loads(line) for line in text.splitlines() if '"act":"sign"' in line]

            def hashed(number):
                return "h:" + hmac.new(key, number.encode(), hashlib.sha256).hexdigest()[:32]
            equal(signed[0]["orig"], hashed("12155551212"), "orig")
            equal(signed[0]["dest"], [hashed("12155551213")], "dest")
            # Who has not the key, and a key that is open to others, start nothing.
            os.chmod(f"{base}/key", 0o644)
            service.start(ready=False)
            equal(service.porter.wait(20), 1, "with a key open to others")
            contains(service.said(), "lets others at the key for numbers", "why")
    finally:
        shutil.rmtree(base)


if __name__ == "__main__":
    run()
