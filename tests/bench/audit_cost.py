#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What recording costs: signatures a second in each mode of `[audit] sync`, against a keeper that
records nothing, in turns in one run.

    audit_cost.py [ROUNDS [SECONDS [DIRECTORY]]]        run by `meson test --benchmark`

In each round every mode stands between two runs without a trail, and is held against their mean;
the median over the rounds counts. Beside it the processor time of a signature, all of stirkeep's
processes and the client's together, which a busy machine disturbs less. The trail lies on the file
system of DIRECTORY (that of temporary files). Last comes one line of JSON.
"""
import contextlib
import glob
import json
import os
import resource
import shutil
import statistics
import sys
import tempfile

sys.path.insert(0, os.environ["STIRKEEP_SOURCE"] + "/tests/e2e")
from built import BUILD  # noqa: E402
from stirkeep import Service  # noqa: E402

CONNECTIONS, WINDOW = 8, 64
ENOUGH = {"interval": 0.95, "always": 0.85}
# name -> [audit] keys; what the trail does beside recording, at a rate that a run sees several of
MODES = {
    "interval": {"sync": "interval"},
    "always": {"sync": "always"},
    "none": {"sync": "none"},
    "interval, hashed numbers": {"sync": "interval", "numbers": "hashed"},
    "interval, a seal every 10000": {"sync": "interval", "seal-records": "10000"},
    "interval, rotated and packed every 8M": {"sync": "interval", "rotate-size": "8M"},
}


def file_system_of(path):
    """Its type and the options that matter."""
    found = ("", "?", "")
    with open("/proc/mounts") as mounts:
        for line in mounts:
            device, where, kind, options = line.split()[:4]
            if os.path.realpath(path).startswith(where) and len(where) >= len(found[0]):
                found = (where, kind, device)
    return f"{found[1]} on {found[2]}"


def processor(service):
    """Seconds of processor time of all its threads, those of dead rooms not counted."""
    total = 0
    pids = [service.porter.pid] + [service.pid(room) for room in ("front", "intake", "keeper")]
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            with contextlib.suppress(OSError), open(path) as file:
                total += int(file.read().split()[0])
    return total / 1e9


def client_processor():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def load(service, seconds):
    """Signatures a second, processor time of each in us, the slowest in a hundred in us."""
    before = processor(service), client_processor()
    done = service.cli("bench", "Alpha", "--json", "--seconds", str(seconds), "--connections",
                       str(CONNECTIONS), "--window", str(WINDOW))
    told = json.loads(done.stdout)
    assert told["failures"] == 0, told
    used = processor(service) - before[0] + client_processor() - before[1]
    return {"rate": told["signatures_per_second"], "sigs": told["signatures"], "us": used * 1e6 / told["signatures"],
            "p99": told["p99_us"], "max": told["max_us"]}


SAMPLED = {"verify-signatures": "sampled"}  # as fast as can be


def number_key(base):
    with open(f"{base}/number-key", "wb", opener=lambda p, f: os.open(p, f, 0o600)) as file:
        file.write(os.urandom(32))
    return f"{base}/number-key"


def begin(stack, base, keys, unrecorded=False):
    keys = dict(keys)
    if "numbers" in keys:
        keys["number-key"] = number_key(base)
    service = stack.enter_context(Service(extra={"audit": keys, "token": SAMPLED}, directory=base))
    if unrecorded:
        shutil.copy(f"{BUILD}/tests/bench/keeper_unrecorded", f"{service.libexec}/stirkeep-keeper")
    service.start()
    assert ("NOTHING IS RECORDED" in service.said()) == unrecorded, service.said()
    service.import_leaf()
    load(service, 1)
    return service


def verified(service):
    service.cli("audit", "key", "--out", f"{service.base}/audit.pem")
    service.stop()
    files = sorted(path for path in glob.glob(f"{service.audit}.*") if not path.endswith(".tmp"))
    service.cli("audit", "verify", *files, service.audit, "--key", f"{service.base}/audit.pem",
                timeout=600)


def measure(services, off, rounds, seconds):
    seen = {name: [] for name in services}
    for number in range(rounds):
        before = load(off, seconds)
        for name, service in services.items():
            ours = load(service, seconds)
            after = load(off, seconds)
            seen[name].append({**ours,
                               "off_rate": (before["rate"] + after["rate"]) / 2,
                               "off_us": (before["us"] + after["us"]) / 2,
                               "off_p99": (before["p99"] + after["p99"]) / 2})
            before = after
        print(f"round {number + 1} of {rounds} done", file=sys.stderr, flush=True)
    return seen


def row_of(runs):
    def median(of):
        return statistics.median(of(run) for run in runs)
    ratios = sorted(run["rate"] / run["off_rate"] for run in runs)
    return {"rate": median(lambda run: run["rate"]), "off_rate": median(lambda run: run["off_rate"]),
            "ratio": statistics.median(ratios),
            "ratio_quartiles": [ratios[len(ratios) // 4], ratios[-1 - len(ratios) // 4]],
            "cpu_us": median(lambda run: run["us"]), "off_cpu_us": median(lambda run: run["off_us"]),
            "cpu_ratio": median(lambda run: run["off_us"] / run["us"]),
            "p99_us": median(lambda run: run["p99"]), "off_p99_us": median(lambda run: run["off_p99"])}


def show(rows):
    print("| mode | signatures/s | without | ratio (middle half) | us of processor | without | p99 ms "
          "| without |\n|---|---|---|---|---|---|---|---|")
    for name, row in rows.items():
        low, high = row["ratio_quartiles"]
        print(f"| {name} | {row['rate']:.0f} | {row['off_rate']:.0f} | {row['ratio']:.3f} "
              f"({low:.3f} to {high:.3f}) | {row['cpu_us']:.1f} | {row['off_cpu_us']:.1f} "
              f"| {row['p99_us'] / 1000:.1f} | {row['off_p99_us'] / 1000:.1f} |")


def main(rounds="11", seconds="2", directory=None):
    base = tempfile.mkdtemp(prefix="stirkeep-cost-", dir=directory)
    os.chmod(base, 0o711)
    try:
        with contextlib.ExitStack() as stack:
            off = begin(stack, base, {}, unrecorded=True)
            services = {name: begin(stack, base, keys) for name, keys in MODES.items()}
            seen = measure(services, off, int(rounds), int(seconds))
            for service in services.values():
                verified(service)
        rows = {name: row_of(runs) for name, runs in seen.items()}
    finally:
        shutil.rmtree(base)
    where = file_system_of(directory or tempfile.gettempdir())
    print(f"{len(os.sched_getaffinity(0))} cores, trail on {where}; {CONNECTIONS} connections, "
          f"window {WINDOW}; {rounds} rounds of {seconds} s; all trails verified afterwards")
    show(rows)
    print(json.dumps({"file_system": where, "modes": rows}))
    return all(rows[name]["ratio"] >= enough for name, enough in ENOUGH.items())


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
