# SPDX-License-Identifier: BSD-2-Clause
"""How the service starts, says that it is ready, and what it says when it cannot."""
import os
import socket
import subprocess

import passports
from stirkeep import ROOMS, ROOT, Service, wait_until
from tap import case, contains, equal, run


def heard(channel):
    """All that was sent to a notification socket so far."""
    said = []
    while True:
        try:
            said.append(channel.recv(4096).decode())
        except BlockingIOError:
            return "\n".join(said)


def ends_with_one_line(service, *parts):
    """It must not start: exit status 1 and one line that says why."""
    service.start(ready=False)
    equal(service.porter.wait(60), 1, "exit status")
    errors = [line for line in service.said_of_itself()
              if line.startswith("stirkeepd: ") and ": ready" not in line]
    service.stop()
    equal(len(errors), 1, f"lines in the log: {errors}")
    for part in parts:
        contains(errors[0], part, "the line")


@case
def systemd_is_told_when_it_is_ready_and_when_it_stops():
    with Service() as service:
        path = f"{service.base}/notify"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
            channel.bind(path)
            channel.setblocking(False)
            service.start(ready=False, NOTIFY_SOCKET=path)
            wait_until("READY=1", lambda: "READY=1" in heard(channel), 60)
            # No waiting from here on: ready means ready.
            equal(service.cli("status").returncode, 0, "status")
            service.import_leaf()
            assert passports.verifies(service.sign().stdout,
                                      passports.public_key(f"{service.lab}/leaf.pem"))
            equal(service.stop(), 0, "exit status")
            contains(heard(channel), "STOPPING=1", "notification")


@case
def a_second_one_is_refused_and_the_first_goes_on():
    with Service() as service:
        service.start()
        service.import_leaf()
        second = subprocess.run(service.command(), stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, text=True, timeout=30)
        equal(second.returncode, 1, second.stdout)
        equal(len(second.stdout.splitlines()), 1, second.stdout)
        service.sign()


@case
def sockets_left_by_a_killed_one_are_replaced():
    with Service() as service:
        service.start()
        service.porter.kill()
        service.porter.wait()
        equal(os.path.exists(service.sign_socket), True, "the socket is still there")
        wait_until("the rooms end by themselves",
                   lambda: subprocess.run(["pgrep", "-f", service.libexec],
                                          stdout=subprocess.DEVNULL).returncode != 0)
        service.stderr.close()
        service.start()
        service.import_leaf()
        service.sign()


@case
def what_keeps_it_from_starting_is_one_line():
    with Service(label="stirkeep") as service:
        service.write_config(label="another")
        ends_with_one_line(service, "another")
    with Service(extra={"storage": {"catalog": "/nonexistent/catalog.db"}}) as service:
        ends_with_one_line(service, "/nonexistent")
    with Service(extra={"token": {"module": "/nonexistent/module.so"}}) as service:
        ends_with_one_line(service, "/nonexistent/module.so")
    with Service(extra={"token": {"require-hardware": "yes"}}) as service:
        ends_with_one_line(service, "hardware")


@case
def a_token_that_cannot_be_used_is_named_with_the_reason():
    with Service() as service:
        token = os.path.join(service.token, "tokens", os.listdir(f"{service.token}/tokens")[0])
        file = f"{token}/token.object"

        def named(part):
            ends_with_one_line(service, part)
            os.truncate(f"{service.base}/service.log", 0)

        if ROOT:  # as a copy that was put back without its owners
            os.chown(file, 0, 0)
            named(f"{file}: Permission denied")
            os.chown(file, ROOMS["keeper"], ROOMS["keeper"])
            os.chown(token, 0, 0)
            named(f"{token}: Permission denied")
            os.chown(token, ROOMS["keeper"], ROOMS["keeper"])
        with open(file, "rb") as whole:
            content = whole.read()
        os.truncate(file, len(content) // 2)
        named(f"{file}: is damaged")
        os.rename(file, f"{file}.aside")
        named(f"{file}: No such file")
        os.rename(f"{file}.aside", file)
        with open(file, "r+b") as whole:
            whole.write(content)
        service.start()


@case
def without_a_trail_it_says_so_and_signs_when_there_is_one():
    with Service() as service:
        os.rename(service.log, service.log + "-aside")
        service.start(ready=False)
        wait_until("status says why",
                   lambda: "trail" in service.cli("status", check=False).stderr, 60)
        contains(service.said(), service.audit, "the log")
        done = service.import_leaf(check=False)
        equal(done.returncode, 1, done.stdout)
        equal(os.path.exists(f"{service.lab}/leaf.key"), True, "the key file is there")
        os.rename(service.log + "-aside", service.log)
        wait_until("the service is ready by itself",
                   lambda: service.cli("status", check=False).returncode == 0, 20)
        # The import that was refused is undone first.
        wait_until("the import is done",
                   lambda: service.import_leaf(check=False).returncode == 0, 20, 0.1)
        service.sign()


@case
def a_pin_file_that_others_may_read_is_refused():
    with Service() as service:
        os.chmod(f"{service.token}/pin", 0o640)
        ends_with_one_line(service, "pin")


@case
def a_wrong_pin_is_tried_once_and_the_service_says_so():
    with Service() as service:
        with open(f"{service.token}/pin") as file:
            right = file.read()
        with open(f"{service.token}/pin", "w") as file:
            file.write("12345678\n")
        if ROOT:
            os.chown(f"{service.token}/pin", 0, 0)
        with open(f"{service.base}/right-pin", "w") as file:
            file.write(right)
        os.chmod(f"{service.base}/right-pin", 0o600)
        service.start(ready=False)
        wait_until("status says why", lambda: "PIN" in service.cli("status", check=False).stderr, 60)
        status = service.cli("status", check=False)
        equal(status.returncode, 1, status.stdout)
        done = service.import_leaf(check=False)
        equal(done.returncode, 1, done.stdout)
        contains(done.stderr, "PIN", "stderr")
        equal(os.path.exists(f"{service.lab}/leaf.key"), True, "the key file is there")
        wait_until("all rooms are up", lambda: "stirkeepd: ready: " in service.said(), 60)
        service.kill("keeper")
        wait_until("the keeper is back", lambda: service.pid("keeper"))
        wait_until("status says why", lambda: "PIN" in service.cli("status", check=False).stderr, 60)
        counted = subprocess.run(["softhsm2-util", "--show-slots"], stdout=subprocess.PIPE, text=True,
                                 env={**os.environ,
                                      "SOFTHSM2_CONF": f"{service.token}/softhsm2.conf"})
        contains(counted.stdout, "User PIN init.:   yes", "the token is as it was")
        # With the right one it goes on by itself.
        os.rename(f"{service.base}/right-pin", f"{service.token}/pin")
        service.wait_ready()
        service.import_leaf()
        service.sign()


@case
def a_pin_file_that_cannot_be_used_for_a_while_stops_signing_no_longer_than_that():
    with Service().start() as service:
        service.import_leaf()
        os.chmod(f"{service.token}/pin", 0o644)
        service.kill("keeper")
        wait_until("status says why", lambda: "PIN" in service.cli("status", check=False).stderr, 20)
        contains(service.said(), "chmod 600", "the log")
        equal(service.sign(check=False).returncode, 1, "nothing is signed")
        os.chmod(f"{service.token}/pin", 0o600)
        service.wait_ready()
        service.sign()


if __name__ == "__main__":
    run()
