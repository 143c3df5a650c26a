#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What many names cost: import of one more, list, start, the first use of a key, signatures a
second with one name and with all, and memory, at some sizes on the way up.

    many.py [NAMES ...]        default: 100 1000 3000 10000
"""
import concurrent.futures
import datetime
import json
import os
import statistics
import subprocess
import sys
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

sys.path.insert(0, os.environ["STIRKEEP_SOURCE"] + "/tests/e2e")
from built import BUILD  # noqa: E402
from stirkeep import Service, softhsm_module, wait_until  # noqa: E402

CORES = len(os.sched_getaffinity(0))
TNAUTHLIST = x509.ObjectIdentifier("1.3.6.1.5.5.7.1.26")


class Authority:
    """Leaves from the laboratory CA, without a process for each."""

    def __init__(self, lab):
        with open(f"{lab}/private/ca.key", "rb") as file:
            self.key = serialization.load_pem_private_key(file.read(), None)
        with open(f"{lab}/ca.pem", "rb") as file:
            self.pem = file.read()
        self.certificate = x509.load_pem_x509_certificate(self.pem)

    def leaf(self, path):
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.utcnow()
        name = x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "US"),
                          x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Laboratory carrier"),
                          x509.NameAttribute(NameOID.COMMON_NAME, "SHAKEN 709J")])
        usage = x509.KeyUsage(True, False, False, False, False, False, False, False, False)
        certificate = (
            x509.CertificateBuilder().subject_name(name).issuer_name(self.certificate.subject)
            .public_key(key.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=90))
            .add_extension(x509.BasicConstraints(False, None), True).add_extension(usage, True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(
                self.key.public_key()), False)
            .add_extension(x509.UnrecognizedExtension(
                TNAUTHLIST, bytes.fromhex("3008a00616043730394a")), False)
            .sign(self.key, hashes.SHA256()))
        pem = serialization.Encoding.PEM
        with open(path + ".pem", "wb") as file:
            file.write(certificate.public_bytes(pem) + self.pem)
        with open(path + ".key", "wb") as file:
            file.write(key.private_bytes(pem, serialization.PrivateFormat.PKCS8,
                                         serialization.NoEncryption()))


def resident(service, room):
    """KiB in memory."""
    with open(f"/proc/{service.pid(room)}/status") as file:
        for line in file:
            if line.startswith("VmRSS:"):
                return int(line.split()[1])
    return 0


def processor(service, room):
    """Seconds of processor time since its start."""
    with open(f"/proc/{service.pid(room)}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def timed(action):
    began = time.monotonic()
    action()
    return time.monotonic() - began


def milliseconds(times):
    return f"{statistics.median(times) * 1000:.0f} (to {max(times) * 1000:.0f})"


class Many:
    def __init__(self, service):
        self.service = service
        self.authority = Authority(service.lab)
        self.count = 0

    def bring(self, number):
        path = f"{self.service.lab}/many{number}"
        self.authority.leaf(path)
        took = timed(lambda: self.service.cli(
            "import", f"name{number}", "--cert", path + ".pem", "--key", path + ".key"))
        os.unlink(path + ".pem")
        return took

    def fill(self, count):
        """Two at a time: what one does in the command and in intake, the other needs not wait for."""
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for _ in pool.map(self.bring, range(self.count, count)):
                pass
        self.count = max(self.count, count)

    def one_more(self, times=21):
        """How long an import takes in all, and in the keeper: the audit trail has both ends of that."""
        in_all = []
        busy = processor(self.service, "keeper")
        for _ in range(times):
            in_all.append(self.bring(self.count))
            self.count += 1
        busy = (processor(self.service, "keeper") - busy) / times
        begun, in_keeper = {}, []
        for line in self.service.records()[-8 * times:]:
            record = json.loads(line)
            if record["act"] != "token-import":
                continue
            at = datetime.datetime.fromisoformat(record["time"].rstrip("Z"))
            if record["outcome"] == "begun":
                begun[record["key_id"]] = at
            elif record["key_id"] in begun:
                in_keeper.append((at - begun[record["key_id"]]).total_seconds())
        return in_all, in_keeper[-times:], busy

    def destroy(self, times=3):
        took = []
        for _ in range(times):
            self.count -= 1
            took.append(timed(lambda: self.service.cli("destroy", f"name{self.count}", "--yes")))
        return took

    def sign_meanwhile(self, action):
        """What somebody who signs with another name notices of it: p99 and the longest, in us."""
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            done = pool.submit(self.service.cli, "bench", "name0", "--json", "--window", "1",
                               "--seconds", "8")
            time.sleep(0.2)
            result = action()
            seen = json.loads(done.result().stdout)
        return result, (seen["p99_us"], seen["max_us"], seen["failures"])

    def load(self, names, *how):
        done = subprocess.run([f"{BUILD}/tests/bench/load", self.service.sign_socket, "name",
                               str(names), *how], check=True, stdout=subprocess.PIPE, text=True)
        return json.loads(done.stdout)

    def bare(self, keys, seconds):
        """The module alone, with as many threads as there are cores."""
        done = subprocess.run([f"{BUILD}/tests/bench/bare", softhsm_module(), "stirkeep",
                               f"{self.service.token}/pin", str(CORES), str(seconds), str(keys)],
                              check=True, stdout=subprocess.PIPE, text=True,
                              env={**os.environ,
                                   "SOFTHSM2_CONF": f"{self.service.token}/softhsm2.conf"})
        return float(done.stdout)

    def bare_rates(self, rounds=5, seconds=2):
        ones, alls = [], []
        for _ in range(rounds):
            ones.append(self.bare(1, seconds))
            alls.append(self.bare(self.count, seconds))
        return (statistics.median(ones), statistics.median(alls),
                statistics.median(a / o for a, o in zip(alls, ones)))

    def warm(self, seconds=3, turns=20):
        """Until each signer has found each key, which shows in a rate that rises no more."""
        best, idle = 0, 0
        for _ in range(turns):
            rate = self.load(self.count, "for", str(seconds), "256")["signatures_per_second"]
            idle = 0 if rate > best * 1.02 else idle + 1
            if idle == 2:
                return
            best = max(best, rate)

    def rates(self, rounds=5, seconds=2):
        """With one name and with all, in turns, warm."""
        self.warm()
        ones, alls, failures = [], [], 0
        for _ in range(rounds):
            for names, rates in ((1, ones), (self.count, alls)):
                result = self.load(names, "for", str(seconds), "256")
                rates.append(result["signatures_per_second"])
                failures += result["failures"]
        ratio = statistics.median(a / o for a, o in zip(alls, ones))
        return statistics.median(ones), statistics.median(alls), ratio, failures

    def memory(self):
        return " ".join(f"{room} {resident(self.service, room) / 1024:.0f}"
                        for room in ("front", "intake", "keeper"))

    def start(self):
        """Until stirkeepd says that it is ready; the keeper's processor time by then."""
        offset = len(self.service.said())
        began = time.monotonic()
        self.service.start(ready=False)
        while True:
            said = self.service.said()[offset:]
            if "stirkeepd: ready" in said:
                return time.monotonic() - began, processor(self.service, "keeper")
            if self.service.porter.poll() is not None:
                raise AssertionError(said)
            time.sleep(0.002)

    def keeper_again(self):
        """A keeper is killed: until a signature is to be had again."""
        def signs():
            return self.service.sign("name0", check=False).returncode == 0
        began = time.monotonic()
        self.service.kill("keeper")
        wait_until("a signature", signs, 120, 0.001)
        return time.monotonic() - began


def measure(many):
    service = many.service
    in_all, in_keeper, busy = many.one_more()
    destroying, others = many.sign_meanwhile(many.destroy)
    listing = [timed(lambda: service.cli("list", "--json", timeout=300)) for _ in range(5)]
    idle = many.memory()
    one, spread, ratio, failures = many.rates()
    used = many.memory()
    service.stop(120)
    bare = many.bare_rates()
    starting, keeper = many.start()
    first = many.load(min(200, many.count), "each")
    again = many.load(min(200, many.count), "each")
    respawn = many.keeper_again()
    print(f"{many.count} names:\n"
          f"  import of one more, ms: {milliseconds(in_all)}, in the keeper {milliseconds(in_keeper)}, "
          f"its processor {busy * 1000:.0f}\n"
          f"  destroy one, ms: {milliseconds(destroying)}; another name's signatures meanwhile, ms: "
          f"p99 {others[0] / 1000:.2f}, at most {others[1] / 1000:.2f}, {others[2]} failed\n"
          f"  list, ms: {milliseconds(listing)}\n"
          f"  start until ready, s: {starting:.2f}, the keeper's processor {keeper:.2f}; "
          f"killed keeper until a signature: {respawn:.2f}\n"
          f"  first use of {first['names']} names after that, ms: p50 {first['p50_us'] / 1000:.2f}, "
          f"p99 {first['p99_us'] / 1000:.2f}, at most {first['max_us'] / 1000:.2f} "
          f"(second use: p50 {again['p50_us'] / 1000:.2f}), {first['failures']} failed\n"
          f"  signatures a second: one name {one:.0f}, all names {spread:.0f}, ratio {ratio:.2f}, "
          f"{failures} failed\n"
          f"  the module alone: one key {bare[0]:.0f}, all keys {bare[1]:.0f}, ratio {bare[2]:.2f}\n"
          f"  memory, MiB: {idle}; after all keys were used: {used}", flush=True)


def main(*sizes):
    print(f"{CORES} cores, load before {os.getloadavg()[0]:.1f}", flush=True)
    with Service(extra={"token": {"verify-signatures": "sampled"}}) as service:
        service.start()
        many = Many(service)
        for size in sorted(sizes or (100, 1000, 3000, 10000)):
            took = timed(lambda: many.fill(size))
            print(f"({size} names are there after {took:.0f} s more)", flush=True)
            measure(many)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
