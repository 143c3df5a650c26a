# SPDX-License-Identifier: BSD-2-Clause
"""Generations under one name: the next, back to the one before, and signatures meanwhile."""
import json
import os
import threading

import passports
import wire
from lives import fingerprint, signs_with, states, x5u_of
from stirkeep import Service
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


@case
def signing_goes_on_while_generations_change(service):
    """No request fails, and no answer has one certificate's x5u and another one's signature."""
    keys = {fingerprint(service, leaf):
            passports.public_key(f"{service.lab}/{leaf}.pem") for leaf in ("one", "two", "three")}
    done, answers, failed = threading.Event(), [], []

    def load():
        with wire.Connection(service.sign_socket, timeout=30) as connection:
            number = 0
            while not done.is_set():
                connection.send(*[wire.sign_request(number + n) for n in range(32)])
                for _ in range(32):
                    answer = connection.receive()
                    (answers if answer.status == 0 else failed).append(answer)
                number += 32

    thread = threading.Thread(target=load)
    thread.start()
    try:
        service.import_leaf("Alpha", "three")
        for _ in range(ROUNDS):
            service.cli("rollback", "Alpha")
            done_again = service.cli("import", "Alpha", "--cert",
                                     f"{service.lab}/three-chain.pem", "--key",
                                     f"{service.base}/three.key", "--keep-source")
            contains(done_again.stdout, "active", "answer")
    finally:
        done.set()
        thread.join()
    equal([(answer.status, answer.message) for answer in failed], [], "failed requests")
    used = set()
    for answer in answers:
        identity = answer.signed.identity
        mark = x5u_of(identity).rsplit("/", 1)[1].removesuffix(".pem")
        used.add(mark)
        assert passports.verifies(identity, keys[mark]), "a mixed answer"
    note(f"{len(answers)} signatures through {2 * ROUNDS} changes, by {len(used)} certificates")
    assert len(used) >= 2


@case
def chains_are_published_where_their_x5u_says(service):
    served = f"{service.base}/served"
    os.mkdir(served)
    service.import_leaf("Beta", "beta")
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
    import shutil
    with Service() as the_service:
        the_service.make_chain("709J", "one", "two", "three", "beta", "gamma")
        shutil.copy(f"{the_service.lab}/three.key", f"{the_service.base}/three.key")
        the_service.start()
        run(service=the_service)
