# SPDX-License-Identifier: BSD-2-Clause
"""What the doctor finds, and a catalog that was lost, rebuilt from what the token holds."""
import glob
import json
import os
import shutil
import signal
import subprocess
import time

import passports
from lives import requested, signs_with, states, x5u_of
from stirkeep import ROOT, STRANGER, Service, wait_until
from tap import Skip, case, contains, equal, note, run

X5U = "https://elsewhere.example.com/beta.pem"
KILLS = 10


def doctor(service, *arguments, **options):
    """(exit status, what it found) of the doctor, without that a build is one for sanitizers."""
    done = service.cli("doctor", "--json", "--config", service.config, *arguments, check=False,
                       **options)
    found = json.loads(done.stdout)
    found["troubles"] = [trouble for trouble in found["troubles"]
                         if "a build for sanitizers" not in trouble["what"]]
    return done.returncode, found


def facts(found):
    return {fact["name"]: fact["value"] for fact in found["facts"]}


def told(found, part, severity=None):
    return [trouble for trouble in found["troubles"] if part in trouble["what"]
            and severity in (None, trouble["severity"])]


def rebuild(service, status=0):
    done = service.cli("doctor", "--rebuild-catalog", "--json", check=False)
    equal(done.returncode, status, done.stdout + done.stderr)
    return json.loads(done.stdout)


def rebuilds(service):
    """How often the trail tells of one."""
    with open(service.audit, "rb") as file:
        return file.read().count(b'"act":"rebuild"')


def lose_catalog(service):
    """The service is stopped, and its catalog gone."""
    service.stop()
    for path in glob.glob(f"{service.state}/catalog.db*"):
        if not path.endswith(".lock"):
            os.remove(path)


def everything(service):
    """All that is held under the names, without when and by whom it was brought."""
    held = {}
    for name in ("Alpha", "Beta", "Gamma", "Made", "Wait"):
        shown = json.loads(service.cli("show", name, "--json").stdout)
        held[name] = [{key: value for key, value in entry.items() if key not in ("created", "days_left")}
                      for entry in shown["generations"] + shown["requested"]]
    return held


def signing(service):
    """The x5u that each name signs with; the signatures verify."""
    leaves = {"Alpha": "two", "Beta": "beta", "Gamma": "gamma", "Made": "made"}
    found = {}
    for name, leaf in leaves.items():
        identity = service.sign(name).stdout
        assert passports.verifies(identity, passports.public_key(f"{service.lab}/{leaf}.pem")), name
        found[name] = x5u_of(identity)
    return found


# ---- what it finds


@case
def a_service_that_does_not_run_is_described_from_outside(service):
    done = service.cli("doctor", "--config", service.config, check=False)
    equal(done.returncode, 1, done.stdout)
    for part in ("does not run", "mend: ", "journalctl", "reset-failed", "--check", service.admin_socket):
        contains(done.stdout, part, "stdout")
    service.start()


@case
def a_service_that_is_well_has_nothing_wrong(service):
    status, found = doctor(service)
    equal((status, found["healthy"], found["view"], found["troubles"]), (0, True, "full", []),
          "the verdict")
    about = facts(found)
    contains(about["library"], "SoftHSM", "library")
    contains(about["protection"], "not a validated module", "protection")
    contains(about["CKM_ECDSA"], "sign", "CKM_ECDSA")
    contains(about["token files"], service.token, "token files")
    assert int(about["signatures"].split()[0]) > 100, about["signatures"]
    note(f"{about['signatures']}; {about.get('signatures, copied', '')}")
    text = service.cli("doctor").stdout
    assert "nothing is wrong" in text or "a build for sanitizers" in text, text


@case
def its_examination_leaves_nothing_on_the_token(service):
    before = facts(doctor(service)[1])["token objects"]
    doctor(service)
    equal(facts(doctor(service)[1])["token objects"], before, "files of objects")


@case
def who_is_no_administrator_is_told_how_to_become_one(service):
    if not ROOT:
        raise Skip("only root can be somebody else")
    status, found = doctor(service, uid=STRANGER)
    equal((status, found["view"]), (1, "outside"), "verdict")
    assert told(found, "could not be asked"), found
    contains(json.dumps(found["troubles"]), "[admin] user", "cure")
    assert "signatures" not in facts(found), "the facts of administrators"


@case
def directories_and_files_that_others_may_read_are_told(service):
    directory = glob.glob(f"{service.token}/tokens/*-*")[0]
    os.chmod(directory, 0o750)
    file = glob.glob(f"{directory}/*.object")[0]
    os.chmod(file, 0o644)
    status, found = doctor(service)
    equal(status, 0, "a warning is no error")
    assert told(found, "others may look into", "warning") and told(found, "read or written by others")
    os.chmod(directory, 0o700)
    os.chmod(file, 0o600)
    equal(doctor(service)[1]["troubles"], [], "afterwards")


@case
def a_disk_that_is_full_is_told(service):
    if not ROOT or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=0700", "tmpfs",
                                   service.log], stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("no file system can be mounted here")
    try:
        status, found = doctor(service)
        equal(status, 1, "verdict")
        assert told(found, f"{service.log}: the file system is full", "error"), found
    finally:
        subprocess.run(["umount", "-l", service.log], check=True)
    equal(doctor(service)[0], 0, "afterwards")


# ---- a lost catalog


@case
def names_are_brought_in(service):
    service.import_leaf("Alpha", "one")
    service.import_leaf("Alpha", "two")
    service.import_leaf("Beta", "beta", "--x5u", X5U)
    service.import_leaf("Gamma", "gamma")
    service.cli("generate", "Made", "--spc", "709J", "--csr-out", f"{service.lab}/made.csr")
    service.make_chain("709J", "made")
    service.cli("install", "Made", "--cert", f"{service.lab}/made-chain.pem")
    service.cli("generate", "Wait", "--spc", "709J", "--csr-out", f"{service.lab}/wait.csr")
    service.x5u = signing(service)
    service.held = everything(service)
    equal(service.x5u["Beta"], X5U, "x5u")
    equal(doctor(service)[1]["troubles"], [], "troubles")
    equal(rebuild(service), {"names": 0, "generations": 0, "known": 6, "problems": []},
          "a rebuild of what is whole")
    equal(everything(service), service.held, "what it changed")
    service.cli("retire", "Gamma")


@case
def without_its_catalog_nothing_signs_and_the_doctor_says_why(service):
    lose_catalog(service)
    service.start()
    for name in service.x5u:
        contains(service.sign(name, check=False).stderr, "not held", name)
    wait_until("the log says what to do", lambda: "doctor --rebuild-catalog" in service.said())
    status, found = doctor(service)
    equal((status, found["healthy"]), (1, False), "verdict")
    unknown = told(found, "not in the catalog", "error")
    equal(len(unknown), 6, f"keys told: {unknown}")
    contains(unknown[0]["cure"], "doctor --rebuild-catalog", "cure")


@case
def rebuilt_each_name_signs_with_its_x5u_again(service):
    equal(rebuild(service), {"names": 5, "generations": 5, "known": 0, "problems": []}, "rebuilt")
    equal(signing(service), service.x5u, "x5u")
    signs_with(service, "Alpha", "two")
    equal(states(service, "Alpha"), {1: "previous", 2: "active"}, "states")
    equal(len(requested(service, "Wait")), 1, "the key that waits")
    equal(everything(service), service.held, "what is held")
    status, found = doctor(service)
    equal((status, found["troubles"]), (0, []), "afterwards")
    acts = [json.loads(line) for line in service.records() if '"act":"rebuild"' in line]
    equal(len(acts), 6, "acts")
    equal({act["name"] for act in acts}, set(service.held), "names in the trail")


@case
def a_second_rebuild_changes_nothing(service):
    equal(rebuild(service), {"names": 0, "generations": 0, "known": 6, "problems": []}, "rebuilt")
    equal(everything(service), service.held, "what is held")
    contains(service.cli("doctor", "--rebuild-catalog").stdout, "6 keys of the token were known",
             "stdout")


@case
def what_was_rebuilt_rolls_back_and_is_installed_upon(service):
    service.cli("rollback", "Alpha")
    signs_with(service, "Alpha", "one")
    equal(states(service, "Alpha"), {1: "active", 2: "previous"}, "states")
    service.make_chain("709J", "wait")
    service.cli("install", "Wait", "--cert", f"{service.lab}/wait-chain.pem")
    signs_with(service, "Wait", "wait")
    equal(rebuild(service)["generations"], 0, "what is active stays")
    signs_with(service, "Alpha", "one")
    service.held = None


@case
def a_damaged_catalog_is_named_with_what_can_be_done(service):
    service.stop()
    with open(f"{service.state}/catalog.db", "r+b") as file:
        file.write(b"this is no database any more" * 200)
    service.start(ready=False)
    equal(service.porter.wait(30), 1, "exit status")
    last = service.said_of_itself()[-1]
    for part in (f"{service.state}/catalog.db", "doctor --rebuild-catalog", "backup"):
        contains(last, part, "the log")
    service.stop()
    lose_catalog(service)
    service.start()
    rebuilt = rebuild(service)
    equal((rebuilt["names"], rebuilt["problems"]), (5, []), "rebuilt")
    equal(signing(service), service.x5u, "x5u")


@case
def a_catalog_that_is_moved_away_while_it_is_in_use_takes_nothing_more(service):
    catalog = f"{service.state}/catalog.db"
    service.make_chain("709J", "moved")
    os.rename(catalog, f"{catalog}.aside")
    refused = service.import_leaf("Moved", "moved", check=False)
    equal(refused.returncode, 1, refused.stdout)
    told = f"catalog {catalog}: moved, removed, replaced or out of reach while it is in use"
    contains(refused.stderr, told, "import")
    assert os.path.exists(f"{service.lab}/moved.key"), "its key is gone"
    contains(service.cli("status").stdout, told, "status")
    done = service.cli("doctor", check=False)
    equal(done.returncode, 1, "doctor")
    contains(done.stdout, f"error: {told}", "doctor")
    os.rename(f"{catalog}.aside", catalog)
    service.import_leaf("Moved", "moved")
    service.kill("intake")
    wait_until("intake is back", lambda: service.cli("list", check=False).returncode == 0, 20)
    contains(service.cli("list").stdout, "Moved", "what was acknowledged")


@case
def killed_in_the_middle_and_repeated_it_ends_the_same(service):
    whole = everything(service)
    partly = 0
    for number in range(KILLS):
        lose_catalog(service)
        service.start()
        before = rebuilds(service)
        asked = subprocess.Popen([f"{service.libexec}/stirkeep", "doctor", "--rebuild-catalog"],
                                 env=service.environment(), stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        wait_until("it has begun", lambda: asked.poll() is not None or
                   rebuilds(service) - before > number % 5, 30, 0.0005)
        service.kill("keeper" if number % 4 == 3 else "intake")
        asked.wait(60)
        service.wait_ready()
        had = rebuild(service)
        partly += 0 < had["generations"] < 6
        equal(everything(service), whole, f"after kill {number}")
    note(f"{KILLS} kills, {partly} of them between the first and the last generation")
    equal(signing(service), service.x5u, "x5u")


# ---- what is not ours


@case
def foreign_objects_are_left_alone_and_told_and_torn_ones_cleared_away(service):
    service.stop()
    for options in (("--label", "somebody", "--id", "0a0b"), ("--label", "stirkeepers", "--id", "07")):
        done = service.pkcs11_tool("--keypairgen", "--key-type", "EC:prime256v1", *options)
        equal(done.returncode, 0, done.stdout)
    directory = glob.glob(f"{service.token}/tokens/*-*")[0]
    whole = sorted(glob.glob(f"{directory}/*.object"), key=os.path.getsize)[-1]
    torn = f"{directory}/01234567-89ab-cdef-0123-456789abcdef.object"
    shutil.copy(whole, torn)
    os.truncate(torn, os.path.getsize(whole) // 2)
    if ROOT:
        service.give(service.token, "keeper")
        os.chown(f"{service.token}/pin", 0, 0)
    os.chmod(torn, 0o600)
    before = sorted(os.listdir(directory))
    service.start()
    status, found = doctor(service)
    equal(status, 0, found["troubles"])
    contains(facts(found)["other keys"], "2 private keys", "other keys")
    contains(service.said(), "removed 1 object files", "the log")
    equal(rebuild(service)["problems"], [], "problems")
    equal(signing(service), service.x5u, "x5u")
    service.stop()
    left = [name for name in before if name not in os.listdir(directory)]
    equal(left, [os.path.basename(torn)], "files that are gone")
    contains(service.pkcs11_tool("--list-objects", "--type", "privkey").stdout.decode(), "somebody",
             "the token")
    if ROOT:
        service.give(service.token, "keeper")
        os.chown(f"{service.token}/pin", 0, 0)
    service.start()


@case
def a_key_that_is_gone_from_the_token_is_told_by_its_name(service):
    key_id = json.loads(service.cli("show", "Beta", "--json").stdout)["generations"][0]["key_id"]
    service.stop()
    equal(service.pkcs11_tool("--delete-object", "--type", "privkey", "--id", key_id).returncode, 0,
          "deleting")
    if ROOT:
        service.give(service.token, "keeper")
        os.chown(f"{service.token}/pin", 0, 0)
    service.start()
    status, found = doctor(service)
    equal(status, 1, "verdict")
    missing = told(found, "not on the token", "error")
    equal(len(missing), 1, missing)
    contains(missing[0]["what"], "Beta", "what")
    contains(missing[0]["cure"], "import", "cure")
    service.import_leaf("Beta", "beta2", "--x5u", X5U)
    equal(told(doctor(service)[1], "not on the token", "error"), [], "afterwards")


@case
def a_stirkeepd_that_was_killed_leaves_a_socket_that_is_told(service):
    rooms = [service.pid(room) for room in ("front", "intake", "keeper")]
    service.porter.send_signal(signal.SIGKILL)
    service.porter.wait()
    for pid in rooms:
        wait_until("the rooms end", lambda pid=pid: not os.path.exists(f"/proc/{pid}"))
    status, found = doctor(service)
    equal((status, found["view"]), (1, "outside"), "verdict")
    assert told(found, "has ended", "error"), found
    contains(facts(found)["lock"], "held by nobody", "lock")
    service.start()


@case
def a_socket_that_is_not_the_configurations_is_told(service):
    status, found = doctor(service, "--admin-socket", f"{service.run}/nothing.sock")
    equal(status, 1, "verdict")
    assert told(found, f"another socket: {service.admin_socket}"), found
    contains(facts(found)["lock"], "No such file", "another socket's lock")


if __name__ == "__main__":
    with Service() as the_service:
        for leaf in ("one", "two"):
            the_service.make_chain("709J", leaf)
            time.sleep(1.1)  # a later one begins later
        the_service.make_chain("709J", "beta", "beta2", "gamma")
        run(service=the_service)
