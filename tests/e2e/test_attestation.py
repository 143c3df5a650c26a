# SPDX-License-Identifier: BSD-2-Clause
"""What a number may get by the attestation rules, and what a certificate itself may sign."""
import json
import subprocess

import limits_of
from granted import OWN, configure, sign, start, who
from leaves import Issuer
from peers import Who, allowed, refused, need_root
from stirkeep import ROOT
from tap import case, contains, equal, run


# ---- attestation rules

@case
def a_rule_of_the_file_and_one_of_the_configuration_say_what_a_number_may_get(service):
    peer = who("rules")
    # By the default, a prefix, a range, a number in it, and numbers of the configuration.
    for orig, level in (("12155551212", "A"), ("13035551000", "C"), ("13035550150", "B"),
                        ("13035550151", "A"), ("13035550124", "A")):
        for attest in "ABC":
            if attest >= level:
                allowed(service, peer, sign(orig=orig, attest=attest), "rules")
            else:
                line = {"C": 2, "B": 3}[level]
                refused(service, peer, sign(orig=orig, attest=attest),
                        f"attest {attest} for {orig}: {service.rules}:{line} allows {level}")
    refused(service, peer, sign(orig="13035550123", attest="C"),
            "attest C for 13035550123: line ", " of the configuration allows none")
    # They are about attestations: other types have none.
    allowed(service, peer, sign("div", orig="1", div="13035550123"), "rules")


@case
def no_rule_is_evaded_by_a_number_that_is_dressed_as_a_uri(service):
    peer = who("rules")
    for orig in ("tel:+13035550123", "sip:+13035550123@example.com", "SIPS:%2B13035550123@x",
                 "sip:+13035550123,@example.com", "sip:+1_3035550123@example.com",
                 "sms:+13035550123",
                 "sip:13035550123@example.com;user=phone"):
        refused(service, peer, sign(orig=orig, attest="A"),
                "orig.uri: is a telephone number, give it as tn", status="invalid", explain=False)
    for orig in ("sip:13035550123@example.com", "sip:13035550123/x@example.com",
                 "sip:13035550123%00@example.com", "im:13035550123@example.com"):
        refused(service, peer, sign(orig=orig, attest="C"),
                f"attest C for {orig}: line ", "allows none")
    # What URIs get, by the default.
    for orig in ("sip:12155551212@example.com", "sip:alice@example.com"):
        allowed(service, peer, sign(orig=orig, attest="A"), "rules")


@case
def a_rule_lowers_what_exceeds_it_and_the_trail_has_both(service):
    need_root()
    configure(service, "lower")
    service.cli("reload")
    peer = who("rules")
    try:
        for orig, level in (("13035551000", "C"), ("13035550150", "B"), ("13035550151", "A")):
            for attest in "ABC":
                allowed(service, peer, sign(orig=orig, attest=attest), "rules", max(attest, level))
        for attest in "ABC":  # nothing is left to lower to
            refused(service, peer, sign(orig="13035550123", attest=attest),
                    f"attest {attest} for 13035550123: line ", "allows none")
        # The grant is asked for what was asked for.
        refused(service, who("by-attest"), sign(orig="13035550150", attest="A"),
                "grant by-attest: attest A is not allowed (B, C)")
        allowed(service, who("by-attest"), sign(orig="13035551000", attest="B"), "by-attest", "C")
    finally:
        configure(service)
        service.cli("reload")


# ---- the certificate itself

@case
def a_certificate_with_numbers_signs_for_them_alone(service):
    peer = who("limits") if ROOT else Who(OWN)
    grant = "limits" if ROOT else "own"
    for orig in ("12025550100", "12025550110", "12025550119", "18005550100"):
        allowed(service, peer, sign(name="Numbers", orig=orig), grant, explain=False)
        allowed(service, peer, sign("div", name="Numbers", orig="1", div=orig), grant,
                explain=False)
    for orig in ("12025550099", "12025550120", "18005550101", "1202555010", "120255501000"):
        refused(service, peer, sign(name="Numbers", orig=orig),
                f"certificate: its TNAuthList does not cover orig {orig}", explain=False)
        refused(service, peer, sign("div", name="Numbers", orig="18005550100", div=orig),
                f"certificate: its TNAuthList does not cover div {orig}", explain=False)
    refused(service, peer, sign("base", name="Numbers", orig="sip:18005550100@example.com"),
            "certificate: its TNAuthList", "URI", explain=False)


@case
def a_certificates_claim_constraints_are_held(service):
    peer = who("ppt-rich") if ROOT else Who(OWN)
    grant = "ppt-rich" if ROOT else "own"

    def pair(name, good, bad, *parts):
        for request in good:
            allowed(service, peer, request, grant, explain=False)
        for request in bad:
            refused(service, peer, request, "certificate: ", *parts, explain=False)

    pair("Include", [sign(name="Include", rich=True)], [sign(name="Include")], "rcd", "mustInclude")
    pair("Permitted", [sign(name="Permitted", attest=attest) for attest in "BC"],
         [sign(name="Permitted", attest="A")], "attest")
    pair("Exclude", [sign(name="Exclude")], [sign(name="Exclude", rich=True)], "rcd", "mustExclude")
    pair("Orig", [sign(name="Orig", orig="12155551212")],
         [sign(name="Orig", orig="12155551213")], "orig")


@case
def the_certificate_judges_the_attestation_as_it_is_given(service):
    """Lowered by a rule to what the certificate permits, or to what it does not."""
    need_root()
    configure(service, "lower")
    service.cli("reload")
    try:
        peer = who("ppt-rich")
        lowered, whole = (sign(name="Permitted", orig=orig, attest="A")
                          for orig in ("13035550150", "12155551212"))
        allowed(service, peer, lowered, "ppt-rich", "B", explain=False)
        refused(service, peer, whole, "certificate: attest", explain=False)
    finally:
        configure(service)
        service.cli("reload")


@case
def every_change_of_the_policy_is_in_the_trail_and_the_trail_verifies(service):
    policies = [json.loads(line) for line in service.records() if '"act":"policy"' in line]
    begun = [record for record in policies if record["outcome"] == "begun"]
    policies = [record for record in policies if record["outcome"] != "begun"]
    equal([record["detail"] for record in begun], [record["detail"] for record in policies[1:]])
    assert policies[0]["outcome"] == "ok" and "uid" not in policies[0], policies[0]
    said = subprocess.run(["sha256sum", service.config, service.rules], check=True, text=True,
                          stdout=subprocess.PIPE).stdout.split()
    for record in (policies[0], policies[-1]):
        contains(record["detail"], f"configuration {said[0]} attestation {said[2]} ", "detail")
    if ROOT:
        equal([record["uid"] for record in policies[1:]], [0] * 4, "who asked for a reload")
    service.cli("audit", "verify", service.audit)


def import_constrained(service):
    issuer = Issuer(service.lab)
    own = {
        "Numbers": [limits_of.tnauthlist("709J", ranges=[("12025550100", 20)],
                                         numbers=["18005550100"])],
        "Include": [limits_of.claim_constraints(include=["rcd"])],
        "Permitted": [limits_of.claim_constraints(permitted={"attest": ["B", "C"]})],
        "Exclude": [limits_of.claim_constraints(exclude=["rcd", "mky"], enhanced=True)],
        "Orig": [limits_of.claim_constraints(permitted={"orig": ['{"tn":"12155551212"}']},
                                             enhanced=True)],
    }
    for name, extensions in own.items():
        issuer.files(issuer.leaf(own=extensions), name)
        service.import_leaf(name, name)


if __name__ == "__main__":
    with start() as the_service:
        import_constrained(the_service)
        run(service=the_service)
