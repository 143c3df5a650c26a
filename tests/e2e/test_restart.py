# SPDX-License-Identifier: BSD-2-Clause
"""Any room killed with SIGKILL: answers again within a second, and nothing acknowledged is lost."""
import json
import os
import subprocess
import threading
import time

import passports
import wire
from built import PATIENCE
from stirkeep import ROOMS, Service, wait_until
from tap import case, equal, note, run

LONG_DEADLINE = 30  # seconds: longer than a keeper's rebirth takes on any machine


def sign_until_good(service, limit=10.0):
    """Seconds until a new client has a signature."""
    began = time.monotonic()
    while time.monotonic() - began < limit:
        try:
            with wire.Connection(service.sign_socket, timeout=limit) as connection:
                connection.send(wire.sign_request(1))
                answer = connection.receive()
                if answer is not None and answer.status == 0:
                    return time.monotonic() - began
        except OSError:
            pass
        time.sleep(0.002)
    raise AssertionError(f"no signature within {limit} s\n{service.said()}")


def answered_after_kill(service, room, rounds):
    times = []
    for _ in range(rounds):
        old = service.kill(room)
        times.append(sign_until_good(service))
        wait_until(f"{room} is new", lambda: service.pid(room) not in (None, old))
        service.wait_ready()
        time.sleep(0.2)
    note(f"{room}: a signature after " + ", ".join(f"{t * 1000:.0f}" for t in times) + " ms")
    # The machine may be busy: the best of the rounds must hold, none may be far off.
    assert min(times) < PATIENCE and max(times) < 5 * PATIENCE, times


@case
def front_killed_signs_again_within_a_second(service):
    answered_after_kill(service, "front", 3)


@case
def intake_killed_signing_goes_on_and_administration_is_back(service):
    answered_after_kill(service, "intake", 3)
    service.cli("show", "Alpha")


@case
def the_keeper_killed_signs_again_within_a_second(service):
    answered_after_kill(service, "keeper", 3)


def ask_across_the_keepers_death(service):
    """400 requests on one connection, half of them sent before it; the answers by id, and seconds."""
    requests = [wire.sign_request(n, deadline_ms=60000) for n in range(1, 401)]
    answers = {}
    with wire.Connection(service.sign_socket, timeout=LONG_DEADLINE * 2) as connection:
        connection.send(*requests[:200])
        service.kill("keeper")
        connection.send(*requests[200:])
        began = time.monotonic()
        while len(answers) < len(requests):
            answer = connection.receive()
            assert answer.id not in answers
            answers[answer.id] = answer
        took = time.monotonic() - began
    key = passports.public_key(f"{service.lab}/leaf.pem")
    for answer in answers.values():
        if answer.status == 0:
            assert passports.verifies(answer.signed.identity, key)
    return answers, took


@case
def requests_that_the_keepers_death_keeps_waiting_are_answered_by_their_deadline(service):
    # However long its rebirth takes here: what is signed before the deadline is not for this test.
    answers, took = ask_across_the_keepers_death(service)
    for answer in answers.values():
        assert answer.status in (0, wire.STATUS["unavailable"], 19), (answer.status, answer.message)
    signed = sum(answer.status == 0 for answer in answers.values())
    note(f"{signed} of 400 signed, the last one answered after {took:.2f} s")
    assert took < 5 * PATIENCE, took  # the deadline is half a second; the machine may be busy


@case
def with_time_enough_all_pipelined_requests_are_signed_across_the_keepers_death(service):
    del service  # whose deadline is half a second
    with Service(extra={"signing": {"deadline-ms": LONG_DEADLINE * 1000}}) as patient:
        patient.start()
        patient.import_leaf()
        for _ in range(3):
            answers, took = ask_across_the_keepers_death(patient)
            note(f"all answered after {took:.2f} s")
            for answer in answers.values():
                equal(answer.status, 0, answer.message)
            patient.wait_ready()


@case
def all_rooms_killed_at_once_come_back(service):
    for room in ROOMS:
        service.kill(room)
    sign_until_good(service)
    service.wait_ready()


@case
def no_acknowledged_import_is_lost_when_rooms_die_while_importing(service):
    names = [f"bulk{n}" for n in range(12)]
    service.make_chain("709J", *names)
    done, acknowledged = threading.Event(), []

    def killer():
        # So few that the back-off between the births of a room stays short.
        for turn in range(15):
            if done.wait(0.15):
                break
            service.kill(("intake", "keeper", "front")[turn % 3])

    thread = threading.Thread(target=killer)
    thread.start()
    try:
        for name in names:
            for _ in range(20):  # as an administrator would: again until it is done
                if service.import_leaf(name, name, check=False).returncode == 0:
                    acknowledged.append(name)
                    break
    finally:
        done.set()
        thread.join()
    service.wait_ready()
    note(f"{len(acknowledged)} of {len(names)} imports acknowledged while rooms were being killed")
    assert acknowledged
    for name in acknowledged:
        identity = service.sign(name).stdout
        assert passports.verifies(identity, passports.public_key(f"{service.lab}/{name}.pem")), name
    # What was not acknowledged has its key file still, and goes in now; or it signs already, and
    # only that its file was removed could not be told.
    for name in set(names) - set(acknowledged):
        if os.path.exists(f"{service.lab}/{name}.key"):
            service.import_leaf(name, name)
        service.sign(name)


@case
def stirkeepd_killed_while_importing_and_started_at_once_loses_nothing(service):
    names = [f"cut{n}" for n in range(10)]
    service.make_chain("709J", *names)
    for turn, name in enumerate(names):
        command = [f"{service.libexec}/stirkeep", "import", name, "--cert",
                   f"{service.lab}/{name}-chain.pem", "--key", f"{service.lab}/{name}.key"]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        with subprocess.Popen(command, env=service.environment(), **quiet) as importing:
            time.sleep(0.008 * turn)
            service.porter.kill()
            service.porter.wait()
            service.stderr.close()
            service.start()  # its rooms may be there still, in the middle of a write
            acknowledged = importing.wait(30) == 0
        if not acknowledged and os.path.exists(f"{service.lab}/{name}.key"):
            wait_until(f"{name} goes in", lambda: service.import_leaf(name, name, check=False)
                       .returncode == 0, 20, 0.2)
    for name in names:
        identity = service.sign(name).stdout
        assert passports.verifies(identity, passports.public_key(f"{service.lab}/{name}.pem")), name


@case
def sigterm_answers_what_is_in_flight_and_leaves_nothing_behind(service):
    with wire.Connection(service.sign_socket, timeout=15) as connection:
        connection.send(*[wire.sign_request(n) for n in range(1, 201)])
        first = connection.receive()
        equal(first.status, 0, first.message)
        rooms = [service.pid(room) for room in ROOMS]
        stopper = threading.Thread(target=lambda: equal(service.stop(), 0, "exit status"))
        stopper.start()
        answers = 1
        while connection.receive() is not None:
            answers += 1
        stopper.join()
    equal(answers, 200, "answers: all were sent before the stop")
    for path in (service.sign_socket, service.admin_socket):
        assert not os.path.exists(path), path
    for pid in rooms:
        assert not os.path.exists(f"/proc/{pid}"), pid
    acts = [json.loads(line)["act"] for line in service.records()]
    equal(acts[-2:], ["stop", "seal"], "the last records")


@case
def started_again_it_holds_all_names_and_the_trail_is_unbroken(service):
    service.start()
    service.sign()
    names = [entry["name"] for entry in json.loads(service.cli("list", "--json").stdout)]
    equal("Alpha" in names and "bulk0" in names, True, names)
    said = service.cli("audit", "verify", service.audit).stdout
    note(said.strip())


if __name__ == "__main__":
    with Service() as the_service:
        the_service.start()
        the_service.import_leaf()
        run(service=the_service)
