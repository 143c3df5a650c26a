#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""How fast stirkeep is, against its own token and against what others do, in one run on one machine.

    bench.py [--rounds N] [--seconds S] [--names N] [--overload S] [--json FILE] [PART ...]
    bench.py --must             what must hold, and no more, in a quarter of an hour on a quiet machine
    bench.py --short            all of it in some seconds, to see that it works; its figures are none
    bench.py --page FILE        the tables of docs/PERFORMANCE.md, of what --json FILE wrote

Parts: table, pairs, lone, latency, slow, overload, idle, names; all of them when none is given. What is
compared runs in turns, ours before and after each of the others, and the median of the ratios counts:
a machine that is slow for a while is slow for both. The client runs on the same machine, and its time
is in all figures. Policy is on, and the audit trail as it is by default (sync = interval).
"""
import argparse
import collections
import contextlib
import json
import os
import resource
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

sys.path[:0] = [os.environ["STIRKEEP_SOURCE"] + "/tests/e2e",
                os.environ["STIRKEEP_SOURCE"] + "/tests/bench"]
import wire  # noqa: E402
from built import BUILD  # noqa: E402
from many import Many  # noqa: E402
from stirkeep import ROOMS, Service, softhsm_module, wait_until  # noqa: E402

CORES = len(os.sched_getaffinity(0))
USER_MAX = 3072  # orders of one user's in flight: STK_ORDERS_OF_USER_MAX
SLOW_US, SLOW_SESSIONS = 5000, 64
IDLE = 1000
TICKS = os.sysconf("SC_CLK_TCK")
# Who wants to sign as fast as a token in this machine's memory does has not each signature verified,
# which takes longer than to make it: docs/PERFORMANCE.md has what that costs.
SAMPLED = {"verify-signatures": "sampled"}
P11_CLIENT = ("/usr/lib/x86_64-linux-gnu/pkcs11/p11-kit-client.so",
              "/usr/lib/aarch64-linux-gnu/pkcs11/p11-kit-client.so",
              "/usr/lib/pkcs11/p11-kit-client.so")
WAYS = [(1, 1), (1, 16), (1, 64), (1, 256), (8, 1), (8, 16), (8, 64), (64, 1), (64, 16), (64, 48),
        (512, 1), (512, 6)]

# a second; us; us of processor time a signature, of all processes together
Seen = collections.namedtuple("Seen", "rate p50 p99 cpu")
PARTS_OF_US = ("front", "keeper", "intake", "client")


def processor_of(pid):
    """Seconds that a process and the children it has waited for have used."""
    with open(f"/proc/{pid}/stat") as file:
        return sum(int(field) for field in file.read().rpartition(")")[2].split()[11:15]) / TICKS


def output_of(command, seconds, server=None, **environment):
    """What a helper measured, with its processor time and that of the server it talked to."""
    def used():
        mine = resource.getrusage(resource.RUSAGE_CHILDREN)
        return mine.ru_utime + mine.ru_stime + (processor_of(server) if server else 0)
    before = used()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          env={**os.environ, **environment})
    if server:
        time.sleep(0.2)  # it has waited for its children by then
    words = [float(word) for word in done.stdout.split()] + [None, None]
    return Seen(*words[:3], (used() - before) * 1e6 / max(1, words[0] * seconds))


def seen(told):
    figures = told["verdict"]["figures"]
    cpu = sum(figures["processors"][part] for part in PARTS_OF_US) if figures else 0
    return Seen(told["signatures_per_second"], told["p50_us"], told["p99_us"],
                cpu * told["seconds"] * 1e6 / max(1, told["signatures"]))


def resident_kib(service):
    """Memory of the porter and all rooms: what they share counts once (PSS), where it may be read."""
    total = 0
    for pid in [service.porter.pid] + [service.pid(room) for room in ROOMS]:
        with open(f"/proc/{pid}/smaps_rollup") as file:
            total += next(int(line.split()[1]) for line in file if line.startswith("Pss:"))
    return total


class Others:
    """What stirkeep is held against, each as its users have it."""

    def __init__(self, service, stack):
        self.service = service
        self.pem = f"{service.base}/peer.key"
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out",
                        self.pem], check=True)
        self.directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="stirkeep-bench-"))
        self.environment = {"SOFTHSM2_CONF": f"{service.token}/softhsm2.conf"}
        self.p11 = self.start_p11(stack)
        self.http = self.start_secsipidx(stack)

    @staticmethod
    def keep(stack, *command, **environment):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL, env={**os.environ, **environment})
        stack.callback(lambda: (process.kill(), process.wait()))
        return process.pid

    def start_p11(self, stack):
        module = next((path for path in P11_CLIENT if os.path.exists(path)), None)
        path = f"{self.directory}/p11"
        if module is None or shutil.which("p11-kit") is None:
            return None
        self.p11_pid = self.keep(stack, "p11-kit", "server", "--foreground", "--provider",
                                 softhsm_module(), "-n", path, "pkcs11:token=stirkeep",
                                 **self.environment)
        wait_until("p11-kit server", lambda: os.path.exists(path))
        return module, {"P11_KIT_SERVER_ADDRESS": f"unix:path={path}"}

    def start_secsipidx(self, stack):
        if shutil.which("secsipidx") is None:
            return None
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.http_pid = self.keep(stack, "secsipidx", "-H", f"127.0.0.1:{port}", "-k", self.pem)

        def answers():
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                return True
        wait_until("secsipidx", answers)
        return str(port)

    def bare(self, threads, seconds, *how):
        return output_of([f"{BUILD}/tests/bench/bare", softhsm_module(), "stirkeep",
                          f"{self.service.token}/pin", str(threads), str(seconds), *how], seconds,
                         **self.environment)

    def through_p11(self, threads, seconds, *how):
        module, environment = self.p11
        return output_of([f"{BUILD}/tests/bench/bare", module, "stirkeep",
                          f"{self.service.token}/pin", str(threads), str(seconds), *how], seconds,
                         self.p11_pid, **environment)

    def in_process(self, threads, seconds, *how):
        return output_of([f"{BUILD}/tests/bench/inprocess", self.pem, str(threads), str(seconds),
                          *how], seconds)

    def secsipidx(self, connections, seconds):
        return output_of([f"{BUILD}/tests/bench/http_load", self.http, "/v1/sign-csv",
                          "12155551212,12155551213,A,,https://certs.example.com/a.pem",
                          str(connections), str(seconds)], seconds, self.http_pid)

    def rows(self):
        threads = [f"{CORES} threads", CORES]
        for label, count in [["1 thread", 1], threads]:
            yield f"OpenSSL in process, {label}", lambda s, n=count: self.in_process(n, s)
        for label, count in [["1 thread", 1], threads]:
            yield f"module, key on the token, {label}", \
                lambda s, n=count: self.bare(n, s, "token", "each")
        for label, count in [["1 thread", 1], threads]:
            yield f"module, copy per session, {label}", lambda s, n=count: self.bare(n, s, "each")
        for count in sorted({1, CORES, 8}) if self.p11 else []:
            yield f"token behind p11-kit server, {count} threads", \
                lambda s, n=count: self.through_p11(n, s, "token", "each")
        for count in (1, 8, 64) if self.http else []:
            yield f"secsipidx over HTTP, {count} connections", \
                lambda s, n=count: self.secsipidx(n, s)
        yield f"PEM parsed per signature, {CORES} threads", \
            lambda s: self.in_process(CORES, s, "each")


class Bench:
    def __init__(self, options):
        self.options = options
        self.result = {"cores": CORES, "load_before": os.getloadavg()[0], "table": {}, "must": []}
        self.rates = {}

    # ---- told

    @staticmethod
    def say(text=""):
        print(text, flush=True)

    def must(self, number, what, figure, limit, text, good):
        self.result["must"].append({"number": number, "what": what, "figure": figure,
                                    "limit": limit, "holds": bool(good)})
        self.say(f"  {'holds' if good else 'FAILS':5}  {number}. {what}: {text}")

    def at_least(self, number, what, figure, limit):
        self.must(number, what, figure, limit, f"{figure:.2f}, at least {limit}", figure >= limit)

    def seconds_of(self, label):
        return 0.2 if self.options.short and not label.startswith("stirkeep") else self.options.seconds

    # ---- ours

    def ours(self, service, connections, window, seconds, *more, name="Alpha"):
        done = service.cli("bench", name, "--json", "--seconds", str(seconds), "--connections",
                           str(connections), "--window", str(window), *more, check=False,
                           timeout=seconds + 60)
        return json.loads(done.stdout)

    def pairs(self, one, other):
        """Medians of both, of the ratio of their rates, and of what the processor time of a signature
        makes of it: `one` runs before and after each `other`."""
        ones, others, ratios, by_cpu = [one()], [], [], []
        for _ in range(self.options.rounds):
            others.append(other())
            ones.append(one())
            ratios.append((ones[-2].rate + ones[-1].rate) / 2 / others[-1].rate)
            by_cpu.append(others[-1].cpu * 2 / max(0.1, ones[-2].cpu + ones[-1].cpu))
        return (statistics.median(run.rate for run in ones),
                statistics.median(run.rate for run in others), statistics.median(ratios),
                statistics.median(by_cpu))

    # ---- parts

    def our_rows(self, service, ways):
        return {f"stirkeep, {connections} connections, window {window}":
                lambda s, c=connections, w=window: seen(self.ours(service, c, w, s))
                for connections, window in ways}

    def in_turns(self, rows, seconds_of):
        got = {label: [] for label in rows}
        for _ in range(self.options.rounds):
            for label, run in rows.items():
                got[label].append(run(seconds_of(label)))
        return got

    def table(self, service, others):
        got = self.in_turns({**dict(others.rows()), **self.our_rows(service, WAYS)}, self.seconds_of)
        base = statistics.median(run.rate for run in got[f"module, copy per session, {CORES} threads"])
        self.say(f"\n{'':50}{'a second':>10}{'of bare':>9}{'p50 us':>9}{'p99 us':>9}{'cpu us':>8}")
        for label, runs in got.items():
            rate, p50, p99, cpu = (statistics.median(values) if values[0] is not None else None
                              for values in zip(*runs))
            self.rates[label] = rate
            self.result["table"][label] = {"rate": rate, "of_bare": rate / base, "p50_us": p50,
                                           "p99_us": p99, "cpu_us": cpu}
            times = "".join(f"{value:9.0f}" if value is not None else f"{'':9}" for value in (p50, p99))
            self.say(f"{label:50}{rate:10.0f}{rate / base:9.2f}{times}{cpu:8.1f}")

    def choose(self, service, others):
        """Instead of the table: at what number of threads, connections and requests under way each of
        those is at its best that are compared."""
        rows = {label: run for label, run in others.rows()
                if label.startswith(("module, key", "token behind", "secsipidx"))}
        rows.update(self.our_rows(service, ((1, 64), (8, 16), (8, 64), (64, 16))))
        for label, runs in self.in_turns(rows, lambda label: 1).items():
            self.rates[label] = statistics.median(run.rate for run in runs)
            self.say(f"{label:50}{self.rates[label]:10.0f} a second")

    def best(self, beginning, default):
        found = {label: rate for label, rate in self.rates.items() if label.startswith(beginning)}
        return max(found, key=found.get) if found else default

    def best_way(self):
        label = self.best("stirkeep", "stirkeep, 8 connections, window 64")
        return tuple(int(word) for word in label.replace(",", "").split() if word.isdigit())

    def pairs_part(self, service, others):
        seconds = self.options.seconds
        connections, window = self.best_way()
        self.say(f"\nours, at its best ({connections} connections, window {window}), against the others, in turns")
        rows = dict(others.rows())

        def ours():
            return seen(self.ours(service, connections, window, seconds))

        for number, what, beginning, default, limit in (
                (1, "module, a copy per session", f"module, copy per session, {CORES} ", None, 0.85),
                (1, "module, key on the token", "module, key on the token",
                 f"module, key on the token, {CORES} threads", 1.4),
                (2, "secsipidx over HTTP", "secsipidx", "secsipidx over HTTP, 8 connections", 1.2),
                (2, "token behind p11-kit server", "token behind",
                 f"token behind p11-kit server, {CORES} threads", 4),
                (2, "PEM parsed per signature", "PEM", None, 5),
                (0, "OpenSSL in process", f"OpenSSL in process, {CORES} ", None, None)):
            if (self.options.short and number == 2) or (self.options.must and number == 0):
                continue
            label = self.best(beginning, default or next(
                (row for row in rows if row.startswith(beginning)), None))
            if label not in rows:
                self.say(f"  {what}: not installed")
                continue
            mine, theirs, ratio, by_cpu = self.pairs(ours, lambda: rows[label](self.seconds_of(label)))
            self.say(f"  {mine:.0f} against {theirs:.0f} a second, {label}; their processor time a "
                     f"signature is {by_cpu:.2f} of ours")
            self.result.setdefault("by_processor", {})[label] = by_cpu
            if limit is None:
                self.result["of_openssl"] = ratio
                self.say(f"         ratio {ratio:.2f}")
            else:
                self.at_least(number, f"rate, of that of: {what}", ratio, limit)

    def lone(self, service, others):
        self.say("\none request at a time")
        seconds = self.options.seconds
        more, spread, rows = [], [], []
        for _ in range(self.options.rounds):
            bare = others.bare(1, self.seconds_of("bare"), "each")
            told = self.ours(service, 1, 1, seconds)
            rows.append((bare.p50, bare.p99, told["p50_us"], told["p99_us"], told["p99_9_us"],
                         told["max_us"]))
            more.append(told["p50_us"] - bare.p50)
            spread.append(told["p99_us"] / told["p50_us"])
        names = ("bare p50", "bare p99", "p50", "p99", "p99.9", "longest")
        medians = [statistics.median(values) for values in zip(*rows)]
        self.result["lone"] = dict(zip(names, medians))
        self.say("  us: " + ", ".join(f"{name} {value:.0f}" for name, value in zip(names, medians)))
        figure = statistics.median(more)
        self.must(3, "lone request, p50 more than the bare signature's, us", figure, 90,
                  f"{figure:.0f} us, at most 90", figure <= 90)
        figure = statistics.median(spread)
        self.must(3, "lone request, p99 as a multiple of p50 (on a quiet machine)", figure, 4,
                  f"{figure:.1f}, at most 4", figure <= 4)
        self.budget(service)

    def budget(self, service):
        """Where the time of a signature goes, as the service and the kernel tell it."""
        self.say("  where it goes, us a signature:")
        for label, way in (("one at a time", (1, 1)), ("at its best", self.best_way())):
            told = self.ours(service, *way, self.options.seconds)
            figures, count = told["verdict"]["figures"], told["signatures"]
            if figures is None or count == 0:
                continue
            scale = told["seconds"] * 1e6 / count
            spent = {room: share * scale for room, share in figures["processors"].items()}
            waited = {part: figures[f"{part}_us"]["mean"] for part in ("queue", "token", "audit")}
            self.result.setdefault("budget", {})[label] = {"processor_us": spent, "waited_us": waited,
                                                           "verdict": told["verdict"]["is"]}
            self.say(f"    {label}: processor " +
                     ", ".join(f"{room} {us:.1f}" for room, us in spent.items()) + "; time " +
                     ", ".join(f"{part} {us:.1f}" for part, us in waited.items()) +
                     f" ({told['verdict']['is']})")

    def latency(self, service, others):
        connections, window = self.best_way()
        top = self.ours(service, connections, window, self.options.seconds)["signatures_per_second"]
        self.say(f"\nopen loop, 8 connections: latency from when each request was to be sent; the best is {top:.0f} a second")
        self.result["open_loop"] = []
        for share in (0.25,) if self.options.short else (0.1, 0.25, 0.5, 0.7):
            told = self.ours(service, 8, 1, self.options.seconds, "--rate", str(int(top * share)))
            row = {key: told[key] for key in ("p50_us", "p99_us", "p99_9_us", "max_us", "failures",
                                              "unsent")}
            self.result["open_loop"].append({"share": share, "rate": top * share, **row})
            self.say(f"  {share * 100:3.0f} % of it: " + ", ".join(f"{key} {value}" for key, value in row.items()))

    def slow(self, _service, _others):
        ideal = SLOW_SESSIONS * 1e6 / SLOW_US
        self.say(f"\na token of {SLOW_US / 1000:.0f} ms a signature, {SLOW_SESSIONS} sessions: {ideal:.0f} a second at most")
        service = Service()  # its configuration follows
        with service:
            module = f"{service.libexec}/slow_token.so"
            shutil.copy(f"{BUILD}/tests/token/slow_token.so", module)
            service.write_config(extra={
                "token": {"module": module, "sessions": str(SLOW_SESSIONS), **SAMPLED},
                "token-environment": {"STIRKEEP_SLOW_MODULE": softhsm_module(),
                                      "STIRKEEP_SLOW_US": str(SLOW_US)}})
            service.start()
            service.import_leaf()
            self.ours(service, 1, 256, 1)
            for label, way in (("one connection", (1, 256)), ("64 connections", (64, 16))):
                # What is under way takes a tenth of a second: its beginning and end are to weigh little.
                runs = [self.ours(service, *way, 3 * self.options.seconds)
                        for _ in range(self.options.rounds)]
                rate = statistics.median(run["signatures_per_second"] for run in runs)
                self.say(f"  {label}, window {way[1]}: {rate:.0f} a second, p50 {runs[-1]['p50_us']} us, "
                         f"p99 {runs[-1]['p99_us']} us ({runs[-1]['verdict']['is']})")
                self.at_least(4, f"slow token, {label}: rate, of the ideal", rate / ideal, 0.95)

    def overload(self, service, _others):
        seconds = self.options.overload
        connections, window = self.best_way()
        top = self.ours(service, connections, window, self.options.seconds)["signatures_per_second"]
        deadline = 500  # [signing] deadline-ms by default
        # Until each room has had all that it keeps of such a load under way once.
        self.ours(service, 16, 1, max(1, min(10, seconds // 2)), "--rate", str(int(3 * top)))
        before = resident_kib(service)
        told = self.ours(service, 16, 1, seconds, "--rate", str(int(3 * top)))
        after = resident_kib(service)
        failed = told["failed_after_sending_us"]
        self.say(f"\nthree times the load, {3 * top:.0f} a second, for {seconds} s: "
                 f"{told['signatures_per_second']:.0f} a second signed, p50 {told['p50_us']} us, p99 "
                 f"{told['p99_us']} us, longest {told['max_us']} us; {told['failed']}, {told['unsent']} not sent")
        self.result["overload"] = {"asked": 3 * top, "signed": told["signatures_per_second"],
                                   "p99_us": told["p99_us"], "failed": told["failed"],
                                   "failed_p50_us": failed["p50"], "failed_p99_us": failed["p99"],
                                   "kib_before": before, "kib_after": after}
        signed = told["after_sending_us"]["p99"] / 1000
        self.must(5, "overload: p99 of what is signed, ms", signed, deadline,
                  f"{signed:.0f} ms, at most {deadline}", signed <= deadline)
        self.must(5, "overload: p99 of refusals, ms",
                  failed["p99"] / 1000, 5, f"{failed['p99'] / 1000:.1f} ms (p50 {failed['p50'] / 1000:.1f}), "
                  "at most 5", failed["p99"] <= 5000)
        self.must(5, "overload: rooms' memory after it, of that after ten seconds of it", after / before, 1.1,
                  f"{after / before:.2f} ({before / 1024:.1f} to {after / 1024:.1f} MiB), at most 1.1",
                  after <= before * 1.1)

    def idle(self, service, _others):
        connections, window = self.best_way()
        seconds = self.options.seconds

        def rate():
            return self.ours(service, connections, window, seconds)["signatures_per_second"]

        rates = {True: [], False: []}
        memory = []
        for _ in range(self.options.rounds):
            rates[False].append(rate())
            with contextlib.ExitStack() as stack:
                for number in range(IDLE):
                    one = stack.enter_context(wire.Connection(service.sign_socket))
                    one.send(wire.ping_request(number + 1))
                    one.receive()
                rates[True].append(rate())
                memory.append(resident_kib(service) / 1024)
        rates[False].append(rate())
        without = [(a + b) / 2 for a, b in zip(rates[False], rates[False][1:])]
        ratio = statistics.median(a / b for a, b in zip(rates[True], without))
        figure = max(memory)
        self.say(f"\n{IDLE} idle connections")
        self.must(6, f"{IDLE} idle connections: memory of all rooms and the porter (PSS), MiB", figure, 64,
                  f"{figure:.1f} MiB, under 64", figure < 64)
        self.must(6, f"{IDLE} idle connections: rate, of that without them", ratio, 0.95,
                  f"{ratio:.2f}, no loss (0.95 with what a run varies by)", ratio >= 0.95)

    def names(self, _service, _others):
        """In memory: ten thousand imports wait for a disk tens of thousands of times. The two rates are
        near each other and a run of each varies: more rounds, and longer ones, than elsewhere."""
        with Service(directory="/dev/shm", extra={"token": SAMPLED}) as service:
            service.start()
            many = Many(service)
            began = time.monotonic()
            many.fill(self.options.names)
            self.say(f"\n{many.count} names (imported in {time.monotonic() - began:.0f} s)")
            one, spread, ratio, failures = many.rates(3 * self.options.rounds,
                                                     2 * self.options.seconds)
            self.result["names"] = {"names": many.count, "one": one, "spread": spread,
                                    "failures": failures, "mib": resident_kib(service) / 1024}
        self.say(f"  one name {one:.0f} a second, all of them {spread:.0f}, {failures} failed; memory "
                 f"{self.result['names']['mib']:.1f} MiB")
        self.at_least(6, f"{many.count} names, signatures spread: rate, of that with one", ratio, 0.9)

    # ---- all

    def run(self):
        self.say(f"{CORES} processors, load before {os.getloadavg()[0]:.2f}; {self.options.rounds} rounds "
                 f"of {self.options.seconds} s")
        first = {"choose": self.choose} if self.options.must else {"table": self.table}
        parts = {**first, "pairs": self.pairs_part, "lone": self.lone,
                 "latency": self.latency, "slow": self.slow, "overload": self.overload,
                 "idle": self.idle, "names": self.names}
        with contextlib.ExitStack() as stack:
            service = stack.enter_context(Service(extra={"token": SAMPLED}))
            service.start()
            service.import_leaf()
            others = Others(service, stack)
            self.ours(service, 8, 64, 1)
            for name, part in parts.items():
                if not self.options.parts or name in self.options.parts:
                    part(service, others)
        self.result["load_after"] = os.getloadavg()[0]
        failed = [must for must in self.result["must"] if not must["holds"]]
        self.say(f"\n{len(self.result['must'])} figures that must hold, {len(failed)} do not"
                 f"; load after {self.result['load_after']:.2f}")
        for must in self.result["must"]:
            self.say(f"  {'holds' if must['holds'] else 'FAILS'}  {must['number']}. {must['what']}: "
                     f"{must['figure']:.2f} ({must['limit']})")
        if self.options.json:
            with open(self.options.json, "w") as file:
                json.dump(self.result, file, indent=1)
        return not failed


def page(path):
    with open(path) as file:
        result = json.load(file)
    print("| | a second | of the bare module | p50, us | p99, us | processor, us |\n|---|---:|---:|---:|---:|---:|")
    for label, row in result["table"].items():
        times = [f"{row[key]:.0f}" if row[key] is not None else "" for key in ("p50_us", "p99_us")]
        print(f"| {label} | {row['rate']:.0f} | {row['of_bare']:.2f} | {' | '.join(times)} | {row['cpu_us']:.1f} |")
    print("\n| | figure | limit | |\n|---|---:|---:|---|")
    for must in result["must"]:
        print(f"| {must['number']}. {must['what']} | {must['figure']:.2f} | {must['limit']} | "
              f"{'holds' if must['holds'] else 'does not hold'} |")
    print("\n| open loop | a second | p50, us | p99, us | p99.9, us | longest, us |\n|---|---:|---:|---:|---:|---:|")
    for row in result.get("open_loop", []):
        print(f"| {row['share'] * 100:.0f} % of the best | {row['rate']:.0f} | {row['p50_us']} | "
              f"{row['p99_us']} | {row['p99_9_us']} | {row['max_us']} |")
    print("\n| us a signature | front | keeper | client | waited in the queue | token | audit |\n|---|---:|---:|---:|---:|---:|---:|")
    for label, row in result.get("budget", {}).items():
        spent, waited = row["processor_us"], row["waited_us"]
        print(f"| {label} | {spent['front']:.1f} | {spent['keeper']:.1f} | {spent['client']:.1f} | "
              f"{waited['queue']:.0f} | {waited['token']:.1f} | {waited['audit']:.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    parser.add_argument("--names", type=int, default=10000)
    parser.add_argument("--overload", type=int, default=60)
    parser.add_argument("--json")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--must", action="store_true")
    parser.add_argument("--page")
    parser.add_argument("parts", nargs="*")
    options = parser.parse_args()
    if options.page:
        page(options.page)
        return True
    if options.short:
        global WAYS
        WAYS = [(8, 16)]
        options.rounds, options.seconds, options.names, options.overload = 1, 1, 20, 2
    if options.must:
        options.seconds = 1
        options.parts = options.parts or ["choose", "pairs", "lone", "slow", "overload", "idle", "names"]
    return Bench(options).run() or options.short


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
