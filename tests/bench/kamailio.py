#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""A stock Kamailio with a PEM on disk beside one with stirkeep, by turns in one run: INVITEs signed a
second, processor time of the proxy for each, and what signing adds to the time to the answer.

    kamailio.py [CALLS [ROUNDS [ASKED]]]

CALLS of sipp in each of ROUNDS rounds for the rate; ASKED one after the other for the times. Fails
when stirkeep has less than 0.8 of the PEM's rate with four workers.
"""
import os
import statistics
import sys
import time

sys.path.insert(0, f"{os.environ['STIRKEEP_SOURCE']}/tests/e2e")
import kamailio_bed as bed
from kamailio_bed import Phone, Proxy
from kamailio_host import OBJECT
from stirkeep import Service

CALLS = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 5
ASKED = int(sys.argv[3]) if len(sys.argv) > 3 else 3000
AT_ONCE = 200
RATE = 100000     # offered: more than there can be
WANTED = 0.8
TICK = os.sysconf("SC_CLK_TCK")
# As a PEM's signatures are not verified by who makes them either; docs/KAMAILIO.md has what it costs.
SAMPLED = {"verify-signatures": "sampled"}


def config(service, port, workers, way):
    sign = {"none": "",
            "PEM": 'if (!secsipid_add_identity("$fU", "$rU", "A", "", '
                   f'"https://certs.example.com/other.pem", "{service.lab}/other.key")) '
                   '{ sl_send_reply("500", "Not Signed"); exit; }',
            "stirkeep": 'if (!secsipid_add_identity("$fU", "$rU", "A", "", "", "Alpha")) '
                        '{ sl_send_reply("500", "Not Signed"); exit; }'}[way]
    modproc = f'modparam("secsipid", "modproc", "{OBJECT}")' if way == "stirkeep" else ""
    return "\n".join((
        "#!KAMAILIO", f"listen=udp:127.0.0.1:{port}", f"children={workers}", "debug=0",
        "log_stderror=yes", f'mpath="{bed.modules()}"',
        *(f'loadmodule "{name}.so"' for name in ("sl", "pv", "textops", "siputils", "secsipid")),
        modproc, f'modparam("secsipid", "libopt", "stirkeep_socket={service.sign_socket}")',
        # A machine that is busy with other things is not what is measured.
        'modparam("secsipid", "libopt", "stirkeep_timeout=2000")',
        "request_route {", '  if (is_method("ACK")) exit;',
        '  if (is_method("OPTIONS")) { sl_send_reply("200", "OK"); exit; }', f"  {sign}",
        '  sl_send_reply("404", "Signed");', "}", ""))


def processor_seconds(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICK


def rooms(service):
    return [service.porter.pid] + [service.pid(room) for room in ("front", "intake", "keeper")]


def rate(service, proxy):
    """(INVITEs a second, microseconds of the proxy for each, of stirkeep for each)"""
    own, others = proxy.workers(), rooms(service)
    before, others_before = processor_seconds(own), processor_seconds(others)
    began = time.monotonic()
    sipp = bed.sipp(proxy.path, "invite.xml", bed.free_port(), "-m", str(CALLS), "-r", str(RATE),
                    "-l", str(AT_ONCE), remote=proxy.port)
    try:
        status = sipp.wait(120)
    finally:
        sipp.kill()
    seconds = time.monotonic() - began
    assert status == 0, f"sipp: exit {status}\n{proxy.said()[-2000:]}"
    return (CALLS / seconds, (processor_seconds(own) - before) / CALLS * 1e6,
            (processor_seconds(others) - others_before) / CALLS * 1e6)


def times(proxy):
    """Milliseconds from INVITE to answer, one call after the other, sorted."""
    found = []
    with Phone(proxy.port) as phone:
        for number in range(ASKED):
            began = time.monotonic()
            phone.send("INVITE", number)
            text = phone.receive(2)
            found.append((time.monotonic() - began) * 1000)
            assert text is not None and " 404 " in text.split("\r\n")[0], text
    return sorted(found)


def measure(service, workers):
    """way -> ([rates], [proxy us], [stirkeep us], [times])"""
    found = {way: ([], [], [], []) for way in ("none", "PEM", "stirkeep")}
    proxies = {}
    try:
        for way in found:
            port = bed.free_port()
            proxies[way] = Proxy(service.base, f"{way}-{workers}", config(service, port, workers, way), port)
        for turn in range(ROUNDS):
            order = list(found) if turn % 2 == 0 else list(reversed(found))
            for way in order:
                for place, value in enumerate(rate(service, proxies[way])):
                    found[way][place].append(value)
            for way in order:
                found[way][3].extend(times(proxies[way])[:])
    finally:
        for proxy in proxies.values():
            proxy.stop()
    return found


def tell(found, workers):
    print(f"\n{workers} worker{'s' if workers > 1 else ''}: medians of {ROUNDS} rounds of {CALLS} calls, "
          f"{ROUNDS * ASKED} calls one by one")
    print("            INVITE/s  proxy us  stirkeep us    p50 ms    p99 ms")
    for way, (rates, proxy, rooms_, all_times) in found.items():
        ordered = sorted(all_times)
        print(f"{way:10} {statistics.median(rates):9.0f} {statistics.median(proxy):9.1f} "
              f"{statistics.median(rooms_):12.1f} {ordered[len(ordered) // 2]:9.3f} "
              f"{ordered[len(ordered) * 99 // 100]:9.3f}")
    part = statistics.median(ours / theirs for ours, theirs in
                             zip(found["stirkeep"][0], found["PEM"][0]))
    print(f"stirkeep / PEM: {part:.2f} (each round: "
          f"{', '.join(f'{a / b:.2f}' for a, b in zip(found['stirkeep'][0], found['PEM'][0]))})")
    return part


def main():
    if bed.missing():
        print(f"skipped: {bed.missing()}")
        return 0
    with Service(extra={"token": SAMPLED}) as service:
        service.start()
        service.import_leaf()
        service.make_chain("709J", "other")
        parts = {workers: tell(measure(service, workers), workers) for workers in (1, 4)}
    if parts[4] < WANTED:
        print(f"less than {WANTED} with 4 workers")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
