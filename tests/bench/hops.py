#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the way through both process borders costs: signatures a second over one pipelined
connection, against the bare module with as many threads, in turns in one run on one token.

    hops.py [ROUNDS [SECONDS]]        run by `meson test --benchmark`
"""
import json
import os
import statistics
import subprocess
import sys

sys.path.insert(0, os.environ["STIRKEEP_SOURCE"] + "/tests/e2e")
from built import BUILD  # noqa: E402
from stirkeep import Service, softhsm_module  # noqa: E402

WINDOW = 256


def bare(service, threads, seconds):
    done = subprocess.run([f"{BUILD}/tests/bench/bare", softhsm_module(), "stirkeep",
                           f"{service.token}/pin", str(threads), str(seconds)], check=True,
                          env={**os.environ, "SOFTHSM2_CONF": f"{service.token}/softhsm2.conf"},
                          stdout=subprocess.PIPE, text=True)
    return float(done.stdout)


def through(service, seconds, connections=1, window=WINDOW):
    done = service.cli("bench", "Alpha", "--json", "--seconds", str(seconds), "--connections",
                       str(connections), "--window", str(window))
    return json.loads(done.stdout)


def main(rounds=5, seconds=2):
    with Service(extra={"token": {"verify-signatures": "sampled"}}) as service:
        service.start()
        service.import_leaf()
        threads = json.loads(service.cli("status", "--json").stdout)["token"]["signers"]
        through(service, 1)
        ratios = []
        print(f"{threads} signers; bare module with {threads} threads; window {WINDOW}")
        for number in range(rounds):
            before = bare(service, threads, seconds)
            ours = through(service, seconds)["signatures_per_second"]
            after = bare(service, threads, seconds)
            ratios.append(ours / ((before + after) / 2))
            print(f"round {number + 1}: bare {before:.0f} and {after:.0f}, through stirkeep "
                  f"{ours:.0f} a second: ratio {ratios[-1]:.2f}", flush=True)
        alone = through(service, seconds, window=1)
        print(f"median ratio {statistics.median(ratios):.2f}; one request at a time: "
              f"p50 {alone['p50_us']} us, p99 {alone['p99_us']} us")


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:]))
