/* SPDX-License-Identifier: BSD-2-Clause */
#include "cli/export_text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#define US_IN_SECOND 1000000

/* The way to check the proofs with Python and openssl alone; the tests run it. */
static const char snippet[] =
    "# ---- check.py\n"
    "import hashlib, json, subprocess, sys, tempfile\n"
    "\n"
    "def sha256(data):\n"
    "    return hashlib.sha256(data).digest()\n"
    "\n"
    "def integer(number):  # DER\n"
    "    data = number.to_bytes(33, \"big\").lstrip(b\"\\0\") or b\"\\0\"\n"
    "    data = b\"\\0\" * (data[0] >> 7) + data\n"
    "    return bytes([2, len(data)]) + data\n"
    "\n"
    "def check_seal(line, key):\n"
    "    seal = json.loads(line)\n"
    "    text = \"stirkeep audit seal 1\\n{from}\\n{through}\\n{head}\\n{root}\\n{sealed}\\n"
    "{key_id}\\n\"\n"
    "    pair = b\"\".join(integer(int(seal[\"seal\"][i:i + 64], 16)) for i in (0, 64))\n"
    "    with tempfile.NamedTemporaryFile() as signature:\n"
    "        signature.write(bytes([0x30, len(pair)]) + pair)\n"
    "        signature.flush()\n"
    "        subprocess.run([\"openssl\", \"dgst\", \"-sha256\", \"-verify\", key, "
    "\"-signature\",\n"
    "                        signature.name], input=text.format(**seal).encode(), check=True,\n"
    "                       stdout=subprocess.DEVNULL)\n"
    "    return seal\n"
    "\n"
    "def root_of(record, path, index, last):  # RFC 9162 section 2.1.3.2\n"
    "    node = sha256(b\"\\0\" + sha256(record))\n"
    "    for beside in map(bytes.fromhex, path):\n"
    "        assert last > 0, \"the path is too long\"\n"
    "        if index & 1 or index == last:\n"
    "            node = sha256(b\"\\1\" + beside + node)\n"
    "            while not index & 1 and index:\n"
    "                index, last = index >> 1, last >> 1\n"
    "        else:\n"
    "            node = sha256(b\"\\1\" + node + beside)\n"
    "        index, last = index >> 1, last >> 1\n"
    "    assert last == 0, \"the path is too short\"\n"
    "    return node.hex()\n"
    "\n"
    "key, line, seal, proven = sys.argv[1], None, None, set()\n"
    "for proof in map(json.loads, open(\"proofs.jsonl\", \"rb\")):\n"
    "    if proof[\"seal\"] != line:\n"
    "        line = proof[\"seal\"]\n"
    "        seal = check_seal(line, key)\n"
    "    record = proof[\"record\"].encode()\n"
    "    number = json.loads(record)[\"seq\"]\n"
    "    first, last = seal[\"from\"], seal[\"through\"]\n"
    "    assert first <= number <= last, f\"record {number} is not under its seal\"\n"
    "    root = root_of(record, proof[\"path\"], number - first, last - first)\n"
    "    assert root == seal[\"root\"], f\"record {number} is not the one that was sealed\"\n"
    "    proven.add(sha256(record))\n"
    "lines = [line.rstrip(b\"\\n\") for line in open(\"records.jsonl\", \"rb\")]\n"
    "known = sum(sha256(line) in proven for line in lines)\n"
    "assert known == len(proven), \"a proof is of no record here\"\n"
    "print(f\"{known} of {len(lines)} records proven\")\n"
    "# ---- end of check.py\n";

static const char files[] =
    "records.jsonl      the records, one a line, byte by byte as they stand in the trail\n"
    "proofs.jsonl       one proof a line, in the records' order: the record, the way to the root "
    "of the\n"
    "                   tree that it is in, and the seal by which the audit key signed this root\n"
    "checkpoints.jsonl  the seals of the period, those that the proofs name, and the one after it\n"
    "audit-key.pem      the audit keys that the trail was verified with\n"
    "summary.json       the counts, the trail's files with their SHA-256 (of their lines, "
    "unpacked), and\n"
    "                   what verifying the whole trail came to\n";

static const char checking[] =
    "Have the audit key from somebody else than who gave you this directory; audit-key.pem is only "
    "what\n"
    "the bundle says of itself. Then, with stirkeep:\n"
    "\n"
    "    stirkeep audit check-export DIR --key AUDIT-KEY.pem\n"
    "    head -n 1 DIR/proofs.jsonl > one; stirkeep audit check-proof one --key AUDIT-KEY.pem\n"
    "\n"
    "Without it, by Python 3 and openssl, in this directory:\n"
    "\n"
    "    sed -n '/^# ---- check.py/,/^# ---- end/p' README.txt | python3 - AUDIT-KEY.pem\n"
    "\n"
    "What this shows: each proven record was in the trail, as it stands here, when its seal was "
    "made. What\n"
    "it does not show: that no record was left out of the bundle. The trail itself shows that\n"
    "(stirkeep audit verify, and audit export of it again).\n"
    "\n";

/* The first failure sticks. */
struct text {
    struct stk_buffer *out;
    enum stirkeep_status status;
};

static __attribute__((format(printf, 2, 3))) void say(struct text *text, const char *format, ...)
{
    char line[512] = "";
    va_list arguments;

    va_start(arguments, format);
    (void)vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    if (text->status == STIRKEEP_OK)
        text->status = stk_buffer_add_text(text->out, line);
}

static void say_all(struct text *text, const char *what)
{
    if (text->status == STIRKEEP_OK)
        text->status = stk_buffer_add_text(text->out, what);
}

static void say_runs(struct text *text, const struct stk_export_runs *runs, const char *why)
{
    if (runs->records == 0)
        return;
    say(text, "%" PRIu64 " of them have no proof: %s.\n", runs->records, why);
    for (size_t i = 0; i < runs->count; i++)
        say(text, "  record %" PRIu64 " to %" PRIu64 ": %" PRIu64 "\n", runs->runs[i].first,
            runs->runs[i].last, runs->runs[i].count);
    if (runs->left_out > 0)
        say(text, "  and %" PRIu64 " more, in more places than are listed\n", runs->left_out);
}

static void say_what(struct text *text, const struct stk_export_about *about)
{
    const struct stk_export *taken = about->taken;
    char since[STK_SECONDS_TEXT] = "its beginning";
    char until[STK_SECONDS_TEXT] = "its end";
    char made[STK_SECONDS_TEXT] = "";

    if (about->filter->since_us != 0)
        stk_seconds_text(about->filter->since_us / US_IN_SECOND, since);
    if (about->filter->until_us != 0)
        stk_seconds_text(about->filter->until_us / US_IN_SECOND, until);
    stk_seconds_text(about->now_us / US_IN_SECOND, made);
    say(text, "Records out of a stirkeep audit trail\n\n");
    say(text, "made         %s\n", made);
    say(text, "period       from %s until before %s\n", since, until);
    say(text, "certificate  %s\n", about->filter->name != NULL ? about->filter->name : "all");
    say(text, "records      %" PRIu64 "\n", taken->records);
    say(text, "proofs       %" PRIu64 "\n", taken->proofs);
    say(text, "checkpoints  %" PRIu64 "\n\n", taken->checkpoints);
}

static void say_verdict(struct text *text, const struct stk_export_about *about)
{
    const struct stk_verdict *verdict = about->verdict;

    say(text,
        "The whole trail that they are from was verified while they were taken: records %" PRIu64
        " to %" PRIu64 "\n"
        "in %" PRIu64 " files, each chained to the one before; sealed through record %" PRIu64
        " by %" PRIu64 " seals, each signed by\n"
        "a key in audit-key.pem.\n",
        verdict->first, verdict->last, verdict->files, verdict->sealed, verdict->seals);
    if (verdict->first > 1)
        say(text, "Records 1 to %" PRIu64 " were not given.\n", verdict->first - 1);
    say_all(text, "\n");
}

enum stirkeep_status stk_export_readme(const struct stk_export_about *about, struct stk_buffer *out)
{
    struct text text = {out, STIRKEEP_OK};

    say_what(&text, about);
    say_verdict(&text, about);
    say_all(&text, files);
    for (size_t i = 1; i <= about->certificates; i++)
        say(&text, "certificate-%zu.pem  a certificate, as it was given for this bundle\n", i);
    say_all(&text, "\n");
    say_runs(&text, &about->taken->chain_only,
             "they are in no seal's tree; the chain covers them, as summary.json's verdict says");
    say_runs(&text, &about->taken->unsealed, "no seal had covered them yet");
    say_all(&text, "\nChecking it\n\n");
    say_all(&text, checking);
    say_all(&text, snippet);
    return text.status;
}
