# SPDX-License-Identifier: BSD-2-Clause
"""How much of what is granted: rates, bursts and quotas of grants and of certificates."""
import contextlib
import time

import wire
from granted import sign, start, who
from peers import allowed, ask, explained, need_root, number, record_of, refused, user
from tap import case, contains, equal, run

LIMITED = wire.STATUS["rate-limited"]


def at_once(service, peer, request, count):
    """The same request so many times, sent in one piece: the answers in the order of sending."""
    requests = []
    for _ in range(count):
        requests.append(wire.sign_pb2.Request())
        requests[-1].CopyFrom(request)
        requests[-1].id = number()
    with contextlib.ExitStack() as stack:
        with user(peer.uid):
            connection = stack.enter_context(wire.Connection(service.sign_socket))
        connection.send(*requests)
        answers = {answer.id: answer for answer in (connection.receive() for _ in requests)}
    return [answers[request.id] for request in requests]


def check_limited(service, answers, most, reason, grant):
    """The first are signed and the others refused for that reason, and so it is in the trail."""
    signed = sum(answer.status == 0 for answer in answers)
    equal([answer.status for answer in answers],
          [0] * signed + [LIMITED] * (len(answers) - signed), "the first are signed")
    assert 1 <= signed <= most, f"{signed} of {len(answers)} signed, at most {most}"
    for answer in answers:
        if answer.status == 0:
            equal(record_of(service, answer.id, "sign")["grant"], grant, "grant in the trail")
        else:
            equal(answer.message, reason, "message")
            record = record_of(service, answer.id, "refuse")
            equal((record["outcome"], record["reason"]), ("rate-limited", reason), "the record")
    return signed


@case
def a_rate_is_held_and_comes_back(service):
    peer, reason = who("by-rate"), "grant by-rate: rate: 1 a second are used up"
    began = time.monotonic()
    signed = check_limited(service, at_once(service, peer, sign(), 5), 3, reason, "by-rate")
    assert signed >= 2, signed
    verdict, lines = explained(service, peer, sign())
    assert verdict, lines
    contains(lines, "grant by-rate: applies, allows (at most 1 a second (2 at once))", "explain")
    time.sleep(1.1)
    signed += check_limited(service, at_once(service, peer, sign(), 5), 2, reason, "by-rate")
    took = time.monotonic() - began
    assert signed <= 2 + took, f"{signed} in {took:.2f} s"


@case
def each_of_a_batch_is_charged_and_a_whole_one_gives_back_what_it_was_charged(service):
    peer = who("by-burst")

    def batch(size, whole):
        request = wire.sign_pb2.Request(id=number())
        request.batch.whole = whole
        for _ in range(size):
            request.batch.sign.append(sign().sign)
        return ask(service, request, peer.uid)

    answer = batch(6, True)
    equal(answer.status, LIMITED, answer.message)
    equal(answer.message, "sign[5]: grant by-burst: rate: 5 at once are used up (100 a second)",
          "more than the burst")
    # Nothing of it was charged.
    answer = batch(5, True)
    equal((answer.status, len(answer.batch.results)), (0, 5), answer.message)
    time.sleep(0.1)
    answer = batch(10, False)
    statuses = [result.status for result in answer.batch.results]
    signed = statuses.count(0)
    equal(statuses, [0] * signed + [LIMITED] * (10 - signed), "the first are signed")
    assert 5 <= signed <= 6, f"{signed} after a rest that fills the bucket"


@case
def a_quota_is_held(service):
    peer = who("by-quota")
    for _ in range(3):
        allowed(service, peer, sign(), "by-quota", explain=False)
    # Less than all of it is no way in, and a refusal takes nothing.
    for _ in range(3):
        refused(service, peer, sign(), "grant by-quota: quota: 3 a day are used up",
                status="rate-limited", explain=False)
    contains(explained(service, peer, sign())[1], "allows (at most 3 a day)", "explain")


@case
def a_certificate_has_limits_of_its_own_whoever_asks(service):
    need_root()
    allowed(service, who("by-user"), sign(name="Limited"), "by-user", explain=False)
    allowed(service, who("limits"), sign(name="Limited"), "limits", explain=False)
    for name in ("by-user", "limits"):
        refused(service, who(name), sign(name="Limited"),
                "certificate Limited: quota: 2 a day are used up", status="rate-limited",
                explain=False)
        allowed(service, who(name), sign(), name)
    contains(explained(service, who("limits"), sign(name="Limited"))[1],
             "certificate Limited: at most 2 a day, by [certificate Limited]", "explain")


@case
def each_certificate_that_a_pattern_matches_has_the_limit_of_the_first_section_for_itself(service):
    peer = who("limits")
    for name in ("Slow-1", "Slow-2"):
        check_limited(service, at_once(service, peer, sign(name=name), 3), 2,
                      f"certificate {name}: rate: 1 a second are used up", "limits")
    time.sleep(1.1)
    # [certificate Slow-2] with its quota of 1 stands behind [certificate Slow-*].
    allowed(service, peer, sign(name="Slow-2"), "limits", explain=False)


@case
def the_next_grant_is_charged_when_the_first_is_used_up(service):
    peer = who("reserve")
    for grant in ("reserve-1", "reserve-1", "reserve-2"):
        allowed(service, peer, sign(), grant, explain=False)
    refused(service, peer, sign(), "grant reserve-2: quota: 1 a day are used up",
            status="rate-limited", explain=False)


if __name__ == "__main__":
    with start("limited", "slow-1", "slow-2") as the_service:
        run(service=the_service)
