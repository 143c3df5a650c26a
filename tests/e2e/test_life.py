# SPDX-License-Identifier: BSD-2-Clause
"""Generations under one name: the next, back to the one before, and signatures meanwhile."""
import concurrent.futures
import json
import os
import struct
import subprocess
import threading
import time

import passports
import wire
from lives import fingerprint, signs_with, states, x5u_of
from stirkeep import PATIENT, Service
from tap import case, contains, equal, note, run

ROUNDS = 50


@case
def a_new_certificate_is_the_next_generation(service):
    service.import_leaf("Alpha", "one")
    signs_with(service, "Alpha", "one")
    service.import_leaf("Alpha", "two")
    signs_with(service, "Alpha", "two")
    equal(states(service, "Alpha"), {1: "previous", 2: "active"}, "states")


@case
def a_roll_back_signs_with_the_one_before(service):
    done = service.cli("rollback", "Alpha")
    contains(done.stdout, "generation 1", "answer")
    signs_with(service, "Alpha", "one")
    equal(states(service, "Alpha"), {1: "active", 2: "previous"}, "states")
    last = [json.loads(line) for line in service.records()]
    acts = [record for record in last if record["act"] == "rollback"]
    equal([(act["outcome"], act["generation"]) for act in acts], [("ok", 1)], "acts")


@case
def what_has_nothing_before_it_is_refused(service):
    done = service.cli("rollback", "Alpha", check=False)
    equal(done.returncode, 1, done.stdout)
    contains(done.stderr, "no generation before", "stderr")
    equal(service.cli("rollback", "Nobody", check=False).returncode, 1, "an unknown name")
    signs_with(service, "Alpha", "one")


class Flood(threading.Thread):
    """Requests as fast as they are answered, made before, and the answers as they came."""

    BATCH = 256

    def __init__(self, service):
        super().__init__()
        self.connection = wire.Connection(service.sign_socket, timeout=30)
        bodies = [wire.sign_request(n + 1).SerializeToString() for n in range(self.BATCH)]
        self.batch = b"".join(struct.pack(">I", len(body)) + body for body in bodies)
        self.done = threading.Event()
        self.answers, self.began, self.ended = [], 0.0, 0.0

    def take_batch(self):
        pending, at = self.connection.pending, 0
        for _ in range(self.BATCH):
            while len(pending) < at + 4 or \
                    len(pending) < at + 4 + int.from_bytes(pending[at:at + 4], "big"):
                data = self.connection.socket.recv(1 << 20)
                assert data, "the service has closed the connection"
                pending, at = pending[at:] + data, 0
            length = int.from_bytes(pending[at:at + 4], "big")
            self.answers.append(pending[at + 4:at + 4 + length])
            at += 4 + length
        self.connection.pending = pending[at:]

    def run(self):
        self.began = time.monotonic()
        self.connection.send_raw(self.batch)  # one is always under way
        while not self.done.is_set():
            self.connection.send_raw(self.batch)
            self.take_batch()
        self.take_batch()
        self.ended = time.monotonic()
        self.connection.close()

    def stop(self):
        self.done.set()
        self.join()
        return len(self.answers) / (self.ended - self.began)


def judge(work):
    """(failed, mixed, certificates) of raw answers; each is verified by the certificate of its x5u."""
    answers, paths = work
    keys = {mark: passports.public_key(path) for mark, path in paths.items()}
    failed, mixed, used = [], 0, set()
    for raw in answers:
        answer = wire.sign_pb2.Response()
        answer.ParseFromString(raw)
        if answer.status != 0:
            failed.append((answer.status, answer.message))
            continue
        mark = x5u_of(answer.signed.identity).rsplit("/", 1)[1].removesuffix(".pem")
        used.add(mark)
        mixed += not passports.verifies(answer.signed.identity, keys[mark])
    return failed[:10], mixed, used


def judge_all(answers, paths):
    """The same, with all cores."""
    cores = os.cpu_count() or 1
    with concurrent.futures.ProcessPoolExecutor(cores) as pool:
        parts = list(pool.map(judge, [(answers[n::cores], paths) for n in range(cores)]))
    return (sum((part[0] for part in parts), []), sum(part[1] for part in parts),
            set().union(*(part[2] for part in parts)))


@case
def signing_goes_on_at_full_rate_while_generations_change(service):
    """No request fails, and no answer has one certificate's x5u and another one's signature."""
    paths = {fingerprint(service, leaf): f"{service.lab}/{leaf}.pem"
             for leaf in ("one", "two", "three", "renewed")}
    calm = Flood(service)
    calm.start()
    time.sleep(2)
    calm_rate = calm.stop()
    flood = Flood(service)
    flood.start()
    try:
        service.import_leaf("Alpha", "three")
        for number in range(ROUNDS):
            service.cli("rollback", "Alpha")
            leaf = ("three", "renewed")[number % 2]  # a new generation each time: another x5u
            done = service.cli("install", "Alpha", "--cert", f"{service.lab}/{leaf}-chain.pem",
                               "--x5u", f"https://certs.example.com/{number}/"
                                        f"{fingerprint(service, leaf)}.pem")
            contains(done.stdout, "active", "answer")
    finally:
        rate = flood.stop()
    failed, mixed, used = judge_all(flood.answers, paths)
    equal(failed, [], "failed requests")
    equal(mixed, 0, "mixed answers")
    note(f"{len(flood.answers)} signatures through {2 * ROUNDS + 1} changes, all verified, by "
         f"{len(used)} certificates; {rate / calm_rate:.2f} of the rate without changes, while the "
         "commands and openssl use the same cores")
    assert len(used) >= 3, used


@case
def chains_are_published_where_their_x5u_says(service):
    served = f"{service.base}/served"
    os.mkdir(served)
    service.import_leaf("Beta", "beta")
    service.cli("install", "Alpha", "--cert", f"{service.lab}/three-chain.pem", "--x5u",
                f"https://certs.example.com/Alpha/{fingerprint(service, 'three')}.pem")
    equal(service.cli("publish", "--dir", served).stdout, "2 written, 0 unchanged\n", "stdout")
    for name, leaf in (("Alpha", "three"), ("Beta", "beta")):
        with open(f"{service.lab}/{leaf}-chain.pem") as chain, \
                open(f"{served}/{name}/{fingerprint(service, leaf)}.pem") as file:
            equal(file.read(), chain.read(), f"the chain of {name}")
    equal(service.cli("publish", "--dir", served).stdout, "0 written, 2 unchanged\n", "stdout")
    equal(service.cli("publish", "Beta", "--dir", served).stdout, "0 written, 1 unchanged\n",
          "stdout")
    found = [name for _, _, names in os.walk(served) for name in names]
    equal(len(found), 2, f"files: {found}")
    missing = service.cli("publish", "--dir", f"{service.base}/nowhere", check=False)
    equal(missing.returncode, 1, missing.stdout)
    contains(missing.stderr, "nowhere", "stderr")


@case
def what_is_active_is_what_its_x5u_gives_whatever_is_staged_there(service):
    served, x5u = f"{service.base}/one-place", "https://certs.example.com/one.pem"
    os.mkdir(served)
    service.cli("install", "Alpha", "--cert", f"{service.lab}/renewed-chain.pem", "--x5u", x5u,
                "--activate-at", "+7d")
    service.cli("install", "Alpha", "--cert", f"{service.lab}/three-chain.pem", "--x5u", x5u)
    done = service.cli("publish", "Alpha", "--dir", served)
    contains(done.stdout, "1 written, 0 unchanged, 1 staged", "stdout")
    with open(f"{served}/one.pem") as file, open(f"{service.lab}/three-chain.pem") as chain:
        equal(file.read(), chain.read(), "what is published")
    service.cli("install", "Beta", "--cert", f"{service.lab}/beta-chain.pem", "--x5u", x5u)
    done = service.cli("publish", "--dir", served, check=False)
    equal(done.returncode, 1, done.stdout)
    contains(done.stderr, "Beta: its x5u is that of Alpha", "stderr")
    with open(f"{served}/one.pem") as file, open(f"{service.lab}/three-chain.pem") as chain:
        equal(file.read(), chain.read(), "what is published")
    service.cli("retire", "Beta")


@case
def what_leads_out_of_the_directory_is_not_published(service):
    for x5u in ("https://certs.example.com/../etc/x.pem", "https://certs.example.com/.hidden",
                "https://certs.example.com/", "https://certs.example.com/a//b.pem"):
        service.cli("import", "Gamma", "--cert", f"{service.lab}/gamma-chain.pem", "--key",
                    f"{service.lab}/gamma.key", "--keep-source", "--x5u", x5u)
        done = service.cli("publish", "Gamma", "--dir", f"{service.base}/served", check=False)
        equal(done.returncode, 1, f"{x5u}: {done.stdout}")
        contains(done.stderr, "no file to publish", "stderr")


@case
def a_retired_name_is_not_rolled_back(service):
    service.cli("retire", "Alpha")
    done = service.cli("rollback", "Alpha", check=False)
    equal(done.returncode, 1, done.stdout)
    contains(done.stderr, "retired", "stderr")


if __name__ == "__main__":
    with Service(extra=PATIENT) as the_service:
        the_service.make_chain("709J", "one", "two", "three", "beta", "gamma")
        # A renewed certificate for the key of "three".
        subprocess.run(["openssl", "req", "-new", "-key", f"{the_service.lab}/three.key", "-subj",
                        "/C=US/O=Laboratory carrier/CN=SHAKEN 709J", "-out",
                        f"{the_service.lab}/renewed.csr"], check=True)
        the_service.make_chain("709J", "renewed")
        the_service.start()
        run(service=the_service)
