# SPDX-License-Identifier: BSD-2-Clause
"""What each room cannot do, shown on the running processes."""
import glob
import os
import subprocess

from built import BUILD
from stirkeep import ROOMS, ROOT, Service
from tap import Skip, case, contains, equal, run, skip_under_valgrind

CAP_SYS_NICE = 23
NICE_FIRST = -5  # src/base/process.c


def linked(room):
    done = subprocess.run(["ldd", f"{BUILD}/src/{room}/stirkeep-{room}"], check=True, text=True,
                          stdout=subprocess.PIPE)
    return done.stdout


def inodes_listening():
    """Inode -> path of every listening Unix socket of the host."""
    with open("/proc/net/unix") as table:
        rows = [line.split() for line in table][1:]
    return {row[6]: row[7] if len(row) > 7 else "" for row in rows if int(row[3], 16) & 0x10000}


def listening(pid):
    found, table = [], inodes_listening()
    for descriptor in glob.glob(f"/proc/{pid}/fd/*"):
        try:
            target = os.readlink(descriptor)
        except OSError:
            continue
        if target.startswith("socket:[") and target[8:-1] in table:
            found.append(table[target[8:-1]])
    return found


def need_root(service):
    if not ROOT or not service.may_look_into("front"):
        raise Skip("the rooms are not dumpable: their /proc is readable by root alone")


@case
def front_and_intake_link_no_pkcs11_and_the_keeper_does(service):
    for room in ("front", "intake"):
        for library in ("libp11", "p11-kit", "softhsm"):
            assert library not in linked(room), f"{room} links {library}"
    contains(linked("keeper"), "libp11", "keeper")
    for library in ("libevent", "libsqlite3"):
        assert library not in linked("keeper"), f"the keeper links {library}"
    assert "libsqlite3" not in linked("front")


@case
def front_and_intake_have_no_pkcs11_module_mapped_and_the_keeper_has(service):
    need_root(service)
    for room in ROOMS:
        with open(f"/proc/{service.pid(room)}/maps") as maps:
            mapped = maps.read()
        for library in ("libsofthsm2", "libp11.so"):
            equal(library in mapped, room == "keeper", f"{library} in {room}")


@case
def only_front_and_intake_listen(service):
    need_root(service)
    equal(listening(service.pid("keeper")), [], "keeper")
    equal(listening(service.pid("front")), [service.sign_socket], "front")
    equal(listening(service.pid("intake")), [service.admin_socket], "intake")


@case
def each_room_has_a_user_of_its_own_and_no_capabilities(service):
    need_root(service)
    for room, uid in ROOMS.items():
        with open(f"/proc/{service.pid(room)}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        equal(status["Uid"].split(), [str(uid)] * 4, f"{room} Uid")
        equal(status["Gid"].split(), [str(uid)] * 4, f"{room} Gid")
        equal(set(status["Groups"].split()) - {str(uid)}, set(), f"{room} groups")
        equal(status["NoNewPrivs"], "1", f"{room} NoNewPrivs")
        for capabilities in ("CapPrm", "CapEff", "CapInh", "CapAmb"):
            equal(int(status[capabilities], 16), 0, f"{room} {capabilities}")


@case
def no_room_can_dump_core_and_none_has_a_key_or_pin_in_its_environment_or_arguments(service):
    need_root(service)
    with open(f"{service.token}/pin", "rb") as file:
        pin = file.read().strip()
    for room in (*ROOMS, None):
        pid = service.pid(room) if room else service.porter.pid
        with open(f"/proc/{pid}/limits") as file:
            core = next(line for line in file if line.startswith("Max core file size"))
        if room:
            equal(core.split()[4:6], ["0", "0"], f"{room} core")
        for name in ("environ", "cmdline"):
            with open(f"/proc/{pid}/{name}", "rb") as file:
                assert pin not in file.read(), f"PIN in {name} of {room}"


@case
def front_has_no_file_open_but_its_sockets(service):
    need_root(service)
    skip_under_valgrind("it has the program's file open")
    for descriptor in glob.glob(f"/proc/{service.pid('front')}/fd/*"):
        target = os.readlink(descriptor)
        number = int(descriptor.rsplit("/", 1)[1])
        if number > 2:
            assert target.startswith(("socket:", "anon_inode:", "/memfd:", "pipe:")), target


@case
def front_goes_first_and_the_others_are_as_others(service):
    """src/stirkeepd/main.c, spawn.c, src/base/process.h"""
    if os.sched_getscheduler(0) != os.SCHED_OTHER:
        raise Skip("under another scheduling policy nobody is nicer than others")
    with open("/proc/self/status") as file:
        capabilities = next(int(line.split()[1], 16) for line in file if line.startswith("CapEff:"))
    may = capabilities >> CAP_SYS_NICE & 1
    mine = os.getpriority(os.PRIO_PROCESS, 0)
    for room in ROOMS:
        wanted = min(mine, NICE_FIRST) if room == "front" and may else max(mine, 0)
        for task in os.listdir(f"/proc/{service.pid(room)}/task"):
            equal(os.getpriority(os.PRIO_PROCESS, int(task)), wanted, f"{room}: nice of {task}")


@case
def a_room_cannot_be_run_without_the_porter(service):
    for room in ROOMS:
        done = subprocess.run([f"{BUILD}/src/{room}/stirkeep-{room}"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=10)
        assert done.returncode not in (0, -11, -6), f"{room}: {done.returncode}"


@case
def softhsm_finds_what_is_prepared_for_it(service):
    """src/token/prepared.h, footprint.h, src/keeper/process_id.c; the dynamic linker tells of what it finds."""
    skip_under_valgrind("its new and delete go before ours, and rooms are its program")
    with Service(extra={"token-environment": {"LD_DEBUG": "bindings"}}) as own:
        own.start()
        found = {line[line.index("`"):] for line in own.said().splitlines()
                 if "libsofthsm2.so [0] to stirkeep-keeper [0]: normal symbol" in line}
    equal(found, {"`d2i_ECPKParameters' [OPENSSL_3.0.0]", "`EVP_aes_256_cbc' [OPENSSL_3.0.0]",
                  "`EC_GROUP_free' [OPENSSL_3.0.0]", "`RAND_bytes' [OPENSSL_3.0.0]",
                  "`getpid' [GLIBC_2.2.5]", "`_Znwm' [GLIBCXX_3.4]", "`_ZdlPv' [GLIBCXX_3.4]",
                  "`_ZdlPvm' [CXXABI_1.3.9]", "`_Znam' [GLIBCXX_3.4]", "`_ZdaPv' [GLIBCXX_3.4]"},
          "what SoftHSM has from the keeper")
    service.sign()


if __name__ == "__main__":
    with Service() as the_service:
        the_service.start()
        the_service.import_leaf()
        the_service.sign()
        run(service=the_service)
