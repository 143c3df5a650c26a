# SPDX-License-Identifier: BSD-2-Clause
"""A load through libstirkeep that verifies every signature (tests/load/steady.c), and what became of
it in the trail."""
import json
import os
import shutil
import signal
import subprocess

from built import BUILD, PATIENCE

STEADY = f"{BUILD}/tests/load/steady"


def certificates_of(service):
    """The directory where the load looks for FINGERPRINT.pem."""
    directory = f"{service.base}/certificates"
    os.makedirs(directory, exist_ok=True)
    return directory


def publish(service, leaf="leaf"):
    """Before its import: no signature by it may come earlier."""
    fingerprint = subprocess.run(
        ["openssl", "x509", "-in", f"{service.lab}/{leaf}.pem", "-noout", "-fingerprint", "-sha256"],
        check=True, stdout=subprocess.PIPE, text=True).stdout
    fingerprint = fingerprint.strip().split("=")[1].replace(":", "").lower()
    shutil.copy(f"{service.lab}/{leaf}.pem", f"{certificates_of(service)}/{fingerprint}.pem")
    return fingerprint


class Load:
    def __init__(self, service, names="Alpha", threads=4, window=16, deadline_ms=10000 * PATIENCE,
                 rate=400 // PATIENCE):
        self.service = service
        self.signed_file = f"{service.base}/signed"
        self.said_file = f"{service.base}/load.log"
        with open(self.said_file, "w") as said:
            self.process = subprocess.Popen(
                [STEADY, service.sign_socket, certificates_of(service), names, str(threads),
                 str(window), str(deadline_ms), str(rate), self.signed_file],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said, text=True)

    def end(self, limit=60 * PATIENCE):
        """The figures."""
        self.process.send_signal(signal.SIGTERM)
        out = self.process.communicate(timeout=limit)[0]
        assert out, f"the load died ({self.process.returncode}): {self.said()}"
        figures = json.loads(out)
        figures["availability"] = figures["signed"] / figures["asked"]
        assert figures["wrong"] == 0, self.said()
        return figures

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def said(self):
        with open(self.said_file, errors="replace") as file:
            return file.read()[-4000:]

    def check_trail(self):
        """Each signature that was given out is recorded, and the trail is whole."""
        with open(self.signed_file) as file:
            wanted = set(file.read().split())
        expect_recorded(self.service, wanted)


def expect_recorded(service, origids):
    """Of signatures that a client has."""
    missing = set(origids)
    for path in trail_files(service):
        with open(path) as file:
            for line in file:
                if '"origid":"' in line and '"outcome":"ok"' in line:
                    missing.discard(line.split('"origid":"', 1)[1].split('"', 1)[0])
    assert not missing, f"{len(missing)} signatures are not in the trail: {sorted(missing)[:3]}"


def trail_files(service):
    """The oldest one first; the number of its last record stands behind the name of a rotated one."""
    directory, name = os.path.split(service.audit)
    rotated = [entry for entry in os.listdir(directory)
               if entry.startswith(f"{name}.") and entry[len(name) + 1:].isdigit()]
    rotated.sort(key=lambda entry: int(entry[len(name) + 1:]))
    return [f"{directory}/{entry}" for entry in (*rotated, name)]


def told(figures):
    """In a line or two."""
    return (f"{figures['signed']} of {figures['asked']} signed in {figures['seconds']} s "
            f"(availability {100 * figures['availability']:.4f} %), longest time without a signature "
            f"{figures['longest_gap_ms']:.0f} ms, slowest answer {figures['slowest_ms']:.0f} ms; "
            f"answers up to ms: {figures['up_to_ms']}; refused: {figures['refused']}")
