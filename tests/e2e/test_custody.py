# SPDX-License-Identifier: BSD-2-Clause
"""Where the private key is after an import: on the token, and nowhere else. Everything twice: with
a token that unwraps sealed keys, and with one that does not, so that the keeper does."""
import base64
import os
import subprocess
import sys

from cryptography.hazmat.primitives import serialization

import passports
from stirkeep import ROOMS, ROOT, Service, softhsm_module
from tap import Skip, case, contains, equal, run, skip_under_valgrind

PIN_LENGTH = 32


def forms(pem):
    """The private key in every form that the upload had or that somebody may have made of it."""
    key = serialization.load_pem_private_key(pem, None)
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
    body = b"".join(pem.split(b"-----")[2].split())
    found = {"raw scalar": scalar, "reversed scalar": scalar[::-1],
             "hex": scalar.hex().encode(), "HEX": scalar.hex().upper().encode(),
             "PEM body": body, "start of the PEM body": body[:64], "DER": base64.b64decode(body)}
    # The scalar's base64 depends on where it begins in its group of three bytes.
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + scalar)
        found[f"base64 at offset {shift}"] = encoded[4 if shift else 0:40]
    for kind in (serialization.PrivateFormat.TraditionalOpenSSL, serialization.PrivateFormat.PKCS8):
        found[f"{kind.name} DER"] = key.private_bytes(serialization.Encoding.DER, kind,
                                                      serialization.NoEncryption())
    return found


def files_under(directory):
    for path, _, names in os.walk(directory):
        for name in names:
            whole = f"{path}/{name}"
            if os.path.isfile(whole) and not os.path.islink(whole):
                yield whole


def search_files(directory, needles):
    for path in files_under(directory):
        with open(path, "rb") as file:
            data = file.read()
        for what, needle in needles.items():
            if needle in data:
                yield f"{what} in {path}"


def search_memory(pid, needles):
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:
        for line in maps:
            first, last = (int(part, 16) for part in line.split()[0].split("-"))
            if "r" not in line.split()[1] or "[v" in line:
                continue
            if last - first > 1 << 31:  # a sanitizer's shadow; nothing else is that large
                continue
            try:
                memory.seek(first)
                data = memory.read(last - first)
            except OSError:
                continue
            found += [f"{what} in {line.strip()}" for what, needle in needles.items() if needle in data]
    return found


@case
def the_key_is_imported_the_way_that_this_token_allows(service, way, needles):
    contains(service.cli("status").stdout, way, "status")
    with open(f"{service.lab}/leaf.key", "rb") as file:
        needles.update(forms(file.read()))
    equal(len(list(search_files(service.lab, needles))) > 0, True, "the search finds the upload")
    service.import_leaf()
    identity = service.sign().stdout
    assert passports.verifies(identity, passports.public_key(f"{service.lab}/leaf.pem"))


@case
def no_form_of_the_key_is_in_any_file_of_the_service(service, way, needles):
    equal(list(search_files(service.base, needles)), [], "found")


@case
def front_and_intake_have_neither_key_nor_pin_in_memory(service, way, needles):
    if not ROOT or not service.may_look_into("front"):
        raise Skip("reading /proc/PID/mem of a process that is not dumpable needs root")
    wanted = {**needles, "PIN": service.pin().encode()}
    for room in ("front", "intake"):
        equal(search_memory(service.pid(room), wanted), [], room)
    # The search itself works: the name is in front's memory.
    assert search_memory(service.pid("front"), {"name": b"certs.example.com/Alpha/"})


@case
def no_room_keeps_a_form_of_the_key_or_the_pin_once_the_import_is_over(service, way, needles):
    skip_under_valgrind("it keeps what is freed")
    if not ROOT or not service.may_look_into("front"):
        raise Skip("reading /proc/PID/mem of a process that is not dumpable needs root")
    wanted = {**needles, "PIN": service.pin().encode()}
    # SoftHSM holds a session copy's scalar in its own memory, in OpenSSL's limbs (reversed bytes),
    # and the secure-memory copy of what it decrypts: the module's business, in the keeper alone.
    for form in ("raw scalar", "reversed scalar"):
        wanted.pop(form)
    equal(search_memory(service.pid("keeper"), wanted), [], "keeper")


def token_reader(service, key_id):
    done = subprocess.run([sys.executable, f"{os.path.dirname(__file__)}/token_reader.py",
                           softhsm_module(), "stirkeep", f"{service.token}/pin", key_id],
                          env={**os.environ, "SOFTHSM2_CONF": f"{service.token}/softhsm2.conf"},
                          stdout=subprocess.PIPE, text=True, check=True)
    return dict(line.split() for line in done.stdout.splitlines())


@case
def pkcs11_tool_reads_the_attributes_back_and_is_refused_the_value(service, way, needles):
    service.stop()
    said = service.pkcs11_tool("--list-objects", "--type", "privkey").stdout.decode()
    contains(said, "stirkeep:Alpha", "list of private keys")
    block = said[said.index("stirkeep:Alpha"):]
    contains(block, "sensitive", "access")
    assert "extractable" not in block.replace("never extractable", ""), block
    key_id = block[block.index("ID:") + 3:].split()[0]
    read = token_reader(service, key_id)
    equal(read, {"CKA_TOKEN": "01", "CKA_PRIVATE": "01", "CKA_SENSITIVE": "01",
                 "CKA_EXTRACTABLE": "00", "CKA_SIGN": "01", "CKA_DECRYPT": "00",
                 "CKA_UNWRAP": "00", "CKA_VALUE": "CKR_ATTRIBUTE_SENSITIVE"}, "attributes")
    certificates = service.pkcs11_tool("--list-objects", "--type", "cert").stdout.decode()
    contains(certificates, key_id, "the certificate has the same CKA_ID")


@case
def after_a_restart_the_key_signs_on(service, way, needles):
    if ROOT:
        service.give(service.token, "keeper")  # pkcs11-tool ran as root and may have made lock files
        os.chown(f"{service.token}/pin", 0, 0)
    service.start()
    identity = service.sign().stdout
    assert passports.verifies(identity, passports.public_key(f"{service.lab}/leaf.pem"))
    equal(list(search_files(service.base, needles)), [], "found")


if __name__ == "__main__":
    WAYS = {"token": ("token unwraps", ()),
            "keeper": ("keeper unwraps", ("slots.mechanisms = -,CKM_AES_KEY_WRAP_PAD",))}
    the_way, lines = WAYS[sys.argv[1]]
    assert set(ROOMS) == {"front", "intake", "keeper"}
    with Service(softhsm_lines=lines) as the_service:
        the_service.start()
        run(service=the_service, way=the_way, needles={})
