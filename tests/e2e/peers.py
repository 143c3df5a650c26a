# SPDX-License-Identifier: BSD-2-Clause
"""Signing as somebody else, and what the trail and `policy explain` say of it."""
import contextlib
import itertools
import json
import os

import wire
from stirkeep import ROOT, wait_until
from tap import Skip, contains, equal

_numbers = itertools.count(1 << 32)


def need_root():
    if not ROOT:
        raise Skip("other users are needed")


@contextlib.contextmanager
def user(uid, gid=None, groups=()):
    """What this process connects to meanwhile takes it for that user: SO_PEERCRED tells the
    effective ids at the time of connect()."""
    if uid == os.geteuid():
        yield
        return
    need_root()
    before = os.getgroups()
    os.setgroups(list(groups))
    os.setegid(uid if gid is None else gid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(before)


def ask(service, request, uid=None, gid=None, groups=()):
    """One request on a connection of its own."""
    with contextlib.ExitStack() as stack:
        with user(os.geteuid() if uid is None else uid, gid, groups):
            connection = stack.enter_context(wire.Connection(service.sign_socket))
        connection.send(request)
        return connection.receive()


def number():
    """Of a request, no other one's."""
    return next(_numbers)


def record_of(service, request_id, act):
    """What the trail has of a request."""
    def find():
        for line in reversed(service.records()):
            if f'"request_id":"{request_id}"' in line and f'"act":"{act}"' in line:
                return json.loads(line)
        return None
    return wait_until(f"the trail has request {request_id}", find, 5)


class Who:
    """A peer, and how `policy explain` is told of it."""

    def __init__(self, uid, gid=None, groups=(), executable=None, unit=None):
        self.uid = uid
        self.gid = uid if gid is None else gid
        self.groups = groups
        self.executable = executable
        self.unit = unit

    def arguments(self):
        yield from ("--user", str(self.uid))
        for gid in (self.gid, *self.groups):
            yield from ("--group", str(gid))
        if self.executable:
            yield from ("--executable", self.executable)
        if self.unit:
            yield from ("--unit", self.unit)


def explained(service, who, request, *more):
    """What `policy explain` says to the same question: whether it is allowed, and its lines."""
    sign = request.sign
    claims = sign.claims
    arguments = [*who.arguments(), "--name", sign.certificate, "--ppt", claims.ppt or "base", *more]
    arguments += ["--orig", claims.orig.tn] if claims.orig.tn else ["--orig-uri", claims.orig.uri]
    if claims.HasField("div"):
        arguments += ["--div", claims.div.tn or claims.div.uri]
    if claims.attest:
        arguments += ["--attest", claims.attest]
    if claims.HasField("rcd") and claims.ppt == "shaken":
        arguments.append("--rcd")
    done = service.cli("policy", "explain", "--config", service.config, *arguments, check=False)
    assert done.returncode in (0, 1), done.stderr
    return done.returncode == 0, done.stdout


def allowed(service, who, request, grant, attest=None, explain=True):
    """Signed by that grant, with that attestation; the trail and explain agree."""
    request.id = number()
    answer = ask(service, request, who.uid, who.gid, who.groups)
    equal((answer.id, answer.status), (request.id, 0), answer.message)
    asked = request.sign.claims.attest
    given = asked if attest is None else attest
    equal(answer.signed.attest, given, "attest in the answer")
    record = record_of(service, request.id, "sign")
    equal((record["outcome"], record["uid"], record["grant"], record["name"]),
          ("ok", who.uid, grant, request.sign.certificate), "the record")
    equal(record.get("attest", ""), given, "attest in the record")
    equal(record.get("attest_asked"), asked if asked != given else None, "attest_asked there")
    if explain:
        verdict, lines = explained(service, who, request)
        assert verdict, lines
        contains(lines, f"allowed by grant {grant}", "explain")
    return answer


def refused(service, who, request, *parts, status="not-permitted", explain=True):
    """Refused by that rule; the trail and explain agree."""
    request.id = number()
    answer = ask(service, request, who.uid, who.gid, who.groups)
    equal((answer.id, answer.status), (request.id, wire.STATUS[status]), answer.message)
    for part in parts:
        contains(answer.message, part, "message")
    assert not answer.HasField("signed"), "a signature in a refusal"
    record = record_of(service, request.id, "refuse")
    equal((record["outcome"], record["uid"], record["reason"]), (status, who.uid, answer.message),
          "the record")
    if explain:
        verdict, lines = explained(service, who, request)
        assert not verdict, lines
        equal(lines.splitlines()[-1], f"refused: {answer.message}", "explain")
    return answer
