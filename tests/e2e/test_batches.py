# SPDX-License-Identifier: BSD-2-Clause
"""Several PASSporTs in one request: all of them or none, or each by itself."""
import json
import time

import wire
from peers import ask
from tap import case, contains, equal, run
from typed import TYPES, WINDOW, batch_of, check, claims_of, refused, request_of, start, verify


def trail_of(service, name):
    return sum('"act":"sign"' in line and '"outcome":"ok"' in line and f'"name":"{name}"' in line
               for line in service.records())


@case
def a_diverted_call_gets_its_whole_chain_in_one_request(service):
    """A shaken and five div, each from where the one before went to."""
    shaken = wire.sign_pb2.Claims(ppt="shaken", attest="A")
    shaken.orig.tn = "12155551212"
    shaken.dest.tn.append("12155551300")
    chain = [shaken]
    for hop in range(1, 6):
        div = wire.sign_pb2.Claims(ppt="div")
        div.orig.tn = "12155551212"
        div.dest.tn.append(f"1215555130{hop}")
        div.div.tn = f"1215555130{hop - 1}"
        chain.append(div)
    answer = ask(service, batch_of(map(request_of, chain), True))
    equal((answer.status, len(answer.batch.results)), (0, 6), answer.message)
    payloads = [check(service, result.signed, claims)
                for result, claims in zip(answer.batch.results, chain)]
    for before, after in zip(payloads, payloads[1:]):
        equal([after["div"]["tn"]], before["dest"]["tn"], "the diverting party")
    for result in answer.batch.results:
        verify(service, result.signed.identity)


@case
def of_a_whole_batch_all_are_signed_or_none(service):
    good = [request_of(claims_of(ppt, service), "Batch") for ppt in TYPES]
    answer = ask(service, batch_of(good, True))
    equal((answer.status, [result.status for result in answer.batch.results]),
          (0, [0] * len(good)), answer.message)
    before = trail_of(service, "Batch")
    spoilt = claims_of("shaken", service)
    spoilt.attest = "D"
    late = claims_of("base", service)
    late.iat = int(time.time()) + 2 * WINDOW
    base, rph = claims_of("base", service), claims_of("rph", service)
    for claims, name, status, message in (
            (spoilt, "Batch", "invalid", "sign[3]: attest: "),
            (late, "Batch", "invalid", "sign[3]: iat: "),
            (base, "Nobody", "unknown-name", "sign[3]: certificate Nobody: "),
            (base, "Retired", "not-active", "sign[3]: certificate Retired: "),
            (rph, "Only-base", "not-permitted", "sign[3]: grant base-only: ppt rph ")):
        batch = batch_of([*good[:3], request_of(claims, name), *good[3:]], True)
        answer = ask(service, batch)
        equal((answer.id, answer.status), (batch.id, wire.STATUS[status]), answer.message)
        assert answer.message.startswith(message), answer.message
        assert not answer.HasField("batch")
    time.sleep(0.2)
    equal(trail_of(service, "Batch"), before, "signatures in the trail")


@case
def of_another_batch_each_has_its_own_answer_in_the_order_of_the_request(service):
    wanted = (("base", "Alpha", "ok", "leaf"), ("shaken", "Batch", "ok", "batch"),
              ("rph", "Only-base", "not-permitted", "grant base-only: ppt rph "),
              ("div", "Nobody", "unknown-name", "certificate Nobody: "),
              ("rcd", "Alpha", "invalid", "rcd.nam: "),
              ("msec", "Retired", "not-active", "certificate Retired: "),
              ("base", "Only-base", "ok", "only-base"))
    requests = [request_of(claims_of(ppt, service), name) for ppt, name, _, _ in wanted]
    requests[4].sign.claims.rcd.nam = "\n"
    answer = ask(service, batch_of(requests, False))
    equal(answer.status, 0, answer.message)
    equal(len(answer.batch.results), len(wanted), "results")
    for result, request, (_, _, status, what) in zip(answer.batch.results, requests, wanted):
        equal(result.status, wire.STATUS[status], result.message)
        if status == "ok":
            check(service, result.signed, request.sign.claims, leaf=what)
        else:
            contains(result.message, what, "message")
            assert not result.HasField("signed")


@case
def a_batch_has_one_to_sixty_four(service):
    one = request_of(claims_of("base", service))
    for whole in (False, True):
        for count in (1, 64):
            answer = ask(service, batch_of([one] * count, whole))
            equal((answer.status, len(answer.batch.results)), (0, count), answer.message)
        refused(service, batch_of([], whole), "invalid", "batch")
        refused(service, batch_of([one] * 65, whole), "too-large", "batch", "64")


@case
def a_batch_whose_answer_would_be_too_long_is_refused_before_it_is_signed(service):
    long = claims_of("msec", service)
    long.other = json.dumps({"a": "x" * 12000})
    before = len(service.records())
    for whole in (False, True):
        refused(service, batch_of([request_of(long)] * 5, whole), "too-large", "batch")
    answer = ask(service, batch_of([request_of(long)] * 3, True))
    equal((answer.status, len(answer.batch.results)), (0, 3), answer.message)
    acts = [json.loads(line)["act"] for line in service.records()[before:]]
    equal(acts.count("sign"), 3, "signatures in the trail")


@case
def the_command_signs_a_batch(service):
    caller, called = {"tn": "12155551212"}, {"tn": "12155551213"}
    lines = [{"name": "Alpha", "attest": "A", "orig": caller, "dest": called},
             {"ppt": "div", "orig": caller, "dest": {"tn": ["12155551214"]}, "div": called},
             {"ppt": "base", "name": "Batch", "orig": {"uri": "sip:a@b"}, "dest": called}]
    path = f"{service.base}/batch"
    with open(path, "w") as out:
        out.writelines(json.dumps(line) + "\n" for line in lines)
    done = service.cli("sign", "Alpha", "--batch", path)
    equal(len(done.stdout.splitlines()), 3, done.stdout)
    for identity, leaf in zip(done.stdout.splitlines(), ("leaf", "leaf", "batch")):
        verify(service, identity, leaf=leaf)
    with open(path, "a") as out:
        out.write(json.dumps({**lines[0], "attest": "D"}) + "\n")
    done = service.cli("sign", "Alpha", "--batch", path, check=False)
    equal((done.returncode, len(done.stdout.splitlines())), (1, 4), done.stdout)
    contains(done.stdout.splitlines()[3], "attest", "the last line")
    before = len(service.records())
    done = service.cli("sign", "Alpha", "--batch", path, "--whole", check=False)
    equal((done.returncode, done.stdout), (1, ""), done.stderr)
    contains(done.stderr, "line 4", "what is told")
    time.sleep(0.2)
    assert not any('"act":"sign"' in line for line in service.records()[before:]), "signed"


if __name__ == "__main__":
    with start("batch", "only-base", "retired") as the_service:
        the_service.cli("retire", "Retired")
        run(service=the_service)
