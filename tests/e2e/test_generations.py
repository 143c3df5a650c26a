# SPDX-License-Identifier: BSD-2-Clause
"""A key's whole life: made on the token, installed, renewed, staged, destroyed; and what clashes."""
import contextlib
import json
import os
import shutil
import sqlite3
import subprocess
import threading
import time

from lives import fingerprint, requested, signs_with, states
from stirkeep import Service, wait_until
from tap import case, contains, equal, note, run


def refused(done, *parts):
    equal(done.returncode, 1, done.stdout)
    for part in parts:
        contains(done.stderr, part, "stderr")


def request_for(service, leaf):
    """A request for the key of a leaf, as a renewal's: issued by the next make_chain of LEAF-renewed."""
    subprocess.run(["openssl", "req", "-new", "-key", f"{service.lab}/{leaf}.key", "-subj",
                    "/C=US/O=Laboratory carrier/CN=SHAKEN 709J", "-out",
                    f"{service.lab}/{leaf}-renewed.csr"], check=True)
    service.make_chain("709J", f"{leaf}-renewed")


def acts(service, act, name):
    records = map(json.loads, service.records())
    return [record for record in records if record["act"] == act and record.get("name") == name]


# ---- generate and install


@case
def a_key_is_made_on_the_token_and_never_leaves_it(service):
    out = f"{service.lab}/made.csr"
    done = service.cli("generate", "Made", "--spc", "709J", "--csr-out", out)
    for part in ("LOCAL=1", "ALWAYS_SENSITIVE=1", "NEVER_EXTRACTABLE=1", "EXTRACTABLE=0"):
        contains(done.stdout, part, "stdout")
    text = subprocess.run(["openssl", "req", "-in", out, "-noout", "-verify", "-text"], check=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
    for part in ("verify OK", "CN = SHAKEN 709J", "1.3.6.1.5.5.7.1.26", "ASN1 OID: prime256v1",
                 "ecdsa-with-SHA256"):
        contains(text, part, "the request")
    refused(service.sign("Made", check=False), "not held")
    equal([entry["attributes"][:9] for entry in requested(service, "Made")], ["PRIVATE=1"], "show")
    assert "Made" not in service.cli("list").stdout


@case
def its_request_can_be_had_again_for_the_same_key(service):
    before = requested(service, "Made")
    again = json.loads(service.cli("generate", "Made", "--spc", "709J", "--subject",
                                   "C=US,O=Example,CN=SHAKEN 709J", "--json").stdout)
    equal((again["already_held"], again["key_id"]), (True, before[0]["key_id"]), "again")
    contains(again["csr"], "BEGIN CERTIFICATE REQUEST", "csr")
    equal(requested(service, "Made"), before, "requested keys")
    equal(service.cli("generate", "Made", "--spc", "709J", "--csr-out", f"{service.lab}/made.csr",
                      check=False).returncode, 1, "a file that is there")


@case
def a_request_that_is_not_for_a_shaken_certificate_is_refused(service):
    for spc, subject, part in (("709j", None, "spc"), ("", None, "spc"), ("1" * 17, None, "spc"),
                               ("709J", "CN=Something", "SHAKEN 709J"),
                               ("709J", "O=Example", "CN"), ("709J", "nonsense", "subject")):
        options = ["--spc", spc] + (["--subject", subject] if subject else [])
        refused(service.cli("generate", "Bad", *options, check=False), part)
    equal(service.cli("show", "Bad", check=False).returncode, 1, "what is left of it")


@case
def the_cas_answer_is_installed_and_signs(service):
    service.make_chain("709J", "made")
    done = service.cli("install", "Made", "--cert", f"{service.lab}/made-chain.pem")
    contains(done.stdout, "1, active", "stdout")
    signs_with(service, "Made", "made")
    equal(requested(service, "Made"), [], "requested keys")
    entry = json.loads(service.cli("show", "Made", "--json").stdout)["generations"][0]
    equal((entry["origin"], "LOCAL=1" in entry["attributes"]), ("generated", True), "origin")
    again = service.cli("install", "Made", "--cert", f"{service.lab}/made-chain.pem")
    contains(again.stdout, "held already", "stdout")
    equal(states(service, "Made"), {1: "active"}, "states")
    equal([act["outcome"] for act in acts(service, "install", "Made")], ["ok", "ok"], "acts")


@case
def a_renewed_certificate_for_an_imported_key_needs_no_key_file(service):
    request_for(service, "one")
    service.import_leaf("Alpha", "one")
    service.cli("install", "Alpha", "--cert", f"{service.lab}/one-renewed-chain.pem")
    signs_with(service, "Alpha", "one-renewed")
    equal(states(service, "Alpha"), {1: "previous", 2: "active"}, "states")
    equal(json.loads(service.cli("show", "Alpha", "--json").stdout)["generations"][0]["origin"],
          "imported", "origin")
    service.cli("rollback", "Alpha")
    signs_with(service, "Alpha", "one")
    service.cli("install", "Alpha", "--cert", f"{service.lab}/one-renewed-chain.pem")
    signs_with(service, "Alpha", "one-renewed")


@case
def a_certificate_for_a_key_that_is_not_held_is_refused(service):
    refused(service.cli("install", "Alpha", "--cert", f"{service.lab}/two-chain.pem", check=False),
            "not held", "import it with its key")
    refused(service.cli("install", "Nobody", "--cert", f"{service.lab}/two-chain.pem",
                        check=False), "not held")
    refused(service.cli("install", "Made", "--cert", f"{service.lab}/one-chain.pem", check=False),
            "held under the name Alpha")
    signs_with(service, "Alpha", "one-renewed")


# ---- staged generations


@case
def a_staged_certificate_signs_from_its_time_on(service):
    at = int(time.time()) + 4
    done = service.import_leaf("Alpha", "two", "--activate-at", f"@{at}")
    contains(done.stdout, "staged", "stdout")
    equal(os.path.exists(f"{service.lab}/two.key"), False, "the key file")
    signs_with(service, "Alpha", "one-renewed")
    served = f"{service.base}/staged"
    os.mkdir(served)
    service.cli("publish", "Alpha", "--dir", served)
    assert os.path.exists(f"{served}/Alpha/{fingerprint(service, 'two')}.pem"), "not published"
    wait_until("it is active", lambda: states(service, "Alpha").get(4) == "active", 10)
    assert time.time() >= at, "too early"
    signs_with(service, "Alpha", "two")
    equal(states(service, "Alpha")[3], "previous", "the one before")
    equal([act["outcome"] for act in acts(service, "activate", "Alpha")], ["ok"], "acts")


@case
def a_staged_certificate_is_activated_although_the_service_was_down_at_its_time(service):
    service.import_leaf("Alpha", "three", "--activate-at", f"@{int(time.time()) + 3}")
    service.stop()
    time.sleep(3)
    service.start()
    wait_until("it is active", lambda: states(service, "Alpha").get(5) == "active", 10)
    signs_with(service, "Alpha", "three")


@case
def a_staged_certificate_can_be_put_off_and_brought_forward(service):
    service.import_leaf("Alpha", "four", "--activate-at", "+2h", "--keep-source")
    entry = json.loads(service.cli("show", "Alpha", "--json").stdout)["generations"][0]
    equal((entry["generation"], entry["state"]), (6, "staged"), "the new one")
    later = service.import_leaf("Alpha", "four", "--activate-at", "+7d", "--keep-source")
    contains(later.stdout, "staged", "stdout")
    moved = json.loads(service.cli("show", "Alpha", "--json").stdout)["generations"][0]
    assert moved["activate_at"] > entry["activate_at"], moved
    equal(len(states(service, "Alpha")), 6, "generations")
    service.cli("install", "Alpha", "--cert", f"{service.lab}/four-chain.pem")
    signs_with(service, "Alpha", "four")
    equal(states(service, "Alpha")[6], "active", "it")


@case
def times_that_make_no_sense_are_refused_and_nothing_is_lost(service):
    for at, part in (("yesterday", "--activate-at"), ("2020-01-01T00:00:00Z", "in the past"),
                     ("+400d", "VALIDITY-EXPIRED")):
        refused(service.import_leaf("Late", "five", "--activate-at", at, check=False), part)
    assert os.path.exists(f"{service.lab}/five.key"), "the key file"


@case
def retiring_retires_what_is_staged_too(service):
    service.import_leaf("Beta", "five")
    service.import_leaf("Beta", "six", "--activate-at", f"@{int(time.time()) + 3}")
    service.cli("retire", "Beta")
    equal(states(service, "Beta"), {1: "retired", 2: "retired"}, "states")
    time.sleep(4)
    equal(states(service, "Beta"), {1: "retired", 2: "retired"}, "states, later")
    refused(service.sign("Beta", check=False), "not active")


@case
def an_import_over_a_retired_name_signs_again(service):
    service.import_leaf("Beta", "seven")
    signs_with(service, "Beta", "seven")
    equal(states(service, "Beta"), {1: "retired", 2: "retired", 3: "active"}, "states")


# ---- destroy


@case
def destroy_wants_to_be_meant(service):
    done = service.cli("destroy", "Beta", check=False)
    equal(done.returncode, 2, done.stdout)
    contains(done.stderr, "--yes", "stderr")
    signs_with(service, "Beta", "seven")


@case
def one_old_key_is_destroyed_while_the_name_signs_on(service):
    shown = json.loads(service.cli("show", "Beta", "--json").stdout)["generations"]
    old = {entry["generation"]: entry["key_id"] for entry in shown}
    done = json.loads(service.cli("destroy", "Beta", "--yes", "--key-id", old[1], "--json").stdout)
    equal((done["keys"], done["generations"], done["stopped"]), (1, 1, False), "answer")
    contains(done["proof"], "no such key", "proof")
    signs_with(service, "Beta", "seven")
    equal(states(service, "Beta"), {1: "destroyed", 2: "retired", 3: "active"}, "states")
    refused(service.cli("destroy", "Beta", "--yes", "--key-id", old[1], check=False), "key")
    refused(service.cli("destroy", "Alpha", "--yes", "--key-id", old[2], check=False), "key")


@case
def a_destroyed_name_signs_no_more_and_its_record_stays(service):
    done = service.cli("destroy", "Beta", "--yes")
    contains(done.stdout, "no such key", "the proof")
    refused(service.sign("Beta", check=False), "not active")
    equal(set(states(service, "Beta").values()), {"destroyed"}, "states")
    contains(service.cli("list").stdout, "destroyed", "list")
    refused(service.cli("rollback", "Beta", check=False), "destroyed")
    refused(service.cli("retire", "Beta", check=False), "nothing is active")
    refused(service.cli("destroy", "Beta", "--yes", check=False), "key")
    labels = service.pkcs11_tool("--list-objects").stdout.decode()
    assert "stirkeep:Beta" not in labels and "stirkeep:Alpha" in labels, labels
    kept = [(act["outcome"], act.get("key_id") is not None) for act in acts(service, "destroy", "Beta")]
    assert kept.count(("ok", True)) == 3, kept


@case
def a_key_that_waits_for_its_certificate_can_be_destroyed(service):
    made = json.loads(service.cli("generate", "Wait", "--spc", "709J", "--json").stdout)
    service.cli("destroy", "Wait", "--yes", "--key-id", made["key_id"])
    equal(service.cli("show", "Wait", check=False).returncode, 1, "show")
    other = json.loads(service.cli("generate", "Wait", "--spc", "709J", "--json").stdout)
    assert other["key_id"] != made["key_id"] and not other["already_held"], other


@case
def a_destroyed_key_may_come_again(service):
    shutil.copy(f"{service.base}/eight.key", f"{service.lab}/eight.key")
    service.import_leaf("Gamma", "eight")
    service.cli("destroy", "Gamma", "--yes")
    shutil.copy(f"{service.base}/eight.key", f"{service.lab}/eight.key")
    service.import_leaf("Gamma", "eight")
    signs_with(service, "Gamma", "eight")
    equal(states(service, "Gamma"), {1: "destroyed", 2: "active"}, "states")


# ---- what clashes


@case
def the_same_key_under_two_names_is_refused(service):
    shutil.copy(f"{service.base}/eight.key", f"{service.lab}/eight.key")
    refused(service.import_leaf("Delta", "eight", check=False), "held under the name Gamma")
    assert os.path.exists(f"{service.lab}/eight.key"), "the key file"
    signs_with(service, "Gamma", "eight")


@case
def of_two_imports_of_one_name_at_once_both_end_whole_or_refused(service):
    """Each is done in its turn, or refused with its file as it was; what is active signs."""
    outcomes = {}

    def one(leaf):
        outcomes[leaf] = service.import_leaf("Race", leaf, check=False)

    threads = [threading.Thread(target=one, args=(leaf,)) for leaf in ("nine", "ten")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    done = [leaf for leaf, ran in outcomes.items() if ran.returncode == 0]
    for leaf, ran in outcomes.items():
        there = os.path.exists(f"{service.lab}/{leaf}.key")
        equal(there, ran.returncode != 0, f"the file of {leaf}")
        if ran.returncode != 0:
            contains(ran.stderr, "try again", "stderr")
    assert done, outcomes
    active = [entry for entry in json.loads(service.cli("show", "Race", "--json").stdout)["generations"]
              if entry["state"] == "active"]
    equal(len(active), 1, "active generations")
    leaf = next(leaf for leaf in done if fingerprint(service, leaf) == active[0]["fingerprint"])
    signs_with(service, "Race", leaf)
    note(f"{len(done)} of 2 imports at once were done")


@case
def certificates_that_expire_soon_are_told_everywhere(service):
    service.make_chain("709J", "soon", days=5)
    service.import_leaf("Soon", "soon")
    told = "Soon: its certificate (generation 1) expires in "
    contains(service.cli("status").stdout, told, "status")
    left = [entry["days_left"] for entry in json.loads(service.cli("list", "--json").stdout)
            if entry["name"] == "Soon"]
    assert left in ([4], [5]), left
    contains(service.cli("list").stdout, f"{left[0]} !!!", "list")
    service.stop()
    service.start()
    contains(service.said(), told, "the log")


def set_not_before(service, name, seconds):
    """In the catalog, as if the clock had been set back; what it was."""
    with contextlib.closing(sqlite3.connect(f"{service.state}/catalog.db")) as catalog, catalog:
        row, before = catalog.execute(
            "SELECT generation.id, not_before FROM generation JOIN name ON name.id = generation.name "
            "WHERE name.name = ? AND generation.state = 'active'", (name,)).fetchone()
        catalog.execute("UPDATE generation SET not_before = ? WHERE id = ?", (seconds, row))
    return before


@case
def a_certificate_that_a_wrong_clock_makes_too_young_is_told_everywhere(service):
    service.make_chain("709J", "young", days=5)
    service.import_leaf("Young", "young")
    service.stop()
    before = set_not_before(service, "Young", int(time.time()) + 3600)
    service.start()
    refused = service.sign("Young", check=False)
    contains(refused.stderr, "not yet valid", "sign")
    told = "Young: its certificate (generation 1) is not valid before "
    contains(service.said(), told, "the log")
    contains(service.cli("status").stdout, told, "status")
    equal(service.cli("status").stdout.count("Young: its certificate (generation 1) expires in "), 1,
          "that it expires is told as well")
    done = service.cli("doctor", check=False)
    equal(done.returncode, 1, "doctor")
    contains(done.stdout, f"error: {told}", "doctor")
    service.stop()
    set_not_before(service, "Young", before)
    service.start()
    service.sign("Young")
    assert told not in service.cli("status").stdout, "still told"


@case
def the_trail_has_it_all_and_verifies(service):
    service.cli("audit", "verify", service.audit)
    seen = {json.loads(line)["act"] for line in service.records()}
    for act in ("generate", "token-generate", "install", "activate", "destroy", "token-destroy",
                "retire"):
        assert act in seen, act


if __name__ == "__main__":
    with Service() as the_service:
        leaves = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]
        the_service.make_chain("709J", *leaves)
        shutil.copy(f"{the_service.lab}/eight.key", f"{the_service.base}/eight.key")
        the_service.start()
        run(service=the_service)
