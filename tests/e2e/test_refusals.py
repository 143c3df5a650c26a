# SPDX-License-Identifier: BSD-2-Clause
"""Each refusal is clear, has its own code, and others are served meanwhile."""
import contextlib
import os
import socket
import struct
import subprocess
import time

import passports
import wire
from stirkeep import CLI, ROOT, STRANGER, Service
from tap import Skip, case, contains, equal, run


@contextlib.contextmanager
def others_served(service):
    """A good client signs before, during and after."""
    with wire.Connection(service.sign_socket) as good:
        def signs(number):
            good.send(wire.sign_request(number))
            answer = good.receive()
            equal((answer.id, answer.status), (number, 0), answer.message)
        signs(1)
        yield signs
        signs(3)


def refused(service, request, status, *parts):
    with others_served(service) as signs, wire.Connection(service.sign_socket) as connection:
        connection.send(request)
        answer = connection.receive()
        signs(2)
        equal((answer.id, answer.status), (request.id, wire.STATUS[status]), answer.message)
        for part in parts:
            contains(answer.message, part, "message")
        # A refusal does not end the connection.
        connection.send(wire.sign_request(99))
        equal(connection.receive().status, 0, "after a refusal")


def import_refused(service, certificate, key, *parts):
    before = open(key, "rb").read()
    done = service.cli("import", "Bad", "--cert", certificate, "--key", key, check=False)
    equal(done.returncode, 1, done.stdout)
    equal(done.stderr.count("\n"), 1, f"lines of {done.stderr!r}")
    for part in parts:
        contains(done.stderr, part, "stderr")
    equal(open(key, "rb").read(), before, "the key file")
    service.sign()
    equal(service.cli("show", "Bad", check=False).returncode, 1, "nothing was imported")


def openssl(*arguments, stdin=None):
    subprocess.run(["openssl", *arguments], check=True, input=stdin, stdout=subprocess.PIPE,
                   stderr=subprocess.PIPE)


def self_signed(service, name, *algorithm):
    key, certificate = f"{service.lab}/{name}.key", f"{service.lab}/{name}.pem"
    openssl("genpkey", *algorithm, "-out", key)
    openssl("req", "-x509", "-new", "-key", key, "-subj", f"/CN=SHAKEN 709J", "-days", "30",
            "-out", certificate)
    return certificate, key


@case
def a_wrong_name_is_told(service):
    refused(service, wire.sign_request(7, name="Nobody"), "unknown-name", "Nobody")
    refused(service, wire.sign_request(7, name="../../etc/passwd"), "invalid", "certificate")
    refused(service, wire.sign_request(7, name=""), "invalid", "certificate")


@case
def a_wrong_attest_is_told_and_none_is_defaulted(service):
    refused(service, wire.sign_request(7, attest="D"), "invalid", "attest")
    refused(service, wire.sign_request(7, attest="a"), "invalid", "attest")
    refused(service, wire.sign_request(7, attest=""), "invalid", "attest")


@case
def wrong_claims_are_told_by_their_field(service):
    refused(service, wire.sign_request(7, orig="1215x5551212"), "invalid", "orig")
    refused(service, wire.sign_request(7, orig="1" * 16), "invalid", "orig")
    refused(service, wire.sign_request(7, dest=()), "invalid", "dest")
    refused(service, wire.sign_request(7, origid="not-a-uuid"), "invalid", "origid")
    refused(service, wire.sign_request(7, iat=int(time.time()) - 3600), "invalid", "iat")
    both = wire.sign_request(7)
    both.sign.claims.orig.uri = "sip:x@example.com"
    refused(service, both, "invalid", "orig")
    refused(service, wire.sign_request(7, ppt="9nonsense"), "unsupported", "ppt")


@case
def a_grant_caps_attest_ppt_and_names(service):
    if not ROOT:
        raise Skip("a second user is needed")
    sign = ("--orig", "12155551212", "--dest", "12155551213")
    done = service.cli("sign", "Alpha", *sign, "--attest", "B", uid=STRANGER + 1)
    contains(done.stdout, "ppt=shaken", "allowed")
    for arguments, part in ((("Alpha", *sign, "--attest", "A"), "attest"),
                            (("Alpha", *sign, "--ppt", "base"), "ppt"),
                            (("Gamma", *sign, "--attest", "B"), "Gamma")):
        done = service.cli("sign", *arguments, uid=STRANGER + 1, check=False)
        equal(done.returncode, 1, done.stdout)
        contains(done.stderr, part, "stderr")


@case
def a_peer_without_a_grant_gets_a_clear_answer_and_is_recorded(service):
    if not ROOT:
        raise Skip("a second user is needed")
    with others_served(service):
        done = service.cli("sign", "Alpha", "--orig", "12155551212", "--dest", "12155551213",
                           "--attest", "A", uid=STRANGER, check=False)
    equal(done.returncode, 1, "exit status")
    contains(done.stderr, "grant", "stderr")
    time.sleep(0.5)
    assert any('"act":"refuse"' in line and f'"uid":{STRANGER}' in line for line in service.records())


@case
def a_peer_who_is_no_administrator_is_refused(service):
    if not ROOT:
        raise Skip("a second user is needed")
    for arguments in (("list",), ("retire", "Alpha")):
        done = service.cli(*arguments, uid=STRANGER, check=False)
        equal(done.returncode, 1, done.stdout)
        equal(done.stderr.count("\n"), 1, done.stderr)
    service.sign()


@case
def a_mismatched_certificate_is_refused_and_the_key_stays(service):
    import_refused(service, f"{service.lab}/beta-chain.pem", f"{service.lab}/gamma.key",
                   "do not belong together")


@case
def an_expired_certificate_is_refused_and_the_key_stays(service):
    lab = service.lab
    openssl("req", "-new", "-key", f"{lab}/gamma.key", "-subj", "/C=US/O=x/CN=SHAKEN 709J",
            "-config", f"{lab}/private/openssl.cnf", "-out", f"{lab}/old.csr")
    with open(f"{lab}/private/ca.cnf", "w") as out:
        out.write("[ca]\ndefault_ca=d\n[d]\ndatabase=%s/private/index\nnew_certs_dir=%s/private\n"
                  "serial=%s/private/serial\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
                  "countryName=optional\norganizationName=optional\n" % (lab, lab, lab))
    open(f"{lab}/private/index", "w").close()
    open(f"{lab}/private/serial", "w").write("41\n")
    openssl("ca", "-batch", "-config", f"{lab}/private/ca.cnf", "-in", f"{lab}/old.csr",
            "-cert", f"{lab}/ca.pem", "-keyfile", f"{lab}/private/ca.key",
            "-startdate", "20240101000000Z", "-enddate", "20240401000000Z",
            "-extfile", f"{lab}/private/openssl.cnf", "-extensions", "leaf", "-notext",
            "-out", f"{lab}/old.pem")
    import_refused(service, f"{lab}/old.pem", f"{lab}/gamma.key", "expired")


@case
def rsa_and_p_384_keys_are_refused_by_what_they_are(service):
    import_refused(service, *self_signed(service, "rsa", "-algorithm", "RSA"), "RSA 2048", "P-256")
    import_refused(service, *self_signed(service, "p384", "-algorithm", "EC", "-pkeyopt",
                                         "ec_paramgen_curve:P-384"), "P-384", "P-256")


@case
def what_is_no_key_or_no_certificate_is_told(service):
    lab = service.lab
    import_refused(service, f"{lab}/gamma.key", f"{lab}/gamma.key", "certificate")
    import_refused(service, f"{lab}/gamma.pem", f"{lab}/beta.pem", "private key")
    empty = f"{lab}/empty"
    open(empty, "w").close()
    import_refused(service, f"{lab}/gamma.pem", empty, "empty")


@case
def a_key_file_that_cannot_be_removed_safely_is_refused_up_front(service):
    lab = service.lab
    os.link(f"{lab}/gamma.key", f"{lab}/gamma-2.key")
    import_refused(service, f"{lab}/gamma-chain.pem", f"{lab}/gamma.key", "link")
    os.unlink(f"{lab}/gamma-2.key")
    os.symlink(f"{lab}/gamma.key", f"{lab}/gamma-3.key")
    import_refused(service, f"{lab}/gamma-chain.pem", f"{lab}/gamma-3.key", "link")
    os.unlink(f"{lab}/gamma-3.key")


@case
def a_truncated_frame_is_answered_and_ends_the_connection(service):
    with others_served(service) as signs, wire.Connection(service.sign_socket) as connection:
        connection.send_raw(struct.pack(">I", 100) + b"half")
        connection.socket.shutdown(socket.SHUT_WR)
        signs(2)
        answer = connection.receive()
        if answer is not None:
            equal(answer.status in (wire.STATUS["malformed"], wire.STATUS["timeout"]), True,
                  answer.message)
            equal(connection.receive(), None, "after the error")


@case
def a_hundred_megabyte_length_and_a_zero_length_are_answered_and_end_the_connection(service):
    for header, status in ((struct.pack(">I", 100 << 20), "too-large"), (b"\0\0\0\0", "malformed")):
        with others_served(service) as signs, wire.Connection(service.sign_socket) as connection:
            connection.send_raw(header)
            answer = connection.receive()
            signs(2)
            equal((answer.id, answer.status), (0, wire.STATUS[status]), answer.message)
            equal(connection.receive(), None, "after the error")


@case
def a_frame_of_noise_is_answered_as_malformed(service):
    with others_served(service) as signs, wire.Connection(service.sign_socket) as connection:
        connection.send_raw(struct.pack(">I", 64) + os.urandom(3).replace(b"\x0a", b"\xff") + b"\xff" * 61)
        answer = connection.receive()
        signs(2)
        equal(answer.status, wire.STATUS["malformed"], answer.message)


@case
def a_client_that_says_nothing_is_timed_out_and_one_that_stops_half_way_too(service):
    with others_served(service) as signs:
        silent = wire.Connection(service.sign_socket, timeout=15)
        half = wire.Connection(service.sign_socket, timeout=15)
        half.send_raw(struct.pack(">I", 100) + b"half")
        signs(2)
        for connection in (silent, half):
            answer = connection.receive()
            equal((answer.id, answer.status), (0, wire.STATUS["timeout"]), answer.message)
            equal(connection.receive(), None, "after the time-out")
            connection.close()


@case
def an_idle_client_that_has_signed_is_kept(service):
    with wire.Connection(service.sign_socket, timeout=15) as connection:
        connection.send(wire.sign_request(1))
        equal(connection.receive().status, 0, "first")
        time.sleep(2.5)
        connection.send(wire.sign_request(2))
        equal(connection.receive().status, 0, "after the time-out for new clients")


@case
def a_retired_name_signs_no_more_and_says_so(service):
    service.import_leaf("Delta", "delta")
    service.sign("Delta")
    service.cli("retire", "Delta")
    refused(service, wire.sign_request(7, name="Delta"), "not-active", "Delta", "retired")
    done = service.cli("retire", "Delta", check=False)
    equal(done.returncode, 1, "retired twice")


@case
def wrong_usage_exits_with_two_and_a_missing_service_with_one(service):
    equal(service.cli("nonsense", check=False).returncode, 2, "unknown verb")
    equal(service.cli("sign", check=False).returncode, 2, "no name")
    equal(service.cli("import", "X", check=False).returncode, 2, "no files")
    done = subprocess.run([CLI, "--sign-socket", "/nonexistent/sign.sock", "sign", "Alpha", "--orig", "1",
                           "--dest", "2", "--attest", "A"], stderr=subprocess.PIPE, text=True, timeout=20,
                          stdout=subprocess.PIPE)
    if done.returncode == 2:  # options after the verb
        done = subprocess.run([CLI, "sign", "Alpha", "--sign-socket", "/nonexistent/sign.sock", "--orig",
                               "1", "--dest", "2", "--attest", "A"], stderr=subprocess.PIPE, text=True,
                              stdout=subprocess.PIPE, timeout=20)
    equal(done.returncode, 1, done.stderr)
    contains(done.stderr, "/nonexistent/sign.sock", "stderr")


@case
def signatures_still_verify_after_all_that(service):
    assert passports.verifies(service.sign().stdout, passports.public_key(f"{service.lab}/leaf.pem"))


if __name__ == "__main__":
    GRANTS = (f"[grant test]\nuser = {os.geteuid()}\ncertificates = *\nppt = base, shaken\n"
              "attest = A, B, C\n")
    if ROOT:
        GRANTS += (f"[grant capped]\nuser = {STRANGER + 1}\ncertificates = Alpha, Beta-*\nppt = shaken\n"
                   "attest = B, C\n")
    with Service(grants=GRANTS, extra={"sockets": {"client-timeout-ms": "1500"}}) as the_service:
        the_service.start()
        the_service.import_leaf()
        the_service.make_chain("709J", "beta", "gamma", "delta")
        the_service.import_leaf("Beta-1", "beta", "--keep-source")
        run(service=the_service)
