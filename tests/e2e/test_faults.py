# SPDX-License-Identifier: BSD-2-Clause
"""Every PKCS#11 function that the keeper uses, with every fault: what is answered, that nothing wrong
leaves and nothing is lost, and when the next good signature comes.

    test_faults.py [COUNT [--seed N] [--table FILE] [--only WORD,...]]    COUNT 0: all of them
"""
import argparse
import random
import sys
import time
import traceback

from fault_bed import CALL_TIMEOUT_MS, FaultBed
from fault_cells import LOSSES, PARTS, STOPS, sample
from fault_parts import KINDS, Command, NotMet, Opening
from tap import equal, note

ENOUGH = 12  # failures: the rest would hardly tell more
ALLOWED = {"ok", "token-error", "key-unavailable", "unavailable", "deadline", "overloaded",
           "token-locked", "no-memory"}


class Matrix:
    def __init__(self, options):
        self.options = options
        self.bed = FaultBed()
        self.counted = {}
        self.rows = []

    # ---- how often a function is called

    def count(self, part):
        """{function: calls} of this part when nothing fails."""
        if part in self.counted:
            return self.counted[part]
        self.bed.settle()
        self.bed.rest()
        before = self.bed.service.counts()
        kind = KINDS[part]
        if kind is Opening:
            self.bed.service.kill("keeper")
            time.sleep(1)
        else:
            way = kind(self.bed, next(cell for cell in sample(0, 0) if cell.part == part), 1, 1)
            way.prepare()
            before = self.bed.service.counts()
            assert way.again().returncode in (0, 1)
        after = self.bed.service.counts()
        self.counted[part] = {name: after[i] - before[i]
                              for i, name in enumerate(self.bed.service.functions)}
        self.bed.deaths = 99
        return self.counted[part]

    def number_for(self, cell):
        """Which of the calls is to fail."""
        if not issubclass(KINDS[cell.part], (Command, Opening)):
            return 1
        most = self.count(cell.part)[cell.function]
        return random.Random(f"{self.options.seed} {cell}").randint(1, most) if most > 0 else 1

    # ---- one cell

    def check_logins(self, cell, logins):
        """One for all threads and for everything that was lost with the login."""
        if cell.fault in LOSSES and cell.part not in ("opening", "ending"):
            equal(self.bed.service.called("C_Login") - logins, 1, "C_Login")

    def check_others(self, cell, part, armed, replaced):
        statuses = self.bed.statuses(armed)
        for client in self.bed.clients:
            assert not client.wrong, f"{client.name_signed}: a wrong signature left"
        assert part.others_wait or set(statuses) <= ALLOWED, set(statuses)
        if cell.part in ("opening", "ending"):
            return
        assert replaced == cell.is_fatal, \
            "the keeper is the same one" if not replaced else "the keeper was replaced for nothing"
        if not replaced:
            failed = [status for status in statuses if status != "ok"]
            assert len(failed) <= (cell.part in ("signing", "opening a session again")), failed

    def try_cell(self, cell, number):
        self.bed.settle()
        self.bed.read_log()
        part = KINDS[cell.part](self.bed, cell, CALL_TIMEOUT_MS, number)
        armed = time.monotonic()
        logins = self.bed.service.called("C_Login")
        good = part.run()
        if cell.is_fatal and cell.part not in ("opening", "ending"):
            self.bed.wait_replaced()
            self.bed.wait_good(time.monotonic())
        self.check_others(cell, part, armed, self.bed.replaced())
        self.check_logins(cell, logins)
        gap = max(client.longest_gap(part.began) for client in self.bed.clients)
        return part.answer, good - part.began, gap, cell.is_fatal

    def cell(self, cell):
        number = self.number_for(cell)
        try:
            return (number, *self.try_cell(cell, number))
        except AssertionError:
            if cell.fault in STOPS or not self.bed.hung():
                raise
            note(f"{cell}: a call took longer than {CALL_TIMEOUT_MS} ms by itself: once more")
            return (number, *self.try_cell(cell, number))
        except NotMet:
            if number == 1:
                raise
            note(f"{cell}: call {number} was not made: the first one")
            return (1, *self.try_cell(cell, 1))

    def end_bed(self):
        try:
            self.bed.end()
        except Exception:
            note(f"not removed: {traceback.format_exc()}")

    def check_functions(self):
        """Every function that the keeper called, through libp11 too, has its faults in the matrix."""
        service = self.bed.service
        called = {name for name, count in zip(service.functions, service.counts()) if count}
        return called - {name for functions in PARTS.values() for name in functions}

    def run(self, cells):
        failed = 0
        print(f"TAP version 13\n1..{len(cells) + 1}", flush=True)
        for index, cell in enumerate(cells, 1):
            began = time.monotonic()
            try:
                number, answer, took, gap, other = self.cell(cell)
                self.rows.append((cell, answer, took, gap, other))
                print(f"ok {index} - {cell} (call {number}): {answer}, {took * 1000:.0f} ms, "
                      f"gap {gap * 1000:.0f} ms [{time.monotonic() - began:.1f} s]", flush=True)
            except Exception:  # a cell may fail in any way
                failed += 1
                if failed > ENOUGH:
                    raise
                note(traceback.format_exc())
                note("\n".join(self.bed.service.said().splitlines()[-25:]))
                print(f"not ok {index} - {cell}", flush=True)
                self.end_bed()
                self.bed = FaultBed()
        missed = self.check_functions()
        failed += bool(missed)
        print(f"{'not ok' if missed else 'ok'} {len(cells) + 1} - every function that was called is "
              f"in the matrix {' '.join(sorted(missed))}", flush=True)
        self.end_bed()
        return failed


def span(values):
    """Of milliseconds, in words."""
    low, high = min(values) * 1000, max(values) * 1000
    return f"{low:.0f}" if high - low < 5 else f"{low:.0f} to {high:.0f}"


def table(rows):
    """As docs/FAULTS.md has it: the faults of a function that are answered in the same way in a row."""
    grouped = {}
    for cell, answer, took, gap, other in rows:
        keeper = "" if cell.part in ("opening", "ending") else "another" if other else "the same"
        grouped.setdefault((cell.part, cell.function, answer, keeper), []).append(
            (cell.fault, took, gap))
    part_before = None
    for (part, function, answer, keeper), cells in grouped.items():
        if part != part_before:
            yield f"\n### {part.capitalize()}\n"
            yield "| function | fault | answer | keeper | next good signature, ms | longest gap, ms |"
            yield "|---|---|---|---|---:|---:|"
            part_before = part
        faults = ", ".join(fault for fault, _, _ in cells)
        yield (f"| `{function}` | {faults} | {answer} | {keeper} "
               f"| {span([took for _, took, _ in cells])} | {span([gap for _, _, gap in cells])} |")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("count", nargs="?", type=int, default=60)
    parser.add_argument("--seed", type=int, default=20261126)
    parser.add_argument("--table")
    parser.add_argument("--only", default="")
    the_options = parser.parse_args()
    the_cells = [cell for cell in sample(the_options.count, the_options.seed)
                 if all(word in str(cell) for word in the_options.only.split(",") if word)]
    matrix = Matrix(the_options)
    began_all = time.monotonic()
    failures = matrix.run(the_cells)
    note(f"{len(the_cells)} cells, {failures} failed, {time.monotonic() - began_all:.0f} s")
    if the_options.table:
        with open(the_options.table, "w") as out:
            out.write("\n".join(table(matrix.rows)) + "\n")
    sys.exit(1 if failures else 0)
