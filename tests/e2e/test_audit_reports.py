# SPDX-License-Identifier: BSD-2-Clause
"""Bundles, reports and retention of audit trails: of trails that another program wrote, with whatever
may stand in one, and of the real service."""
import base64
import collections
import hashlib
import html.parser
import json
import os
import random
import re
import shutil
import subprocess
import tempfile
import time
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils

from built import PATIENCE
from stirkeep import CLI, Service, wait_until
from tap import case, contains, equal, note, run
from written import Written, sha256, utc

NOT_ONE_BY_ONE = "more like it, not recorded one by one"
HOSTILE = ['<script>alert("1")</script>', "\"' onload=x", "</title></svg><img src=x>", "&lt;",
           "\u202eevil\u2066", "a\x1bb\x00c", "x" * 3000, "&#60;b&#62;", "-->", "{{7*7}}", "ünïcode \U0001f512"]


def stirkeep(*arguments, code=0):
    done = subprocess.run([CLI, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, timeout=120,
                          env={"PATH": "/usr/bin:/bin", "STIRKEEP_ADMIN_SOCKET": "/nonexistent"})
    equal(done.returncode, code, f"stirkeep {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done


class Place:
    """A directory, and in it a trail in several files with all kinds of records."""

    def __init__(self, records=3000, seed=5):
        self.base = tempfile.mkdtemp(prefix="stirkeep-reports-")
        self.random = random.Random(seed)
        self.trail = Written(self.path("audit.jsonl"), utc(2026, 1, 30, 22))
        self.pem = self.trail.pem(self.path("audit.pem"))
        self.fill(records)
        self.files = self.trail.done()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.base)

    def path(self, name):
        return f"{self.base}/{name}"

    def fill(self, records):
        trail, pick = self.trail, self.random
        trail.add("start", detail="token stirkeep")
        trail.add("policy", detail=f"configuration {'a' * 64} attestation - grants 2 rules 0")
        for name in ("Alpha", "Alpha-2", "Beta"):
            trail.add("import", name=name, generation=1, key_id=sha256(name.encode()).hex(), uid=0,
                      gid=0, pid=1, request_id="1", detail="EXTRACTABLE=0 <b>&")
        for number in range(records):
            name = pick.choice(("Alpha", "Alpha", "Alpha-2", "Beta"))
            step = pick.choice((0.01, 5, 600))
            dice = pick.random()
            if dice < 0.8:
                trail.sign(name, after=step, uid=pick.choice((1000, 1001)),
                           attest=pick.choice("ABC"), ppt=pick.choice(("shaken", "div", "rcd")),
                           executable=pick.choice((None, "/usr/sbin/kamailio")))
            elif dice < 0.85:
                trail.sign(name, after=step, outcome="token-error", sig=None, reason="CKR_X <&>")
            elif dice < 0.95:
                trail.add("refuse", "not-permitted", after=step, uid=1002, gid=5, pid=6,
                          request_id="7", name=pick.choice((name, *HOSTILE)), ppt="shaken",
                          reason=f"attest A for 1415555{number % 10000:04d}: B at most",
                          suppressed=pick.choice((None, 3)))
            elif dice < 0.97:
                trail.add("refuse", "rate-limited", after=step, uid=1002, gid=5, pid=6,
                          request_id="0", reason=NOT_ONE_BY_ONE, suppressed=11)
            else:
                trail.seal(max(trail.seq - pick.randrange(3), trail.sealed + 1))
            if number % (records // 3 + 1) == records // 3:
                trail.rotate()
        trail.add("token-lost", "token-error", reason="it hangs")
        trail.add("token-found")
        trail.add("stop")
        trail.add("start", after=7200, detail="token stirkeep")
        trail.add("policy", detail=f"configuration {'b' * 64} attestation - grants 3 rules 9")
        trail.seal()
        trail.sign("Alpha")


def export(place, *more, out="bundle"):
    told = stirkeep("audit", "export", *place.files, "--key", place.pem, "--out", place.path(out),
                    "--json", *more)
    return json.loads(told.stdout)


def lines(path):
    with open(path, "rb") as file:
        return file.read().split(b"\n")[:-1]


def check_seal(key, seal):
    text = "stirkeep audit seal 1\n{from}\n{through}\n{head}\n{root}\n{sealed}\n{key_id}\n"
    pair = [int(seal["seal"][i:i + 64], 16) for i in (0, 64)]
    key.verify(utils.encode_dss_signature(*pair), text.format(**seal).encode(), ec.ECDSA(hashes.SHA256()))


def climb(record, path, index, last):
    node = sha256(b"\0" + sha256(record))
    for beside in map(bytes.fromhex, path):
        if index % 2 or index == last:
            node = sha256(b"\1" + beside + node)
            while index % 2 == 0 and index:
                index, last = index // 2, last // 2
        else:
            node = sha256(b"\1" + node + beside)
        index, last = index // 2, last // 2
    equal(last, 0, "the path's length")
    return node.hex()


# ---- export


@case
def a_bundle_holds_what_matches_and_its_proofs_hold_by_another_program():
    with Place() as place:
        told = export(place, "--name", "Alpha*", "--since", "2026-01-31", "--until", "2026-02-03")
        wanted = [line for line, record in zip(place.trail.lines, place.trail.records)
                  if record.get("name", "").startswith("Alpha")
                  and "2026-01-31" <= record["time"] < "2026-02-03"]
        bundle = place.path("bundle")
        got = lines(f"{bundle}/records.jsonl")
        equal(got, wanted, "records")
        assert len(got) > 300, len(got)
        key = serialization.load_pem_public_key(open(f"{bundle}/audit-key.pem", "rb").read())
        equal(key.public_numbers(), place.trail.key.public_key().public_numbers(), "key")
        proven = []
        for proof in map(json.loads, lines(f"{bundle}/proofs.jsonl")):
            seal, record = json.loads(proof["seal"]), proof["record"].encode()
            check_seal(key, seal)
            first, number = seal["from"], json.loads(record)["seq"]
            equal(climb(record, proof["path"], number - first, seal["through"] - first), seal["root"],
                  f"the root over record {number}")
            proven.append(record)
        equal(proven, wanted, "proofs")
        equal((told["records"], told["proofs"]), (len(wanted), len(wanted)), "told")
        checkpoints = lines(f"{bundle}/checkpoints.jsonl")
        known = {json.loads(proof)["seal"] for proof in lines(f"{bundle}/proofs.jsonl")}
        assert known <= {line.decode() for line in checkpoints}, "a proof's seal is not there"
        after = [line for line, record in zip(place.trail.lines, place.trail.records)
                 if record["act"] == "seal" and record["time"] >= "2026-02-03"]
        assert after[0] in checkpoints, "the one after the period"


@case
def the_summary_says_what_is_there_and_names_the_trails_files_by_what_was_read():
    with Place() as place:
        packed = place.files[0] + ".zst"
        subprocess.run(["zstd", "-q", "--rm", place.files[0], "-o", packed], check=True)
        plain = [subprocess.run(["zstd", "-dcq", packed], check=True, stdout=subprocess.PIPE).stdout,
                 *(open(path, "rb").read() for path in place.files[1:])]
        place.files[0] = packed
        export(place)
        summary = json.load(open(place.path("bundle/summary.json")))
        equal(summary["records"], len(place.trail.records), "records")
        equal(summary["acts"], dict(collections.Counter(r["act"] for r in place.trail.records)), "acts")
        equal([file["sha256"] for file in summary["trail"]["files"]],
              [hashlib.sha256(text).hexdigest() for text in plain], "files")
        equal([file["name"] for file in summary["trail"]["files"]],
              [os.path.basename(path) for path in place.files], "names")
        equal(summary["trail"]["last"], place.trail.seq, "last")
        contains(open(place.path("bundle/README.txt")).read(), "2 of them have no proof", "README")
        equal(summary["unsealed"], 2, "the last seal itself, and the record behind it")


@case
def a_bundle_is_checked_by_the_command_and_by_the_page_in_it():
    with Place() as place:
        export(place, "--name", "Beta")
        told = stirkeep("audit", "check-export", place.path("bundle"), "--key", place.pem)
        contains(told.stdout, "good:", "check-export")
        with open(place.path("one"), "wb") as one:
            one.write(lines(place.path("bundle/proofs.jsonl"))[0] + b"\n")
        stirkeep("audit", "check-proof", place.path("one"), "--key", place.pem)
        command = "sed -n '/^# ---- check.py/,/^# ---- end/p' README.txt | python3 - ../audit.pem"
        readme = open(place.path("bundle/README.txt")).read()
        contains(readme, command.replace("../audit", "AUDIT-KEY"), "README")
        done = subprocess.run(command, shell=True, cwd=place.path("bundle"), check=True,
                              stdout=subprocess.PIPE, text=True)
        count = len(lines(place.path("bundle/records.jsonl")))
        equal(done.stdout, f"{count} of {count} records proven\n", "by hand")


@case
def whatever_is_changed_in_a_bundle_is_found():
    with Place(600) as place:
        export(place)
        bundle, pick, found = place.path("bundle"), random.Random(1), 0
        other = Written(place.path("other.jsonl"), utc(2026, 1, 1)).pem(place.path("other.pem"))
        done = stirkeep("audit", "check-export", bundle, "--key", other, code=1)
        contains(done.stderr, "signed by none of the keys", "another key")
        stirkeep("audit", "check-export", bundle, code=2)
        for name in ("records.jsonl", "proofs.jsonl", "checkpoints.jsonl"):
            whole = lines(f"{bundle}/{name}")
            for turn in range(40):
                changed = list(whole)
                at = pick.randrange(len(changed) - 1)
                if turn % 4 == 0:
                    bit = pick.randrange(len(changed[at]) * 8)
                    text = bytearray(changed[at])
                    text[bit // 8] ^= 1 << bit % 8
                    changed[at] = bytes(text)
                elif turn % 4 == 1:
                    del changed[at]
                elif turn % 4 == 2:
                    changed[at], changed[at + 1] = changed[at + 1], changed[at]
                else:
                    changed.insert(at, changed[at])
                with open(f"{bundle}/{name}", "wb") as out:
                    out.write(b"\n".join(changed) + b"\n")
                stirkeep("audit", "check-export", bundle, "--key", place.pem, code=1)
                found += 1
            with open(f"{bundle}/{name}", "wb") as out:
                out.write(b"\n".join(whole) + b"\n")
        stirkeep("audit", "check-export", bundle, "--key", place.pem)
        with open(f"{bundle}/proofs.jsonl", "ab") as out:
            out.write(b"x" * (5 << 20))
        contains(stirkeep("audit", "check-export", bundle, "--key", place.pem, code=1).stderr,
                 "longer than", "a line without an end")
        note(f"{found} changes found")


@case
def what_only_the_bundle_says_is_not_taken_for_proven():
    with Place(600) as place:
        export(place)
        bundle = place.path("bundle")
        check = ("audit", "check-export", bundle, "--key", place.pem)
        told = json.loads(stirkeep(*check, "--json").stdout)
        equal(told["not_proven"],
              [{"first": place.trail.seq - 1, "last": place.trail.seq, "records": 2}], "not proven")
        summary = open(f"{bundle}/summary.json").read()
        for what in ("acts", "outcomes", "names", "first", "last"):
            changed = json.loads(summary)
            if isinstance(changed[what], dict):
                changed[what][next(iter(changed[what]))] += 1
            else:
                changed[what] += 1
            with open(f"{bundle}/summary.json", "w") as out:
                json.dump(changed, out)
            contains(stirkeep(*check, code=1).stderr, f'"{what}"', what)
        # A record that was made up, its proof taken away, and the summary made to fit.
        records, proofs = lines(f"{bundle}/records.jsonl"), lines(f"{bundle}/proofs.jsonl")
        head = records[9][:records[9].rindex(b',"sum":')]
        head = re.sub(rb'"time":"[^"]*"', b'"time":"2026-01-30T22:00:00.999999Z"', head)
        records[9] = head + b',"sum":"' + hashlib.sha256(head).hexdigest()[:16].encode() + b'"}'
        del proofs[9]
        changed = json.loads(summary)
        changed["proofs"] -= 1
        changed["unsealed"] += 1
        for name, text in (("records", records), ("proofs", proofs)):
            with open(f"{bundle}/{name}.jsonl", "wb") as out:
                out.write(b"\n".join(text) + b"\n")
        with open(f"{bundle}/summary.json", "w") as out:
            json.dump(changed, out)
        contains(stirkeep(*check).stdout, "record 10 to 10: 1\n", "which one is not proven")


@case
def an_export_that_cannot_be_whole_leaves_nothing():
    with Place(600) as place:
        os.mkdir(place.path("taken"))
        told = stirkeep("audit", "export", *place.files, "--key", place.pem, "--out",
                        place.path("taken"), code=1)
        contains(told.stderr, "there already", "into a directory that is there")
        equal(os.listdir(place.path("taken")), [], "what was there")
        with open(place.files[1], "r+b") as file:
            file.seek(5000)
            byte = file.read(1)
            file.seek(5000)
            file.write(bytes([byte[0] ^ 1]))
        before = sorted(os.listdir(place.base))
        stirkeep("audit", "export", *place.files, "--key", place.pem, "--out", place.path("new"), code=1)
        equal(sorted(os.listdir(place.base)), before, "of a trail that does not verify")
        stirkeep("audit", "export", *place.files, "--out", place.path("new"), code=2)


@case
def a_private_key_beside_a_certificate_does_not_get_into_the_bundle():
    with Place(100) as place:
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                        "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x", "-keyout",
                        place.path("key"), "-out", place.path("cert")], check=True,
                       stderr=subprocess.DEVNULL)
        with open(place.path("both"), "w") as out:
            out.write(open(place.path("key")).read() + open(place.path("cert")).read())
        export(place, "--certificate", place.path("both"))
        text = open(place.path("bundle/certificate-1.pem")).read()
        contains(text, "BEGIN CERTIFICATE", "certificate")
        assert "PRIVATE" not in text, text


@case
def an_export_that_is_killed_leaves_nothing_that_looks_finished():
    with Place(6000) as place:
        seen = collections.Counter()
        for turn in range(12):
            out = place.path(f"killed-{turn}")
            process = subprocess.Popen([CLI, "audit", "export", *place.files, "--key", place.pem,
                                        "--out", out], stdout=subprocess.DEVNULL)
            time.sleep(0.03 * turn)
            process.kill()
            process.wait()
            seen[os.path.exists(out)] += 1
            if os.path.exists(out):
                stirkeep("audit", "check-export", out, "--key", place.pem)
        note(f"finished or not: {dict(seen)}")
        assert seen[False] > 0, "no kill came in time"


# ---- words


@case
def a_value_that_reads_like_others_is_in_quotation_marks():
    base = tempfile.mkdtemp(prefix="stirkeep-words-")
    try:
        trail = Written(f"{base}/audit.jsonl", utc(2026, 1, 1))
        for name, orig, ppt in (("Alpha", "12155550121", "shaken"),
                                ("Alpha (generation 1)  shaken A", "1  by uid 0, grant root", "div-o"),
                                ('A"  by uid 0', "sip:a@example.com", "x y"), ("Al\u200bpha", "1,2", "")):
            trail.add("refuse", "invalid", uid=7, gid=7, pid=7, request_id="7", name=name, ppt=ppt,
                      orig=orig, dest=[orig, "2"], executable="/usr/bin/a b, grant root")
        words = stirkeep("audit", "show", *trail.done()).stdout.splitlines()
        by = '  by uid 7, pid 7, "/usr/bin/a b, grant root", request 7'
        equal([line.split("Z  refuse invalid  ")[1] for line in words],
              [f"Alpha  shaken  12155550121 to 12155550121, 2{by}",
               '"Alpha (generation 1)  shaken A"  div-o  "1  by uid 0, grant root" to '
               f'"1  by uid 0, grant root", 2{by}',
               f'"A\'  by uid 0"  "x y"  sip:a@example.com to sip:a@example.com, 2{by}',
               f'"Al\u200bpha"  "1,2" to "1,2", 2{by}'], "words")
    finally:
        shutil.rmtree(base)


# ---- report


class Page(html.parser.HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.tags, self.attributes, self.text, self.open = collections.Counter(), [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attributes]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags[tag] += 1
        self.attributes += [(tag, name, value) for name, value in attributes]

    def handle_endtag(self, tag):
        equal(self.open.pop(), tag, "what is closed")

    def handle_data(self, data):
        self.text.append(data)


def counted(records):
    """(signed, failed, refused, suppressed) by name."""
    found = collections.defaultdict(lambda: [0, 0, 0, 0])
    for record in records:
        if record["act"] not in ("sign", "refuse"):
            continue
        row = found[record.get("name", "")]
        if record["act"] == "sign":
            row[0 if record["outcome"] == "ok" else 1] += 1
        elif record.get("reason") != NOT_ONE_BY_ONE:
            row[2] += 1
        row[3] += record.get("suppressed", 0)
    return found


def counts(row):
    return [row[name] for name in ("signed", "failed", "refused", "suppressed")]


@case
def the_numbers_of_a_report_are_those_that_another_program_counts():
    with Place() as place:
        document = json.loads(stirkeep("audit", "report", *place.files, "--key", place.pem,
                                       "--json").stdout)
        wanted = counted(place.trail.records)
        kept = lambda name: len(name) <= 512
        equal({c["name"]: counts(c) for c in document["certificates"]},
              {name.replace("\0", "\ufffd"): row for name, row in wanted.items() if kept(name)},
              "by name")
        equal(counts(document["certificates_left_out"]),
              [sum(row[i] for name, row in wanted.items() if not kept(name)) for i in range(4)],
              "of names that are none")
        equal(counts(document["totals"]), [sum(row[i] for row in wanted.values()) for i in range(4)],
              "totals")
        alpha = document["certificates"][0]
        signed = [r for r in place.trail.records if r["act"] == "sign" and r["outcome"] == "ok"
                  and r["name"] == "Alpha"]
        equal(alpha["name"], "Alpha", "the first one")
        equal({row["day"]: row["signed"] for row in alpha["days"] if row["signed"]},
              dict(collections.Counter(r["time"][:10] for r in signed)), "by day")
        equal({row["attest"]: row["signed"] for row in alpha["attests"]["rows"]},
              dict(collections.Counter(r["attest"] for r in signed)), "by attest")
        equal({row["ppt"]: row["signed"] for row in alpha["ppts"]["rows"]},
              dict(collections.Counter(r["ppt"] for r in signed)), "by ppt")
        equal({(row["uid"], row["executable"], row["grant"]): row["signed"]
               for row in alpha["peers"]["rows"] if row["signed"]},
              dict(collections.Counter((str(r["uid"]), r.get("executable"), r["grant"])
                                       for r in signed)), "by peer")
        refused = [row for row in alpha["refusals"]["rows"] if row["act"] == "refuse"]
        equal([row["reason"] for row in refused], ["attest A for #: B at most"], "one reason")
        equal([act["act"] for act in alpha["life"]], ["import"], "life")
        equal([p["configuration"][0] for p in document["policies"]], ["a", "b"], "policies")
        equal(document["policies"][0]["until"], document["policies"][1]["from"], "in force until")
        equal([gap["what"] for gap in document["gaps"]], ["the service did not run"], "gaps")
        equal([e["act"] for e in document["events"]],
              ["start", "policy", "token-lost", "token-found", "stop", "start", "policy"], "events")
        trail = document["trail"]
        equal((trail["verified"], trail["last"], trail["keys"][0]["given"]),
              (True, place.trail.seq, True), "trail")


@case
def a_period_and_a_name_narrow_a_report():
    with Place() as place:
        document = json.loads(stirkeep("audit", "report", *place.files, "--json", "--since",
                                       "2026-01-31", "--until", "2026-02-01", "--name", "Beta").stdout)
        wanted = counted(r for r in place.trail.records if r["time"].startswith("2026-01-31")
                         and r.get("name") == "Beta")
        equal({c["name"]: counts(c) for c in document["certificates"]}, dict(wanted), "Beta")
        equal(document["trail"]["signatures_checked"], False, "without a key")
        equal([p["configuration"][0] for p in document["policies"]], ["a"],
              "in force since before the period")
        contains(stirkeep("audit", "report", *place.files).stdout, "NOT checked", "without a key")


@case
def a_page_shows_hostile_texts_and_runs_none_of_them():
    with Place() as place:
        stirkeep("audit", "report", *place.files, "--key", place.pem, "--html", place.path("r.html"))
        text = open(place.path("r.html"), encoding="utf-8").read()
        page = Page(text)
        equal(page.open, [], "all is closed")
        for tag in ("script", "img", "iframe", "link", "object", "form", "a", "b"):
            equal(page.tags[tag], 0, tag)
        for tag, name, value in page.attributes:
            assert not name.startswith("on") and name not in ("href", "src", "action"), (tag, name)
            assert "url(" not in value and "javascript" not in value, (tag, name, value)
        assert "://" not in text and "@import" not in text, "it would open the network"
        for char in text:
            assert char == "\n" or (ord(char) >= 0x20 and char not in "\u202e\u2066\x7f"), repr(char)
        shown = "".join(page.text)
        for name in HOSTILE:
            if len(name) > 512:
                continue
            shown_as = name.replace("\0", "\ufffd")
            for char in "\u202e\u2066\x1b":
                shown_as = shown_as.replace(char, f"\\u{ord(char):04x}")
            contains(shown, shown_as, "a hostile name")
        assert page.tags["svg"] >= 4 and page.tags["rect"] > 10, page.tags
        assert page.tags["caption"] >= 4 and page.tags["table"] >= 8, page.tags
        contains(text, "prefers-color-scheme:dark", "style")
        contains(text, 'role="img"', "charts have names")
        contains(stirkeep("audit", "report", *place.files, "--html", place.path("r.html"),
                          code=1).stderr, "exists", "a page that is there")


@case
def a_report_on_a_changed_trail_says_so_before_anything_else():
    with Place(600) as place:
        with open(place.files[-1], "r+b") as file:
            text = file.read()
            at = text.index(b'"name":"Alpha"') + 9
            file.seek(at)
            file.write(b"B")
        done = stirkeep("audit", "report", *place.files, "--key", place.pem, code=1)
        contains(done.stdout.splitlines()[1], "NOT VERIFIED", "text")
        contains(done.stderr, "audit.jsonl: line", "where")
        stirkeep("audit", "report", *place.files, "--html", place.path("r.html"), code=1)
        contains(open(place.path("r.html")).read(), "NOT VERIFIED", "page")


@case
def a_trail_full_of_invented_names_takes_no_more_memory_than_its_bound():
    base = tempfile.mkdtemp(prefix="stirkeep-reports-")
    try:
        trail = Written(f"{base}/audit.jsonl", utc(2026, 1, 1))
        trail.sign("Alpha")
        for number in range(30000):
            trail.add("refuse", "unknown-name", name=f"n{number}" + "x" * 400, uid=5, gid=5, pid=5,
                      request_id="1", reason=f"r{number}" + "y" * 900)
        trail.sign("Alpha")
        trail.sign("Beta")
        trail.done()
        process = subprocess.Popen([CLI, "audit", "report", f"{base}/audit.jsonl", "--json"],
                                   stdout=subprocess.PIPE)
        text = process.stdout.read()
        _, code, used = os.wait4(process.pid, 0)
        process.stdout.close()
        process.returncode = os.waitstatus_to_exitcode(code)
        equal(process.returncode, 0, "exit status")
        note(f"{used.ru_maxrss // 1024} MiB at the most")
        assert used.ru_maxrss < 400 * 1024, used.ru_maxrss
        document = json.loads(text)
        equal({c["name"]: c["signed"] for c in document["certificates"] if c["held"]},
              {"Alpha": 2, "Beta": 1}, "certificates")
        equal(document["totals"]["refused"], 30000, "refused, all of them")
        assert document["certificates_left_out"]["refused"] > 28000, document["certificates_left_out"]
    finally:
        shutil.rmtree(base)


# ---- retention


def years_ago(years, **more):
    return utc(time.gmtime().tm_year - years, 1, 1, **more)


class Old:
    """Three rotated files and the current one: Gone's key ended four years ago; Late's one year ago,
    Living's never, and both are in the third."""

    def __init__(self):
        self.base = tempfile.mkdtemp(prefix="stirkeep-prune-")
        trail = self.trail = Written(f"{self.base}/audit.jsonl", years_ago(5))
        self.pem = trail.pem(f"{self.base}/audit.pem")
        trail.add("start")
        self.import_("Gone")
        self.signs("Gone")
        trail.rotate()
        self.signs("Gone")
        trail.now = years_ago(4)
        self.destroy("Gone")
        trail.rotate()
        self.import_("Late")
        self.import_("Living")
        self.signs("Late")
        self.signs("Living")
        trail.rotate()
        trail.now = years_ago(1)
        self.destroy("Late")
        trail.seal()
        self.files = trail.done()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.base)

    def import_(self, name):
        self.trail.add("import", name=name, generation=1, key_id=sha256(name.encode()).hex(), uid=0,
                       gid=0, pid=1, request_id="1")

    def signs(self, name):
        for _ in range(20):
            self.trail.sign(name)
        self.trail.seal()

    def destroy(self, name):
        self.trail.add("destroy", name=name, key_id=sha256(name.encode()).hex(), detail="proof")

    def prune(self, *more, files=None, code=0):
        return stirkeep("audit", "prune", *(files or self.files), "--key", self.pem, *more, code=code)

    def there(self):
        return sorted(name for name in os.listdir(self.base) if name.startswith("audit.jsonl"))

    def notes(self):
        return [json.loads(line) for line in lines(f"{self.base}/audit.jsonl.pruned")]


@case
def files_of_keys_that_ended_long_ago_go_and_the_rest_verifies():
    with Old() as old:
        before = old.there()
        told = json.loads(old.prune("--dry-run", "--json").stdout)
        equal([file["fate"] for file in told["files"]],
              ["would go", "would go", "stays", "stays"], "dry run")
        contains(told["files"][2]["why"], "key ", "why the third stays")
        contains(old.prune(code=2).stderr, "--yes", "without --yes")
        equal(old.there(), before, "nothing went")
        told = json.loads(old.prune("--yes", "--json").stdout)
        equal(told["removed"], 2, "removed")
        equal(old.there(), [*before[:1], *before[3:], "audit.jsonl.pruned"], "left")
        good = json.loads(stirkeep("audit", "verify", *old.files[2:], "--key", old.pem,
                                   "--json").stdout)
        equal(good["first"], told["files"][1]["last"] + 1, "verified from")
        notes = old.notes()
        equal([(n["file"], n["outcome"]) for n in notes],
              [(os.path.basename(path), outcome) for path in old.files[:2]
               for outcome in ("begun", "ok")], "notes")
        with open(old.files[2], "rb") as file:
            equal(notes[-1]["head"], json.loads(file.readline())["prev"], "tied to what is left")
        equal(json.loads(old.prune("--yes", "--json", files=old.files[2:]).stdout)["removed"], 0,
              "once more")


@case
def a_key_that_lives_or_ended_lately_holds_its_file():
    with Old() as old:
        told = json.loads(old.prune("--dry-run", "--json").stdout)["files"][2]
        equal(told["living_keys"], 2, "keys that hold it")
        named = os.path.basename(old.files[2])
        done = old.prune("--yes", "--file", named, files=old.files)
        contains(done.stdout, "removed", "told by name")
        notes = old.notes()
        equal((notes[-1]["named"], notes[-1]["living_keys"]), (True, 2), "on record")
        equal(set(notes[-1]["living"]),
              {sha256(name).hex() for name in (b"Late", b"Living")}, "which keys lived")


@case
def what_would_break_the_chain_is_refused():
    with Old() as old:
        before = old.there()
        middle = os.path.basename(old.files[2])
        contains(old.prune("--yes", "--file", middle, files=old.files[2:], code=1).stderr,
                 "was not given", "older files that were not given")
        contains(old.prune("--yes", "--file", "audit.jsonl", code=1).stderr, "not a rotated file",
                 "the current file")
        for number in (2, 3):
            contains(old.prune("--yes", files=old.files[:number], code=1).stderr, "was not given",
                     "newer files that were not given")
        with Old() as moved:
            for path in moved.files[2:]:
                os.unlink(path)
            contains(moved.prune("--yes", files=moved.files[:2], code=0).stdout,
                     "the last one given", "no end")
        with Old() as fresh:
            contains(fresh.prune("--older-than", "1y", "--yes", code=1).stderr, "two years", "1y")
            contains(fresh.prune("--older-than", "730d", "--yes", code=1).stderr, "two years", "730d")
            for wrong in ("", "y", "-3y", "2", "2m", "9999999999999999999y"):
                fresh.prune("--older-than", wrong, "--yes", code=1)
            equal(json.loads(fresh.prune("--older-than", "9y", "--json", "--dry-run").stdout)
                  ["files"][0]["fate"], "stays", "9y")
            equal(fresh.there(), before, "all are there")


@case
def nothing_goes_while_what_is_read_does_not_verify():
    with Old() as old:
        with open(old.files[-1], "r+b") as file:
            file.seek(-40, os.SEEK_END)
            digit = file.read(1)
            file.seek(-40, os.SEEK_END)
            file.write(b"1" if digit == b"0" else b"0")
        before = old.there()
        old.prune("--yes", code=1)
        equal(old.there(), before, "all are there")
    with Old() as old:
        other = Written(f"{old.base}/x", utc(2026, 1, 1)).pem(f"{old.base}/other.pem")
        before = old.there()
        stirkeep("audit", "prune", *old.files, "--key", other, "--yes", code=1)
        equal(old.there(), before, "signed by another key")


@case
def a_key_that_came_back_after_its_end_lives():
    with Old() as old:
        old.import_("Gone")
        old.trail.seal()
        old.files = old.trail.done()
        told = json.loads(old.prune("--dry-run", "--json").stdout)
        equal([file["fate"] for file in told["files"]], ["stays"] * 4, "fates")
        before = old.there()
        old.prune("--yes", files=old.files[:3], code=1)
        equal(old.there(), before, "without the file that tells it")


@case
def a_clock_that_stepped_back_makes_nothing_old():
    with Old() as old:
        old.trail.now = utc(1970, 1, 1)
        old.destroy("Living")
        old.trail.rotate()
        old.trail.add("stop")
        old.trail.seal()
        old.files = old.trail.done()
        told = json.loads(old.prune("--dry-run", "--json", "--file",
                                    os.path.basename(old.files[2])).stdout)["files"]
        equal(told[2]["living_keys"], 2, "keys that ended lately")
        equal(told[3]["fate"], "stays", "the file with the end")


@case
def a_certificate_that_has_expired_is_its_keys_end():
    with Old() as old:
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        f"{old.base}/k"], check=True)
        spki = subprocess.run(["openssl", "pkey", "-in", f"{old.base}/k", "-pubout", "-outform",
                               "DER"], check=True, stdout=subprocess.PIPE).stdout
        begin = years_ago(9)
        key = serialization.load_pem_private_key(open(f"{old.base}/k", "rb").read(), None)
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "x")])
        certificate = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(
            key.public_key()).serial_number(7).not_valid_before(begin).not_valid_after(
            begin + timedelta(days=366 * 4)).sign(key, hashes.SHA256())
        with open(f"{old.base}/cert.pem", "wb") as out:
            out.write(certificate.public_bytes(serialization.Encoding.PEM))
        trail = Written(f"{old.base}/other.jsonl", years_ago(6))
        trail.pem(old.pem)
        trail.add("import", name="Old", generation=1, key_id=sha256(spki).hex())
        trail.rotate()
        trail.now = years_ago(3)
        trail.seal()
        old.files = trail.done()
        first = lambda *more: json.loads(old.prune("--dry-run", "--json", *more).stdout)["files"][0]
        equal(first()["fate"], "stays", "nobody knows its end")
        contains(first()["why"], "has no end that is known", "why")
        equal(first("--certificate", f"{old.base}/cert.pem")["fate"], "would go", "expired")


@case
def a_note_that_is_a_way_to_another_file_is_not_written():
    with Old() as old:
        target = f"{old.base}/target"
        open(target, "w").close()
        os.symlink(target, f"{old.base}/audit.jsonl.pruned")
        old.prune("--yes", code=1)
        equal(os.path.getsize(target), 0, "the other file")
        equal(len(old.there()), 5, "all are there")
        os.unlink(f"{old.base}/audit.jsonl.pruned")
        with open(f"{old.base}/audit.jsonl.pruned", "w") as note:
            os.fchmod(note.fileno(), 0o660)
        contains(old.prune("--yes", code=1).stderr, "may be written by others (mode 0660)", "open")
        equal(len(old.there()), 5, "all are there still")


@case
def half_a_line_of_a_note_spoils_no_other():
    with Old() as old:
        with open(f"{old.base}/audit.jsonl.pruned", "w") as note:
            os.fchmod(note.fileno(), 0o600)
            note.write('{"time":"2026-')
        old.prune("--yes")
        half, *notes = lines(f"{old.base}/audit.jsonl.pruned")
        equal(half, b'{"time":"2026-', "the half")
        equal([json.loads(line)["outcome"] for line in notes], ["begun", "ok"] * 2, "notes")


@case
def pruning_that_is_killed_leaves_a_chain_without_a_hole():
    for turn in range(10):
        with Old() as old:
            process = subprocess.Popen([CLI, "audit", "prune", *old.files, "--yes", "--admin-socket",
                                        "/nonexistent"], stdout=subprocess.DEVNULL)
            time.sleep(0.001 * turn)
            process.kill()
            process.wait()
            left = [path for path in old.files if os.path.exists(path)]
            equal(left, old.files[len(old.files) - len(left):], "what is left is the end")
            stirkeep("audit", "verify", *left, "--key", old.pem)


# ---- the real service


@case
def a_real_trail_is_exported_reported_and_kept():
    grants = (f"[grant mine]\nuser = {os.geteuid()}\ncertificates = Alpha\nppt = base, shaken\n"
              "attest = A, B\n")
    audit = {"seal-seconds": "1", "rotate-size": "64K", "compress": "no"}
    with Service(grants=grants, extra={"audit": audit}) as service:
        service.start()
        service.import_leaf()
        service.cli("audit", "key", "--out", f"{service.base}/audit.pem")
        passports = [service.sign().stdout for _ in range(12)]
        service.cli("bench", "Alpha", "--seconds", f"{PATIENCE}", "--connections", "1", "--window", "4")
        service.cli("sign", "Alpha", "--orig", "12155551212", "--dest", "12155551213", "--attest", "C",
                    check=False)
        service.cli("sign", "Nobody", "--orig", "12155551212", "--dest", "12155551213", "--attest",
                    "A", check=False)
        wait_until("all is sealed",
                   lambda: json.loads(service.cli("status", "--json").stdout)["audit_unsealed"] == 0, 15)

        def pruned():
            rotated = [name for name in sorted(os.listdir(service.log))
                       if re.fullmatch(r"audit\.jsonl\.\d{12}(\.zst)?", name)]
            assert rotated, os.listdir(service.log)
            done = service.cli("audit", "prune", *(f"{service.log}/{name}" for name in rotated),
                               service.audit, "--json", "--dry-run", check=False)
            return json.loads(done.stdout) if done.returncode == 0 else None
        asked = wait_until("no rotation came between", pruned)
        equal(asked["service"], None, "the service was asked")
        contains(asked["files"][0]["why"], "(Alpha) holds it until 20", "by the certificate's end")
        equal(service.stop(), 0, "exit status")
        files = [f"{service.log}/{name}" for name in sorted(os.listdir(service.log))
                 if re.fullmatch(r"audit\.jsonl\.\d{12}(\.zst)?", name)] + [service.audit]
        pem, bundle = f"{service.base}/audit.pem", f"{service.base}/bundle"
        told = json.loads(stirkeep("audit", "export", *files, "--key", pem, "--name", "Alpha", "--out",
                                   bundle, "--json", "--certificate", f"{service.lab}/leaf.pem").stdout)
        equal(told["records"], told["proofs"], "all are proven")
        stirkeep("audit", "check-export", bundle, "--key", pem)
        digests = {json.loads(line).get("sig") for line in lines(f"{bundle}/records.jsonl")}
        for passport in passports:
            third = passport.split(";")[0].strip().rsplit(".", 1)[1]
            raw = base64.urlsafe_b64decode(third + "=" * (-len(third) % 4))
            assert hashlib.sha256(raw).hexdigest() in digests, "a PASSporT that is not in the bundle"
        document = json.loads(stirkeep("audit", "report", *files, "--key", pem, "--config",
                                       service.config, "--json", "--html",
                                       f"{service.base}/r.html").stdout)
        Page(open(f"{service.base}/r.html").read())
        alpha = document["certificates"][0]
        records = [json.loads(line) for line in lines(f"{bundle}/records.jsonl")]
        equal(alpha["signed"], sum(r["act"] == "sign" and r["outcome"] == "ok" for r in records), "signed")
        equal(alpha["refused"], 1, "refused")
        equal(document["policies"][0]["text"], "given", "policy")
        equal(alpha["could_use"][0]["grants"], ["mine"], "who could use it")
        granted = document["policies"][0]["granted"][0]
        equal((granted["who"], granted["attest"]), ([f"uid {os.geteuid()}"], ["A", "B"]), "grant")
        equal([c["name"] for c in document["certificates"] if not c["held"]], ["Nobody"], "asked for")
        kept = json.loads(stirkeep("audit", "prune", *files, "--key", pem, "--dry-run", "--json").stdout)
        equal({file["fate"] for file in kept["files"]}, {"stays"}, "nothing is old")
        note(f"{told['records']} records in {len(files)} files")


if __name__ == "__main__":
    run()
