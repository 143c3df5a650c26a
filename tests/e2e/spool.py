# SPDX-License-Identifier: BSD-2-Clause
"""Uploads into a service's spool, as an uploader makes them who is another user where that can be."""
import glob
import json
import os
import subprocess

from stirkeep import ROOMS, ROOT, STRANGER, Service, wait_until

# What docs/SPOOL.md says: the uploaders are in the group of incoming, which is the intake user's.
UPLOADER = {"user": STRANGER, "group": STRANGER, "extra_groups": [ROOMS["intake"]],
            "umask": 0o007} if ROOT else {"umask": 0o007}


def new_service(**arguments):
    """A service with a spool; not started."""
    extra = arguments.pop("extra", {})
    service = Service(**arguments)
    service.spool = f"{service.base}/spool"
    service.incoming = f"{service.spool}/incoming"
    service.done = f"{service.spool}/done"
    service.staging = f"{service.base}/staging"
    for path, mode in ((service.spool, 0o755), (service.incoming, 0o2770), (service.done, 0o750),
                       (service.staging, 0o755)):
        os.mkdir(path)
        os.chmod(path, mode)
    if ROOT:
        for path in (service.incoming, service.done):
            os.chown(path, ROOMS["intake"], ROOMS["intake"])
        os.chmod(service.incoming, 0o3770)
        os.chown(service.staging, STRANGER, ROOMS["intake"])
        os.chmod(service.staging, 0o2770)
    service.write_config(extra={"storage": {"catalog": f"{service.state}/catalog.db",
                                            "spool": service.spool}, **extra})
    return service


def as_uploader(*words, stdin=None, check=True):
    """Run a command as the one who uploads."""
    return subprocess.run(words, input=stdin, check=check, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, **UPLOADER)


def put(path, data):
    """Write a file as the uploader."""
    if isinstance(data, str):
        data = data.encode()
    as_uploader("/bin/sh", "-c", 'cat >"$1"', "sh", path, stdin=data)


def material(service, leaf, **more):
    """The files of an upload: name -> content."""
    with open(f"{service.lab}/{leaf}-chain.pem") as chain, open(f"{service.lab}/{leaf}.key") as key:
        return {"cert.pem": chain.read(), "key.pem": key.read(), **more}


def fill(directory, files):
    as_uploader("mkdir", directory)
    for name, data in files.items():
        put(f"{directory}/{name}", data)


def drop(service, name, files, ready=True):
    """In place, made whole by `ready`."""
    fill(f"{service.incoming}/{name}", files)
    if ready:
        put(f"{service.incoming}/{name}/ready", "")


def move_in(service, name, files):
    """Filled beside, made whole by renaming."""
    fill(f"{service.staging}/{name}", files)
    as_uploader("mv", f"{service.staging}/{name}", f"{service.incoming}/{name}")


def is_there(service, name):
    return os.path.isdir(f"{service.incoming}/{name}")


def evidence(service, name):
    """All of a name, the oldest first."""
    found = []
    for path in sorted(glob.glob(f"{glob.escape(service.done)}/{name}-2*-g*.json"),
                       key=lambda path: os.stat(path).st_mtime_ns):
        with open(path) as file:
            found.append(json.load(file))
    return found


def await_gone(service, name, limit=20):
    """It is imported and removed; its last evidence."""
    wait_until(f"{name} is gone from the spool: {said_of(service, name)}",
               lambda: not is_there(service, name), limit)
    return evidence(service, name)[-1]


def said_of(service, name):
    lines = [line for line in service.said().splitlines() if f"spool: {name}" in line]
    return " | ".join(lines[-3:])


def error_text(service, name):
    path = f"{service.incoming}/{name}/error.txt"
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return file.read()


def await_error(service, name, part, limit=20):
    def is_told():
        text = error_text(service, name)
        return text is not None and part in text and text
    return wait_until(f"{name} is told '{part}': {error_text(service, name)} "
                      f"{said_of(service, name)}", is_told, limit)
