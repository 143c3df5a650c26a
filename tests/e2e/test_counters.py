# SPDX-License-Identifier: BSD-2-Clause
"""The counters of `status` add up to what was done, and `bench` says what limits the service."""
import json
import os
import subprocess
import time

import wire
from stirkeep import Service, wait_until
from tap import case, contains, equal, note, run

PARTS = (("front", "served_us"), ("keeper", "queue_us"), ("keeper", "token_us"),
         ("keeper", "audit_us"))
GRANTS = f"""[grant most]
user = {os.geteuid()}
certificates = Alpha, Beta, Gamma
ppt = base, shaken
attest = A, B, C
[grant few]
user = {os.geteuid()}
certificates = Slow
ppt = shaken
attest = A
rate = 10
burst = 5
"""


def status(service):
    return json.loads(service.cli("status", "--json").stdout)


def counters(service):
    return status(service)["counters"]


def count(told, room, part):
    return told[room][part]["count"]


def adds_up(told):
    """What holds of any histogram, and of all of them together while nothing is under way."""
    for room, part in PARTS:
        times = told[room][part]
        equal(sum(number for _, number in times["classes"]), times["count"], f"{part}: classes")
        assert times["sum"] <= sum(end * number for end, number in times["classes"]), part
        assert times["p50"] <= times["p99"] <= times["p99_9"] <= times["max"] or not times["count"]
        ends = [end for end, _ in times["classes"]]
        equal(ends, sorted(set(ends)), f"{part}: classes in order")
    certificates = told["front"]["certificates"]
    equal(sum(one["signatures"] for one in certificates["listed"])
          + certificates["other_signatures"], count(told, *PARTS[0]), "by certificate")
    equal(len(certificates["listed"]), certificates["used"], "certificates used")
    for part in ("signatures", "token_us"):
        equal(sum(one[part] for one in told["keeper"]["signers"]),
              told["keeper"]["token_us"]["count" if part == "signatures" else "sum"],
              f"{part} by signer")


@case
def a_service_that_has_done_nothing_has_counted_nothing(service):
    told = counters(service)
    for room, part in PARTS:
        equal(count(told, room, part), 0, part)
    equal(told["front"]["refused"], {}, "refused")
    equal(told["front"]["failed"], {}, "failed")
    equal(told["front"]["certificates"], {"used": 0, "listed": [], "other_signatures": 0}, "names")
    equal(told["keeper"]["busy_signers"], 0, "busy")
    for room in ("front", "keeper", "intake"):
        assert told[room]["room"]["up_us"] > 0 and told[room]["room"]["cpu_us"] > 0, told[room]


@case
def signatures_are_counted_once_in_each_place_and_by_certificate(service):
    for name, times in (("Alpha", 7), ("Beta", 3), ("Gamma", 1)):
        for _ in range(times):
            service.sign(name)
    with wire.Connection(service.sign_socket) as connection:
        for number in range(100):
            connection.send(wire.sign_request(number + 1, name="Beta"))
        for _ in range(100):
            equal(connection.receive().status, 0, "status")
    told = status(service)
    equal(told["signatures"], 111, "signatures")
    told = told["counters"]
    for room, part in PARTS:
        equal(count(told, room, part), 111, part)
    equal(told["front"]["certificates"]["listed"],
          [{"name": "Beta", "signatures": 103}, {"name": "Alpha", "signatures": 7},
           {"name": "Gamma", "signatures": 1}], "by certificate")
    adds_up(told)


@case
def what_takes_time_takes_it_in_one_part_of_the_whole(service):
    told = counters(service)
    whole = told["front"]["served_us"]["sum"]
    parts = sum(told["keeper"][part]["sum"] for part in ("queue_us", "token_us", "audit_us"))
    note(f"served in {whole} us, of which {parts} us are explained")
    assert parts <= whole, (parts, whole)
    assert told["keeper"]["token_us"]["p50"] > 1


@case
def refusals_are_counted_by_their_reason_and_make_up_the_whole(service):
    before = counters(service)
    for _ in range(4):
        service.sign("Nobody", check=False)
    for _ in range(2):
        service.cli("sign", "Alpha", "--orig", "12155551212", "--dest", "12155551213", "--ppt",
                    "div", "--div", "12155551214", check=False)
    done = service.cli("bench", "Slow", "--json", "--window", "20", "--seconds", "1", check=False)
    bench = json.loads(done.stdout)
    told = status(service)
    refused = told["counters"]["front"]["refused"]
    note(refused)
    equal(sum(refused.values()), told["refusals"], "all refusals")
    equal(refused["rate-limited"], bench["failed"]["rate-limited"], "rate-limited")
    equal(refused["not-permitted"], 6, "not permitted")
    equal(count(told["counters"], *PARTS[0]), count(before, *PARTS[0]) + bench["signatures"],
          "served")
    equal(bench["verdict"]["is"], "policy-limited", "verdict")
    equal(done.returncode, 1, "exit status")
    adds_up(told["counters"])


@case
def what_failed_at_the_keeper_is_counted_by_its_status(service):
    before = counters(service)
    pid = service.pid("keeper")
    os.kill(pid, 19)
    try:
        answer = service.sign("Alpha", check=False)
    finally:
        os.kill(pid, 18)
    equal(answer.returncode, 1, "exit status")
    told = wait_until("the keeper answers", lambda: counters(service), 10)
    equal(told["front"]["failed"].get("deadline"), 1, "failed")
    equal(count(told, *PARTS[0]), count(before, *PARTS[0]), "served")


@case
def bench_counts_from_the_time_at_which_a_request_was_to_be_sent(service):
    """The keeper stands still for half of a second in the middle: those due meanwhile waited."""
    bench = subprocess.Popen([f"{service.libexec}/stirkeep", "bench", "Alpha", "--json", "--rate",
                              "1000", "--connections", "4", "--seconds", "3", "--deadline-ms",
                              "5000"], stdout=subprocess.PIPE, text=True,
                             env=service.environment())
    time.sleep(1)
    pid = service.pid("keeper")
    os.kill(pid, 19)
    time.sleep(0.3)
    os.kill(pid, 18)
    told = json.loads(bench.communicate(timeout=30)[0])
    note({key: told[key] for key in ("signatures", "p50_us", "p99_us", "max_us", "unsent", "failed")})
    equal(told["signatures"] + told["failures"] + told["unsent"], 3000, "requests")
    # A client that waited for its answer would have seen four slow ones of thousands.
    slow = sum(number for end, number in told_classes(service, told) if end >= 100000)
    note(f"{slow} of 3000 requests waited for 0.1 s or more")
    assert slow >= 100 or told["failures"] >= 100, told
    assert told["max_us"] >= 200000, told["max_us"]


def told_classes(service, bench):
    """The service's own times, as bench's classes are not printed."""
    return counters(service)["front"]["served_us"]["classes"]


@case
def bench_says_that_its_signatures_are_real_and_why_it_was_not_faster(service):
    before = status(service)["audit_sequence"]
    done = service.cli("bench", "Alpha", "--seconds", "1", "--connections", "20", "--window", "8")
    contains(done.stdout, "recorded in the audit trail", "warning")
    contains(done.stdout, "verdict:", "verdict")
    contains(done.stdout, "p99.9", "percentiles")
    equal(done.stderr, "", "stderr")
    told = json.loads(service.cli("bench", "Alpha", "--seconds", "1", "--json").stdout)
    equal(told["recorded"], True, "recorded")
    assert told["verdict"]["is"] in ("cpu-bound", "token-bound", "client-limited", "audit-bound"), \
        told["verdict"]["is"]
    figures = told["verdict"]["figures"]
    equal(figures["token_us"]["count"], told["signatures"], "signatures that the service counted")
    assert 0 < figures["sessions_busy"] <= 1.05, figures["sessions_busy"]
    assert status(service)["audit_sequence"] >= before + told["signatures"]
    adds_up(counters(service))


@case
def bench_of_one_who_is_no_administrator_knows_no_figures(service):
    done = subprocess.run([f"{service.libexec}/stirkeep", "bench", "Alpha", "--json", "--seconds",
                           "1", "--admin-socket", f"{service.run}/none.sock"],
                          stdout=subprocess.PIPE, text=True, env=service.environment(), timeout=30)
    told = json.loads(done.stdout)
    equal(done.returncode, 0, "exit status")
    equal(told["verdict"]["is"], "unknown", "verdict")
    equal(told["verdict"]["figures"], None, "figures")


@case
def a_new_keeper_begins_to_count_anew_and_front_goes_on(service):
    before = counters(service)
    service.kill("keeper")
    wait_until("a signature", lambda: service.sign("Beta", check=False).returncode == 0, 20)
    told = counters(service)
    assert count(told, "keeper", "token_us") < count(before, "keeper", "token_us")
    assert count(told, *PARTS[0]) > count(before, *PARTS[0])


with Service(grants=GRANTS) as the_service:
    the_service.make_chain("709J", "beta", "gamma", "slow")
    the_service.start()
    for leaf in ("Alpha", "Beta", "Gamma", "Slow"):
        the_service.import_leaf(leaf, {"Alpha": "leaf"}.get(leaf, leaf.lower()))
    run(service=the_service)
