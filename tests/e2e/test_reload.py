# SPDX-License-Identifier: BSD-2-Clause
"""Another policy takes over while the service runs: all of it or nothing, and nobody notices."""
import collections
import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time

import passports
import wire
from built import PATIENCE
from stirkeep import PATIENT, ROOMS, ROOT, STRANGER, Service, wait_until
from tap import Skip, case, contains, equal, note, run

ME = os.geteuid()
SAN_FRANCISCO, NEW_JERSEY = "14155550100", "12015550100"

# Two policies of which no part fits the other: what is decided by half of each shows.
RED = f"""[grant red]
user = {ME}
certificates = *
attest = A
orig = 1415555*
[grant load]
user = {ME}
certificates = *
attest = C
"""
BLUE = f"""[grant load]
user = {ME}
certificates = *
attest = C
[grant blue]
user = {ME}
certificates = *
attest = B
orig = 1201555*
"""
GRANT_OF = {("A", SAN_FRANCISCO): "red", ("B", NEW_JERSEY): "blue"}


class PatientService(Service):
    """On a busy machine nothing comes to its deadline: it is reloads that are tried."""

    def write_config(self, grants=None, extra=None, label="stirkeep"):
        super().write_config(grants, {**PATIENT, **(extra or {})}, label)


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def policies(service):
    """What became of each; before those that took over there is one that says it is about to.

    A new intake says again which is in force, whatever has begun.
    """
    found = [record for record in map(json.loads, service.records()) if record["act"] == "policy"]
    in_force = None
    for before, record in zip([None] + found, found):
        if record["outcome"] != "ok":
            continue
        if before is not None and before["outcome"] == "begun" and record["detail"] != in_force:
            equal(before["detail"], record["detail"], "what began")
        in_force = record["detail"]
    return [record for record in found if record["outcome"] != "begun"]


def sighup(service):
    """SIGHUP, and the record of what came of it."""
    before = len(policies(service))
    service.porter.send_signal(signal.SIGHUP)
    wait_until("the reload is recorded", lambda: len(policies(service)) > before)
    return policies(service)[before]


def reload(service):
    return json.loads(service.cli("reload", "--json").stdout)


def ask(connection, number, **keys):
    connection.send(wire.sign_request(number, **keys))
    return connection.receive()


def pid_files(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def memory(pid):
    """Resident, in KiB."""
    with open(f"/proc/{pid}/status") as status:
        return int(next(line for line in status if line.startswith("VmRSS:")).split()[1])


# ---- what a reload does

@case
def the_policy_in_force_is_recorded_at_the_start(service):
    wait_until("the policy is recorded", lambda: policies(service))
    equal(len(policies(service)), 1)
    record = policies(service)[0]
    equal(record["outcome"], "ok")
    equal(record["detail"], f"configuration {digest_of(service.config)} attestation - "
                            "grants 1 rules 0")
    assert "uid" not in record, record
    status = json.loads(service.cli("status", "--json").stdout)
    equal(status["configuration"], digest_of(service.config))


@case
def sighup_takes_other_grants_on_connections_that_are_open(service):
    service.write_config(RED)
    equal(sighup(service)["outcome"], "ok")
    with wire.Connection(service.sign_socket) as connection:
        equal(ask(connection, 1, attest="A", orig=SAN_FRANCISCO).status, 0)
        answer = ask(connection, 2, attest="B", orig=NEW_JERSEY)
        equal(answer.status, wire.STATUS["not-permitted"])
        service.write_config(BLUE)
        record = sighup(service)
        contains(record["detail"], f"configuration {digest_of(service.config)} ")
        equal(ask(connection, 3, attest="B", orig=NEW_JERSEY).status, 0)
        answer = ask(connection, 4, attest="A", orig=SAN_FRANCISCO)
        equal(answer.status, wire.STATUS["not-permitted"])
    grants = [json.loads(line).get("grant") for line in service.records()
              if '"act":"sign"' in line]
    equal(grants[-2:], ["red", "blue"])


@case
def stirkeep_reload_answers_what_is_in_force_and_is_recorded_with_who_asked(service):
    service.write_config(RED)
    answer = reload(service)
    equal(answer, {"configuration": digest_of(service.config), "attestation": "",
                   "grants": 2, "attest_rules": 0})
    record = policies(service)[-1]
    equal((record["outcome"], record["uid"]), ("ok", ME))
    assert record["pid"] > 0 and record["request_id"], record


@case
def a_peer_that_lost_its_grant_is_refused_and_may_stay(service):
    with wire.Connection(service.sign_socket) as connection:
        equal(ask(connection, 1, attest="A", orig=SAN_FRANCISCO).status, 0)
        service.write_config(f"[grant other]\nuser = {STRANGER}\ncertificates = *\nattest = A\n")
        reload(service)
        equal(ask(connection, 2, attest="A", orig=SAN_FRANCISCO).status,
              wire.STATUS["not-permitted"])
        service.write_config(RED)
        reload(service)
        equal(ask(connection, 3, attest="A", orig=SAN_FRANCISCO).status, 0)


def refused_reload(service, *parts):
    """Nothing has changed, and the answer, the log and the trail say why."""
    before = json.loads(service.cli("status", "--json").stdout)
    done = service.cli("reload", check=False)
    equal(done.returncode, 1)
    record = policies(service)[-1]
    equal((record["outcome"], record["uid"]), ("config", ME))
    for part in parts:
        contains(done.stderr, part, "answer")
        contains(record["detail"], part, "trail")
        contains(service.said(), part, "log")
    after = json.loads(service.cli("status", "--json").stdout)
    equal(after["configuration"], before["configuration"])
    with wire.Connection(service.sign_socket) as connection:
        equal(ask(connection, 1, attest="A", orig=SAN_FRANCISCO).status, 0)
        equal(ask(connection, 2, attest="B", orig=NEW_JERSEY).status,
              wire.STATUS["not-permitted"])


@case
def a_faulty_file_changes_nothing_and_is_named_with_line_and_reason(service):
    service.write_config(BLUE + "colour = green\n")
    with open(service.config) as file:
        line = file.read().splitlines().index("colour = green") + 1
    refused_reload(service, f"{service.config}:{line}: [grant blue] colour: no such key")


@case
def a_faulty_line_of_the_attestation_rules_is_named(service):
    rules = f"{service.base}/attest.csv"
    with open(rules, "w") as out:
        out.write("number,level\n14155550100,A\n1415555,maybe\n")
    service.write_config(BLUE, {"attestation": {"file": rules}})
    refused_reload(service, f"{rules}:3: ")
    os.chmod(rules, 0o666)
    refused_reload(service, f"{rules}: everybody may write to it")
    os.unlink(rules)
    refused_reload(service, f"{rules}: No such file or directory")


@case
def what_only_a_restart_takes_is_refused_by_name(service):
    for section, keys in (("token", {"call-timeout-ms": "2001"}),
                          ("sockets", {"sign": f"{service.run}/other.sock"}),
                          ("audit", {"sync": "none"}), ("signing", {"deadline-ms": "499"})):
        service.write_config(BLUE, {section: keys})
        refused_reload(service, f"[{section}] {next(iter(keys))}: only a restart takes a change")
    service.write_config(RED)
    reload(service)


@case
def attestation_rules_come_change_and_go(service):
    rules = f"{service.base}/attest.csv"
    grants = (f"[grant all]\nuser = {ME}\ncertificates = *\nattest = A, B, C\n")
    with open(rules, "w") as out:
        out.write(f"{SAN_FRANCISCO},A\n1201555*,C\n")
    with wire.Connection(service.sign_socket) as connection:
        service.write_config(grants, {"attestation": {"file": rules, "exceed": "lower"}})
        answer = reload(service)
        equal((answer["attestation"], answer["attest_rules"]), (digest_of(rules), 2))
        equal(ask(connection, 1, attest="A", orig=SAN_FRANCISCO).signed.attest, "A")
        answer = ask(connection, 2, attest="A", orig=NEW_JERSEY)
        equal((answer.status, answer.signed.attest), (0, "C"), answer.message)
        record = json.loads(service.records()[-1])
        equal((record["attest"], record["attest_asked"]), ("C", "A"))
        # The same file with other rules, refusing now.
        with open(rules, "w") as out:
            out.write(f"{SAN_FRANCISCO},B\n")
        service.write_config(grants, {"attestation": {"file": rules, "exceed": "refuse"}})
        equal(reload(service)["attest_rules"], 1)
        answer = ask(connection, 3, attest="A", orig=SAN_FRANCISCO)
        equal(answer.status, wire.STATUS["not-permitted"])
        contains(answer.message, f"{rules}:1 ")
        # front is born with them, too
        service.kill("front")
        wait_until("front is new", lambda: service.cli("status", check=False).returncode == 0)
    with wire.Connection(service.sign_socket) as connection:
        equal(ask(connection, 1, attest="A", orig=SAN_FRANCISCO).status,
              wire.STATUS["not-permitted"])
        service.write_config(grants)
        equal(reload(service)["attestation"], "")
        equal(ask(connection, 2, attest="A", orig=SAN_FRANCISCO).status, 0)


@case
def administrators_come_and_go(service):
    service.write_config(RED, {"admin": {"user": str(STRANGER)}})
    equal(sighup(service)["outcome"], "ok")
    done = service.cli("list", check=False)
    contains(done.stderr, "no administrator")
    if ROOT:
        service.cli("list", uid=STRANGER)
    service.write_config(RED)
    sighup(service)
    service.cli("list")


@case
def a_grant_for_a_program_comes_by_reload(service):
    with wire.Connection(service.sign_socket) as connection:  # open already
        equal(ask(connection, 1, attest="A", orig=SAN_FRANCISCO).status, 0)
        service.write_config(RED.replace("[grant red]\n", "[grant red]\nexecutable = "
                                         f"{os.path.realpath(sys.executable)}\n"))
        reload(service)
        answer = ask(connection, 2, attest="A", orig=SAN_FRANCISCO)
        if answer.status != 0 and "SO_PEERPIDFD" in service.said():
            raise Skip("this kernel does not tell the process")
        equal(answer.status, 0, answer.message)
        done = service.cli("sign", "Alpha", "--orig", SAN_FRANCISCO, "--dest", "12155551213",
                           "--attest", "A", check=False)
        equal(done.returncode, 1, "another program")
    service.write_config(RED)
    reload(service)


# ---- under load

class Client(threading.Thread):
    """Asks for both colours and for mixtures, as fast as it is answered; keeps every answer."""
    WINDOW = 32
    KINDS = (("A", SAN_FRANCISCO), ("B", NEW_JERSEY), ("A", NEW_JERSEY), ("B", SAN_FRANCISCO))

    def __init__(self, service, over):
        super().__init__()
        self.service, self.over = service, over
        self.counts = collections.Counter()
        self.faults = []
        self.identities = []
        self.start()

    def request(self, number):
        attest, orig = self.KINDS[number % len(self.KINDS)]
        return wire.sign_request(number, attest=attest, orig=orig)

    def run(self):
        try:
            with wire.Connection(self.service.sign_socket, timeout=10) as connection:
                connection.send(*[self.request(number) for number in range(self.WINDOW)])
                number, waiting = self.WINDOW, self.WINDOW
                while waiting:
                    answer = connection.receive()
                    if answer is None:
                        raise ConnectionError("closed by the service")
                    waiting -= 1
                    self.take(answer)
                    if not self.over.is_set():
                        connection.send(self.request(number))
                        number, waiting = number + 1, waiting + 1
        except Exception as why:  # told by the case
            self.faults.append(repr(why))

    def take(self, answer):
        kind = self.KINDS[answer.id % len(self.KINDS)]
        self.counts[kind, answer.status] += 1
        if answer.status == 0:
            if kind not in GRANT_OF:
                self.faults.append(f"{kind} was signed: by half of each policy")
            self.identities.append((kind, answer.signed.identity))
            del self.identities[:-200]
        elif answer.status != wire.STATUS["not-permitted"]:
            self.faults.append(f"{kind}: {answer.status} {answer.message}")
        elif kind in GRANT_OF and f"grant {GRANT_OF[kind]}:" in answer.message:
            self.faults.append(f"{kind} was refused by what allows it: {answer.message}")


def check_records(lines):
    """Each signature was allowed by one whole policy, and each refusal is one's."""
    signed = collections.Counter()
    for record in map(json.loads, lines):
        kind = record.get("attest"), record.get("orig")
        if record["act"] == "refuse" and kind in GRANT_OF:
            assert f"grant {GRANT_OF[kind]}:" not in record["reason"], record
        if record["act"] != "sign":
            continue
        equal(record["outcome"], "ok", record)
        if record["grant"] == "load":
            continue
        equal(record["grant"], GRANT_OF.get(kind), record)
        signed[record["grant"]] += 1
    return signed


@case
def fifty_reloads_under_load_and_every_request_is_decided_by_one_whole_policy(service):
    reloads, over = 50, threading.Event()
    key = passports.public_key(f"{service.lab}/leaf.pem")
    begun = len(service.records())
    before = {room: (pid_files(service.pid(room)), memory(service.pid(room)))
              for room in ("front", "intake")} if ROOT else {}
    bench = subprocess.Popen([f"{service.libexec}/stirkeep", "bench", "Alpha", "--connections", "2",
                              "--window", f"{64 // PATIENCE}", "--seconds", "8", "--attest", "C", "--json"],
                             env=service.environment(), stdout=subprocess.PIPE, text=True)
    clients = [Client(service, over) for _ in range(4)]
    times = []
    for turn in range(reloads):
        service.write_config(BLUE if turn % 2 == 0 else RED)
        began = time.monotonic()
        reload(service)
        times.append(time.monotonic() - began)
        time.sleep(0.05)
    load = json.loads(bench.communicate()[0])
    over.set()
    for client in clients:
        client.join()
    counts = sum((client.counts for client in clients), collections.Counter())
    note(f"{reloads} reloads: median {sorted(times)[reloads // 2] * 1000:.0f} ms, longest "
         f"{max(times) * 1000:.0f} ms")
    note(f"beside them {load['signatures']} signatures, {load['failures']} failures, "
         f"longest {load['max_us']} us")
    note(", ".join(f"{attest} {orig} {status}: {count}"
                   for ((attest, orig), status), count in sorted(counts.items())))
    equal([fault for client in clients for fault in client.faults], [])
    equal(load["failures"], 0, load)
    for kind in GRANT_OF:  # both have had their time
        assert counts[kind, 0] > 100 / PATIENCE, counts
        assert counts[kind, wire.STATUS["not-permitted"]] > 100 / PATIENCE, counts
    wait_until("all is recorded", lambda: sum(record["outcome"] == "ok" for record in map(
        json.loads, service.records()[begun:]) if record["act"] == "policy") == reloads, 20)
    signed = check_records(service.records()[begun:])
    equal(signed["red"], counts[("A", SAN_FRANCISCO), 0], "records of red")
    equal(signed["blue"], counts[("B", NEW_JERSEY), 0], "records of blue")
    for client in clients:
        for kind, identity in client.identities[::20]:
            assert passports.verifies(identity, key)
            _, payload = passports.claims_of(identity)
            equal((payload["attest"], payload["orig"]["tn"]), kind)
    for room, (files, kib) in before.items():
        after = memory(service.pid(room))
        note(f"{room}: {kib} KiB before, {after} KiB after")
        equal(pid_files(service.pid(room)), files, f"open files of {room}")
    equal(reload(service)["configuration"], digest_of(service.config))


def sign_during_reload(service, what):
    """Reload, and sign all the while; the answer, and how long the slowest signature took."""
    answers, done = [], threading.Event()

    def reload_once():
        try:
            answers.append(reload(service))
        finally:
            done.set()
    thread = threading.Thread(target=reload_once)
    slowest, number, began = 0.0, 0, time.monotonic()
    thread.start()
    with wire.Connection(service.sign_socket) as connection:
        while not done.is_set():
            number += 1
            asked = time.monotonic()
            answer = ask(connection, number, attest="A", orig=SAN_FRANCISCO)
            slowest = max(slowest, time.monotonic() - asked)
            equal(answer.status, 0, answer.message)
    thread.join()
    note(f"{what} in {time.monotonic() - began:.2f} s; of {number} signatures meanwhile the "
         f"slowest took {slowest * 1000:.1f} ms")
    assert slowest < 0.5 * PATIENCE, slowest  # the deadline of a signature
    return answers[0]


@case
def a_reload_of_many_rules_holds_nobody_up(service):
    rules, count = f"{service.base}/many.csv", 200000
    with open(rules, "w") as out:
        out.writelines(f"1415{number:07d},A\n" for number in range(count))
    service.write_config(RED, {"attestation": {"file": rules, "default": "A"}})
    equal(sign_during_reload(service, f"{count} rules")["attest_rules"], count)
    service.write_config(RED)
    reload(service)


@case
def a_reload_of_many_grants_holds_nobody_up(service):
    grants, numbers = 200 // PATIENCE, 1000
    text = RED
    for grant in range(grants):
        text += f"[grant many{grant}]\nuser = {ME}\ncertificates = *\nattest = B\norig = "
        text += ",\n  ".join(f"1646{grant:03d}{number:04d}" for number in range(numbers)) + "\n"
    service.write_config(text)
    equal(sign_during_reload(service, f"{grants} grants of {numbers} numbers")["grants"], grants + 2)
    service.write_config(RED)
    reload(service)


# ---- and rooms that die

@case
def rooms_killed_during_reloads_hold_nothing_up_and_the_last_word_counts(service):
    begun = len(service.records())
    for turn in range(9):
        service.write_config(BLUE if turn % 2 == 0 else RED)
        service.porter.send_signal(signal.SIGHUP)
        time.sleep(0.003 * turn)
        service.kill(sorted(ROOMS)[turn % 3])
        time.sleep(0.3)
    service.wait_ready()

    def is_taken():
        done = service.cli("reload", "--json", check=False)
        return done.returncode == 0 and json.loads(done.stdout)
    service.write_config(BLUE)
    answer = wait_until("a reload is taken", is_taken, 20, 0.2)
    equal(answer["configuration"], digest_of(service.config))
    with wire.Connection(service.sign_socket) as connection:
        equal(ask(connection, 1, attest="B", orig=NEW_JERSEY).status, 0)
        equal(ask(connection, 2, attest="A", orig=SAN_FRANCISCO).status,
              wire.STATUS["not-permitted"])
    check_records(service.records()[begun:])
    service.cli("audit", "verify", service.audit)


@case
def without_a_trail_nothing_takes_over(service):
    """The keeper, which writes it, does nothing for a while."""
    service.write_config(RED)
    reload(service)
    red = digest_of(service.config)
    service.write_config(BLUE)
    keeper = service.pid("keeper")
    os.kill(keeper, signal.SIGSTOP)
    try:
        done = service.cli("reload", check=False)
        equal(done.returncode, 1)
        contains(done.stderr, "cannot be recorded")
        status = service.cli("status", "--json", check=False).stdout  # it tells of the keeper, too
        equal(json.loads(status)["configuration"], red)
    finally:
        os.kill(keeper, signal.SIGCONT)
    with wire.Connection(service.sign_socket) as connection:
        wait_until("it signs again", lambda: ask(
            connection, 1, attest="A", orig=SAN_FRANCISCO).status == 0)
        wait_until("what came of it is recorded", lambda: policies(service)[-1]["outcome"] ==
                   "audit-unavailable")
        equal(reload(service)["configuration"], digest_of(service.config))
        equal(ask(connection, 2, attest="B", orig=NEW_JERSEY).status, 0)
    service.cli("audit", "verify", service.audit)


@case
def a_restart_begins_with_the_file_as_it_is(service):
    service.write_config(RED)
    equal(service.stop(), 0)
    before = len(policies(service))
    service.start()
    wait_until("the policy is recorded", lambda: len(policies(service)) > before)
    contains(policies(service)[-1]["detail"], digest_of(service.config))
    with wire.Connection(service.sign_socket) as connection:
        equal(ask(connection, 1, attest="A", orig=SAN_FRANCISCO).status, 0)


if __name__ == "__main__":
    with PatientService() as the_service:
        the_service.start()
        the_service.import_leaf()
        run(service=the_service)
