# SPDX-License-Identifier: BSD-2-Clause
"""What is held under a name, and by which certificate it signs."""
import base64
import json
import subprocess

import passports
from tap import contains


def fingerprint(service, leaf):
    done = subprocess.run(["openssl", "x509", "-in", f"{service.lab}/{leaf}.pem", "-noout",
                           "-fingerprint", "-sha256"], check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout.strip().split("=")[1].replace(":", "").lower()


def x5u_of(identity):
    header = identity.split(".")[0]
    return json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4)))["x5u"]


def signs_with(service, name, leaf):
    """The name signs, with this leaf's certificate and key."""
    identity = service.sign(name).stdout
    contains(x5u_of(identity), fingerprint(service, leaf), "x5u")
    assert passports.verifies(identity, passports.public_key(f"{service.lab}/{leaf}.pem"))


def states(service, name):
    shown = json.loads(service.cli("show", name, "--json").stdout)["generations"]
    return {entry["generation"]: entry["state"] for entry in shown}


def requested(service, name):
    return json.loads(service.cli("show", name, "--json").stdout)["requested"]
