# SPDX-License-Identifier: BSD-2-Clause
"""A service with a grant for each dimension, each for a user of its own, who has no other."""
import os
import time

import wire
from peers import Who, need_root
from stirkeep import ROOT, Service

OWN = os.geteuid()
PYTHON = os.path.realpath("/usr/bin/python3")
TYPES = ("base", "shaken", "div", "div-o", "rph", "rcd")
INNER = "eyJ0eXAiOiJwYXNzcG9ydCJ9.e30." + "A" * 86

UIDS = {name: 62001 + place for place, name in enumerate((
    "by-user", "by-group", "by-program", "by-unit", "by-name", *(f"ppt-{name}" for name in TYPES),
    "ppt-other", "ppt-rich", "by-attest", "by-orig", "by-uri", "by-div", "by-input", "by-rate",
    "by-burst", "by-quota", "union", "reserve", "limits", "rules", "by-both"))}
GROUP = 63001
UNIT = "stirkeep-e2e.service"


def grants(program):
    """Text of the grant sections; `program` is the path of the command."""
    def grant(name, user=None, **keys):
        keys = {"certificates": "*", "ppt": "shaken", "attest": "A, B, C", **keys}
        who = f"user = {UIDS[name] if user is None else user}\n" if user != "" else ""
        return f"[grant {name}]\n{who}" + "".join(
            f"{key.replace('_', '-')} = {value}\n" for key, value in keys.items() if value)
    text = grant("own", OWN, ppt=", ".join(TYPES))
    if not ROOT:
        return text
    text += grant("by-user") + grant("by-group", "", group=str(GROUP))
    text += grant("by-program", executable=program) + grant("by-unit", unit=UNIT)
    text += grant("by-both", "", group=str(UIDS["by-both"]),
                  executable=f"{PYTHON}, /usr/bin/nothing")
    text += grant("by-name", certificates="Alpha, Beta-*")
    for name in TYPES:
        text += grant(f"ppt-{name}", ppt=name, attest="A" if name == "shaken" else "")
    text += grant("ppt-other", ppt="msec", attest="") + grant("ppt-rich", ppt="shaken, rcd")
    text += grant("by-attest", attest="B, C")
    text += grant("by-orig", ppt="shaken, base",
                  orig="12025550123, 1 (202) 555-0140 - 1 (202) 555-0149, 1415555*")
    text += grant("by-uri", ppt="base", attest="", orig="sip:*@example.com, urn:service:*")
    text += grant("by-div", ppt="div, div-o", attest="", orig="14155550100")
    text += grant("by-input", sign_input="yes", orig="1215*")
    text += grant("by-rate", rate="1", burst="2") + grant("by-burst", rate="100", burst="5")
    text += grant("by-quota", quota="3")
    text += grant("union-B", UIDS["union"], attest="B", certificates="Alpha")
    text += grant("union-C", UIDS["union"], attest="C", certificates="Beta-1")
    text += grant("reserve-1", UIDS["reserve"], quota="2")
    text += grant("reserve-2", UIDS["reserve"], quota="1")
    text += grant("limits", ppt="shaken, base, div") + grant("rules", ppt="shaken, div")
    return text


def attestation(service, exceed):
    return ("[certificate Limited]\nquota = 2\n[certificate Slow-*]\nrate = 1\n"
            "[certificate Slow-2]\nquota = 1\n"
            f"[attestation]\nfile = {service.rules}\ndefault = A\nexceed = {exceed}\n"
            "[attest 13035550123]\nlevel = none\n[attest 13035550124]\nlevel = A\n")


def configure(service, exceed="refuse", text=None):
    service.write_config(grants(f"{service.libexec}/stirkeep") + attestation(service, exceed)
                         if text is None else text, extra=EXTRA)


def sign(ppt="shaken", name="Alpha", orig="12155551212", attest=None, **more):
    request = wire.sign_pb2.Request()
    request.sign.certificate = name
    claims = request.sign.claims
    claims.ppt = "" if ppt == "base" else ppt
    if ":" in orig:
        claims.orig.uri = orig
    else:
        claims.orig.tn = orig
    claims.dest.tn.append("12155551213")
    claims.attest = ("A" if ppt == "shaken" else "") if attest is None else attest
    if ppt in ("div", "div-o"):
        claims.div.tn = more.get("div", "14155550100")
    if ppt == "div-o":
        claims.opt = INNER
    if ppt == "rph":
        claims.rph.auth.append("ets.0")
    if ppt == "rcd" or more.get("rich"):
        claims.rcd.nam = "Alice"
    if ppt not in ("base", *TYPES):
        claims.other = '{"a":1}'
    return request


def who(name, **more):
    need_root()
    return Who(UIDS[name], **more)


EXTRA = {"import": {"profile": "test"}}


def start(*leaves):
    """A service with all these grants and rules, with Alpha, and with a certificate named as each
    leaf."""
    # Quotas are a day's: not over midnight.
    if time.time() % 86400 > 86400 - 60:
        time.sleep(61)
    service = Service(extra=EXTRA)
    service.rules = f"{service.base}/attest.csv"
    with open(service.rules, "w") as out:
        out.write("number,level\n1303555*,C\n13035550100-13035550199,B\n13035550151,A\n")
    os.chmod(service.rules, 0o644)
    configure(service)
    service.start()
    service.import_leaf()
    if leaves:
        service.make_chain("709J", *leaves)
    for leaf in leaves:
        service.import_leaf(leaf.capitalize(), leaf)
    return service
