# SPDX-License-Identifier: BSD-2-Clause
"""Uploads through the spool, by every form, by every hand, and cut off anywhere."""
import glob
import json
import os
import random
import shutil
import signal
import subprocess
import time

import spool
from lives import fingerprint, signs_with, states
from spool import (as_uploader, await_error, await_gone, drop, error_text, evidence, fill, is_there,
                   material, move_in, put, said_of)
from stirkeep import PORTER, ROOMS, ROOT, wait_until
from tap import case, contains, equal, note, run

KILLS = int(os.environ.get("STIRKEEP_SPOOL_KILLS", "15"))


def snapshot(directory):
    """Name -> content of what was uploaded."""
    found = {}
    for name in os.listdir(directory):
        if name != "error.txt":
            with open(f"{directory}/{name}", "rb") as file:
                found[name] = file.read()
    return found


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def attempts(service, name):
    return service.said().count(f"spool: {name}: refused")


# ---- what is right

@case
def an_upload_that_is_marked_ready_is_imported_and_removed_with_evidence(service):
    drop(service, "Alpha", material(service, "alpha"))
    told = await_gone(service, "Alpha")
    signs_with(service, "Alpha", "alpha")
    uid = os.stat(service.staging).st_uid
    for member, value in (("name", "Alpha"), ("generation", 1), ("state", "active"),
                          ("origin", "imported"), ("fingerprint", fingerprint(service, "alpha")),
                          ("spc", "709J"), ("source_removed", True), ("token", "stirkeep"),
                          ("already_held", False), ("warnings", []),
                          ("source", f"{service.incoming}/Alpha")):
        equal(told[member], value, member)
    equal(told["owner"]["uid"], uid, "owner")
    contains(told["how"], "overwritten, synced, unlinked, directory synced, on ", "how")
    contains(told["attributes"], "EXTRACTABLE=0", "attributes")
    text = json.dumps(told)
    assert "PRIVATE KEY" not in text
    acts = [json.loads(line) for line in service.records()]
    removed = [act for act in acts if act["act"] == "source-removed"]
    equal(len(removed), 1, "acts")
    contains(removed[0]["detail"], f"{service.incoming}/Alpha (owner: uid {uid}", "detail")
    equal(glob.glob(f"{service.done}/.*"), [], "what is left in done")


@case
def one_that_is_renamed_into_place_is_whole(service):
    move_in(service, "Beta", material(service, "beta"))
    await_gone(service, "Beta")
    signs_with(service, "Beta", "beta")


@case
def every_form_of_key_and_bundle_is_taken(service):
    lab = service.lab
    both = material(service, "form")
    openssl("pkcs12", "-export", "-inkey", f"{lab}/form.key", "-in", f"{lab}/form-chain.pem",
            "-out", f"{lab}/form.p12", "-passout", "pass:open sesame")
    openssl("pkcs12", "-export", "-inkey", f"{lab}/form.key", "-in", f"{lab}/form-chain.pem",
            "-out", f"{lab}/open.p12", "-passout", "pass:")
    openssl("pkcs8", "-topk8", "-in", f"{lab}/form.key", "-out", f"{lab}/locked.key", "-passout",
            "pass:open sesame")
    openssl("ec", "-in", f"{lab}/form.key", "-outform", "DER", "-out", f"{lab}/form.der")
    with open(f"{service.base}/wrapping.pem", "w") as out:
        out.write(service.cli("show", "--wrapping-key").stdout)
    service.cli("seal", "--to", f"{service.base}/wrapping.pem", "--key", f"{lab}/form.key", "--out",
                f"{lab}/form.sealed")
    leaf, ca, passphrase = content(f"{lab}/form.pem"), content(f"{lab}/ca.pem"), "open sesame\r\n"
    forms = {
        "key and chain apart": {"cert.pem": leaf, "chain.pem": ca, "key.pem": both["key.pem"]},
        "key in DER": {"cert.pem": both["cert.pem"], "key.pem": content(f"{lab}/form.der")},
        "locked key": {"cert.pem": both["cert.pem"], "key.pem": content(f"{lab}/locked.key"),
                       "passphrase": passphrase},
        "PEM bundle": {"bundle.pem": both["key.pem"] + both["cert.pem"]},
        "locked PEM bundle": {"bundle.pem": content(f"{lab}/locked.key") + leaf + ca,
                              "passphrase": passphrase},
        "PKCS#12": {"bundle.p12": content(f"{lab}/form.p12"), "passphrase": passphrase},
        "open PKCS#12": {"bundle.p12": content(f"{lab}/open.p12"), "chain.pem": ca},
        "sealed": {"cert.pem": both["cert.pem"], "key.sealed": content(f"{lab}/form.sealed")},
    }
    for what, files in forms.items():
        drop(service, "Form", files)
        told = await_gone(service, "Form")
        equal(told["source_removed"], True, what)
        equal("passphrase_how" in told, "passphrase" in files, what)
        equal(told["origin"], "sealed" if what == "sealed" else "imported", what)
    # All of them are one certificate and key.
    equal({told["generation"] for told in evidence(service, "Form")}, {1}, "generations")
    equal(len(evidence(service, "Form")), len(forms), "evidence of each")
    signs_with(service, "Form", "form")


@case
def an_x5u_and_a_time_are_taken(service):
    x5u = "https://sti.example.net/own/delta.pem"
    drop(service, "Delta", material(service, "delta", **{"x5u": x5u + "\n"}))
    equal(await_gone(service, "Delta")["x5u"], x5u, "x5u")
    drop(service, "Delta", material(service, "delta2", **{"activate-at": f"@{int(time.time()) + 5}\n"}))
    told = await_gone(service, "Delta")
    equal((told["state"], told["generation"]), ("staged", 2), "staged")
    equal(states(service, "Delta"), {1: "active", 2: "staged"}, "states")
    wait_until("it is active", lambda: states(service, "Delta") == {1: "previous", 2: "active"})


@case
def a_new_upload_under_a_held_name_is_the_next_generation(service):
    drop(service, "Alpha", material(service, "alpha2"))
    equal(await_gone(service, "Alpha")["generation"], 2, "generation")
    signs_with(service, "Alpha", "alpha2")


# ---- what is not whole

@case
def a_half_upload_is_left_alone_for_ever(service):
    """Also when everything that belongs to an upload is in it, and after a restart."""
    drop(service, "Half", material(service, "half"), ready=False)
    fill(f"{service.incoming}/Empty", {})
    before = snapshot(f"{service.incoming}/Half")
    time.sleep(1.5)
    service.kill("intake")
    service.wait_ready()
    service.stop()
    service.start()
    wait_until("the log says what waits", lambda: "spool: Half: waits" in service.said(), 20)
    contains(said_of(service, "Half"), "no empty file `ready`", "log")
    equal(snapshot(f"{service.incoming}/Half"), before, "what was uploaded")
    equal(os.listdir(f"{service.incoming}/Empty"), [], "the empty one")
    equal(service.cli("show", "Half", check=False).returncode, 1, "nothing was imported")
    put(f"{service.incoming}/Half/ready", "")
    await_gone(service, "Half")
    signs_with(service, "Half", "half")
    as_uploader("rmdir", f"{service.incoming}/Empty")


@case
def uploads_that_came_while_the_service_was_down_are_taken_when_they_say_that_they_are_whole(service):
    service.stop()
    drop(service, "Down", material(service, "down"))
    move_in(service, "Moved", material(service, "moved"))
    service.start()
    await_gone(service, "Down")
    wait_until("the log says what waits", lambda: "spool: Moved: waits" in service.said())
    assert is_there(service, "Moved")
    as_uploader("mv", f"{service.incoming}/Moved", f"{service.staging}/Moved")
    as_uploader("mv", f"{service.staging}/Moved", f"{service.incoming}/Moved")
    await_gone(service, "Moved")
    signs_with(service, "Moved", "moved")


# ---- what is refused

@case
def a_refusal_says_why_changes_nothing_and_is_not_repeated(service):
    files = material(service, "wrong")
    files["key.pem"] = material(service, "gamma")["key.pem"]
    drop(service, "Wrong", files)
    before = {**{name: data.encode() for name, data in files.items()}, "ready": b""}
    text = await_error(service, "Wrong", "do not belong together")
    contains(text, "time:   20", "error.txt")
    contains(text, "What to do:", "error.txt")
    assert "PRIVATE KEY" not in text
    equal(snapshot(f"{service.incoming}/Wrong"), before, "what was uploaded")
    time.sleep(4)
    service.kill("intake")
    service.wait_ready()
    service.stop()
    service.start()
    time.sleep(4)
    equal(attempts(service, "Wrong"), 1, said_of(service, "Wrong"))
    equal(snapshot(f"{service.incoming}/Wrong"), before, "what was uploaded")
    # Whoever uploaded it may read what is said.
    contains(as_uploader("cat", f"{service.incoming}/Wrong/error.txt").stdout.decode(), "reason:",
             "error.txt")


@case
def what_is_put_right_is_taken(service):
    put(f"{service.incoming}/Wrong/key.pem", material(service, "wrong")["key.pem"])
    await_gone(service, "Wrong")
    signs_with(service, "Wrong", "wrong")
    drop(service, "Again", {"cert.pem": "nothing", "key.pem": "nothing"})
    await_error(service, "Again", "cert.pem")
    for name, data in material(service, "again").items():
        as_uploader("rm", "-f", f"{service.incoming}/Again/ready")
        put(f"{service.incoming}/Again/{name}", data)
    put(f"{service.incoming}/Again/ready", "")
    await_gone(service, "Again")


@case
def each_refusal_names_what_was_found(service):
    good, lab = material(service, "gamma"), service.lab
    openssl("genrsa", "-out", f"{lab}/rsa.key", "2048")
    openssl("pkcs8", "-topk8", "-in", f"{lab}/gamma.key", "-out", f"{lab}/gamma.locked", "-passout",
            "pass:open sesame")
    locked = content(f"{lab}/gamma.locked")
    cases = {
        "R1": ({**good, "key.pem": content(f"{lab}/rsa.key")}, "RSA 2048 key"),
        "R2": ({**good, "key.pem": locked}, "passphrase is needed"),
        "R3": ({**good, "key.pem": locked, "passphrase": "wrong\n"}, "passphrase is wrong"),
        "R4": ({"cert.pem": good["cert.pem"]}, "no key in it"),
        "R5": ({"key.pem": good["key.pem"]}, "no certificate in it"),
        "R6": ({**good, "bundle.pem": good["key.pem"] + good["cert.pem"]}, "more than one of"),
        "R7": ({**good, "notes.txt": "hello"}, "notes.txt: not a file of an upload"),
        "R8": ({**good, "x5u": "http://example.com/x\n"}, "x5u"),
        "R9": ({**good, "activate-at": "+7d\n"}, "a moment is wanted"),
        "R10": ({**good, "activate-at": "tomorrow\n"}, "activate-at"),
        "R11": ({**good, "activate-at": "@1\n@2\n"}, "has to be one line"),
        "R12": ({"cert.pem": good["key.pem"] + good["cert.pem"], "key.pem": good["key.pem"]},
                "there is a private key in it"),
        "R13": ({"bundle.p12": good["key.pem"]}, "no certificate in it"),
        "R14": ({**good, "key.pem": good["key.pem"] + " " * 300000}, "larger than"),
    }
    for name, (files, part) in cases.items():
        drop(service, name, files)
        await_error(service, name, part)
    for name in cases:
        assert is_there(service, name)
        as_uploader("rm", "-r", f"{service.incoming}/{name}")
    equal(service.cli("show", "R1", check=False).returncode, 1, "nothing was imported")


@case
def a_passing_trouble_is_waited_out_without_a_word(service):
    pid = service.pid("keeper")
    os.kill(pid, signal.SIGSTOP)
    try:
        drop(service, "Patient", material(service, "patient"))
        time.sleep(7)
        assert is_there(service, "Patient")
        equal(error_text(service, "Patient"), None, "error.txt")
    finally:
        os.kill(pid, signal.SIGCONT)
    await_gone(service, "Patient", 40)
    signs_with(service, "Patient", "patient")


# ---- what is cut off

def invariant(service, name, leaf):
    """The upload is whole, or the key signs; in the end, not both."""
    await_gone(service, name, 60)
    signs_with(service, name, leaf)
    found = evidence(service, name)
    equal([told["source_removed"] for told in found], [True] * len(found), "evidence")
    equal(glob.glob(f"{service.done}/.*"), [], "what is left in done")


@case
def whatever_is_killed_an_upload_is_whole_or_in_the_token_and_in_the_end_not_both(service):
    chance = random.Random(4711)
    held = material(service, "kill")
    for turn in range(KILLS):
        name, form = f"Kill{turn}", turn % 3
        leaf = f"kill{turn}"
        held = material(service, leaf)
        files = held if form < 2 else {"bundle.pem": held["key.pem"] + held["cert.pem"]}
        if form == 1:
            move_in(service, name, files)
        else:
            drop(service, name, files)
        for _ in range(chance.choice((1, 1, 2))):
            time.sleep(chance.uniform(0, 0.4))
            pid = service.pid("keeper" if turn % 5 == 4 else "intake")
            if pid is not None:
                os.kill(pid, signal.SIGKILL)
            key = [path for path in glob.glob(f"{service.incoming}/{name}/*")
                   if path.endswith(("key.pem", "bundle.pem"))]
            if key and held["key.pem"].encode() not in content(key[0]):
                # Not whole any more, so it must be held; nothing of it is left.
                assert b"PRIVATE KEY" not in content(key[0]), key
        if form == 1 and is_there(service, name) and \
                not os.path.exists(f"{service.incoming}/{name}/ready"):
            # Nobody saw that it was renamed in, so nobody may take it for whole.
            put(f"{service.incoming}/{name}/ready", "")
        invariant(service, name, leaf)
    note(f"{KILLS} uploads were cut off")


@case
def a_removal_that_was_cut_off_is_finished_by_the_next_start(service):
    """By hand, at the places that a kill seldom finds."""
    for place in ("remains", "gone", "gone-bundle"):
        name, leaf = f"Cut-{place}", f"cut-{place}"
        drop(service, name, material(service, leaf), ready=False)
        service.stop()
        # As it is when the key was imported and the removal had begun.
        directory = f"{service.incoming}/{name}"
        about = os.stat(directory)
        put(f"{directory}/ready", "")
        service.start()
        await_gone(service, name)
        told = evidence(service, name)[-1]
        service.stop()
        fill(directory, {} if place == "gone-bundle" else
             {"cert.pem": material(service, leaf)["cert.pem"]})
        if place == "remains":
            put(f"{directory}/key.pem", "stirkeep: imported, being removed\nnoise")
        about = os.stat(directory)
        born = int(subprocess.run(["stat", "-c", "%W", directory], check=True,
                                  stdout=subprocess.PIPE, text=True).stdout)
        born = born_ns(directory) if born else 0
        for member in ("how", "removed"):
            told.pop(member)
        told["source_removed"] = False
        file = os.path.basename(sorted(glob.glob(f"{service.done}/{name}-2*.json"))[-1])
        os.remove(f"{service.done}/{file}")
        record = f"{service.done}/.{name}.removing"
        with open(record, "w") as out:
            json.dump({"evidence": told, "file": file, "ino": about.st_ino,
                       "born_ns": born, "key": "bundle.pem" if place == "gone-bundle" else "key.pem",
                       "recorded": False}, out)
        if ROOT:
            os.chown(record, ROOMS["intake"], ROOMS["intake"])
        service.start()
        invariant(service, name, leaf)
        done = evidence(service, name)[-1]
        contains(done["how"], "overwritten" if place == "remains" else "cut off", place)
        equal(done["imported"], told["imported"], "the time of the import")


def born_ns(path):
    """Time of birth, by statx(2) as coreutils prints it."""
    text = subprocess.run(["stat", "-c", "%w", path], check=True, stdout=subprocess.PIPE,
                          text=True, env={**os.environ, "TZ": "UTC"}).stdout.strip()
    seconds = time.mktime(time.strptime(text[:19], "%Y-%m-%d %H:%M:%S")) - time.timezone
    return int(seconds) * 10**9 + int(text[20:29])


@case
def remains_without_a_record_are_removed_when_their_certificate_is_held(service):
    held = fingerprint(service, "alpha2")
    files = {"bundle.pem": f"stirkeep: imported, being removed\nnote: certificate {held}\nnoise"}
    drop(service, "Alpha", files)
    told = await_gone(service, "Alpha")
    equal((told["generation"], told["already_held"]), (2, True), "evidence")
    files["bundle.pem"] = files["bundle.pem"].replace(held, "0" * 64)
    drop(service, "Alpha", files)
    await_error(service, "Alpha", "holds no key any more")
    as_uploader("rm", "-r", f"{service.incoming}/Alpha")


# ---- who is hostile

@case
def hostile_directories_hurt_nobody(service):
    incoming, good = service.incoming, material(service, "gamma")
    victim = f"{service.staging}/victim.pem"
    put(victim, good["key.pem"])
    cert = ("cert.pem", good["cert.pem"])

    def hostile(name, *commands, files=(cert,)):
        fill(f"{incoming}/{name}", dict(files))
        for command in commands:
            as_uploader("/bin/sh", "-c", f"cd {incoming}/{name} && {command}")
        as_uploader("touch", f"{incoming}/{name}/ready")

    hostile("H1", f"ln -s {victim} key.pem")
    hostile("H2", f"ln {victim} key.pem")
    hostile("H3", "mkfifo key.pem")
    hostile("H4", "mkdir key.pem")
    hostile("H5", "ln -s /dev/zero key.pem")
    hostile("H6", "truncate -s 100G key.pem")
    hostile("H7", "for i in $(seq 200); do : >file$i; done")
    hostile("H8", "cp cert.pem key.pem; chmod 000 key.pem")
    hostile("H9", f"cat {victim} >key.pem; mkdir error.txt")
    hostile("H10", f"cat {victim} >key.pem; ln -s /etc/passwd .stirkeep-x; mkdir sub")
    expected = {"H1": "not a regular file", "H2": "hard links", "H3": "not a regular file",
                "H4": "not a regular file", "H5": "not a regular file", "H6": "larger than",
                "H7": "file"}
    if ROOT:
        expected["H8"] = "may not read"
    for name, part in expected.items():
        await_error(service, name, part)
    await_error(service, "H10", "sub: not")
    # Links in the place of uploads, names that are none, files, a directory nobody may look into.
    as_uploader("ln", "-s", service.staging, f"{incoming}/Link")
    as_uploader("mkdir", f"{incoming}/two\nlines", f"{incoming}/-rf", f"{incoming}/{'x' * 255}",
                f"{incoming}/Closed")
    as_uploader("touch", f"{incoming}/two\nlines/ready", f"{incoming}/Plain")
    as_uploader("chmod", "000", f"{incoming}/Closed")
    drop(service, "Honest", material(service, "honest"))
    await_gone(service, "Honest", 40)
    signs_with(service, "Honest", "honest")
    with open(victim) as file:
        equal(file.read(), good["key.pem"], "the victim's file")
    assert os.path.islink(f"{incoming}/Link")
    equal(service.pid("intake") is not None, True, "intake lives")
    as_uploader("chmod", "700", f"{incoming}/Closed")
    as_uploader("/bin/sh", "-c", f"rm -rf {incoming}/* {victim}")


@case
def a_swarm_of_directories_keeps_nobody_waiting(service):
    """Some hundred uploads that are refused, and as many that never become whole."""
    as_uploader("/bin/sh", "-c", f'cd {service.incoming} && for i in $(seq 300); do '
                "mkdir Swarm$i Idle$i && echo x >Swarm$i/key.pem && : >Swarm$i/ready; done")
    began = time.monotonic()
    if ROOT:
        # Another one than the owner of the swarm.
        shutil.copytree(service.lab, f"{service.base}/own", ignore=lambda *_: ["private"])
        path = f"{service.incoming}/Quick"
        os.mkdir(path)
        for name, data in material(service, "quick").items():
            with open(f"{path}/{name}", "w") as out:
                out.write(data)
            os.chmod(f"{path}/{name}", 0o660)
            os.chown(f"{path}/{name}", 0, ROOMS["intake"])
        os.chmod(path, 0o2770)
        os.chown(path, 0, ROOMS["intake"])
        with open(f"{path}/ready", "w"):
            pass
        await_gone(service, "Quick", 30)
        took = time.monotonic() - began
        note(f"{took:.2f} s for an upload beside the swarm")
        assert took < 15
    equal(service.cli("status", check=False).returncode, 0, "the service is ready")
    as_uploader("/bin/sh", "-c", f"rm -rf {service.incoming}/*")


# ---- directories

@case
def what_is_wrong_with_the_directories_is_told_before_and_while_it_runs(service):
    def check():
        return subprocess.run([PORTER, "-c", service.config, "--libexec", service.libexec,
                               "--check"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wrong(part):
        done = check()
        equal(done.returncode, 1, done.stderr)
        contains(done.stderr, part, "--check")
    service.stop()
    equal(check().returncode, 0, check().stderr)
    mode = os.stat(service.incoming).st_mode & 0o7777
    os.chmod(service.incoming, 0o777)
    wrong("without the sticky bit")
    os.chmod(service.incoming, mode)
    os.chmod(service.done, 0o777)
    wrong("done: everybody may write to it")
    os.chmod(service.done, 0o750)
    if ROOT:
        os.chown(service.incoming, 0, 0)
        os.chmod(service.incoming, 0o755)
        wrong("incoming: the service's user may not write")
        os.chmod(service.incoming, 0o1777)
        wrong("sticky bit")
        os.chown(service.incoming, ROOMS["intake"], ROOMS["intake"])
        os.chmod(service.incoming, mode)
        os.chown(service.done, 61009, 61009)
        os.chmod(service.done, 0o750)
        wrong("done: ")
        os.chown(service.done, ROOMS["intake"], ROOMS["intake"])
    os.rename(service.incoming, f"{service.spool}/elsewhere")
    wrong("incoming: No such file or directory")
    os.symlink("elsewhere", service.incoming)
    wrong("not a directory")
    os.remove(service.incoming)
    service.start()
    wait_until("the log says it", lambda: "incoming: No such file" in service.said())
    os.rename(f"{service.spool}/elsewhere", service.incoming)
    drop(service, "Late", material(service, "late"))
    await_gone(service, "Late")
    signs_with(service, "Late", "late")


if __name__ == "__main__":
    with spool.new_service() as the_service:
        the_service.make_chain(
            "709J", "alpha", "alpha2", "beta", "gamma", "delta", "delta2", "form", "half", "down",
            "moved", "wrong", "again", "patient", "honest", "quick", "late", "kill", "cut-remains",
            "cut-gone", "cut-gone-bundle", *[f"kill{turn}" for turn in range(KILLS)])
        the_service.start()
        run(service=the_service)
