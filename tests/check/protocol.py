#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/PROTOCOL.md has every message and field of proto/ with its number and type, every status
with its number and name, and no others.

    protocol.py SOURCE-ROOT
"""
import re
import sys

MESSAGE = re.compile(r"^message (\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s+((?:repeated )?\w+) (\w+) = (\d+);", re.MULTILINE)
SECTION = re.compile(r"^### (\w+)$(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| ((?:repeated )?\w+) \|", re.MULTILINE)
STATUS = re.compile(r"^\s+STIRKEEP_([A-Z_]+) = (\d+),", re.MULTILINE)
STATUS_ROW = re.compile(r"^\| (\d+) \| `([a-z-]+)` \|", re.MULTILINE)


def read(path):
    with open(path) as file:
        return file.read()


def of_proto(root):
    found = {}
    for name in ("sign", "admin", "order"):
        for message, body in MESSAGE.findall(read(f"{root}/proto/stirkeep/v1/{name}.proto")):
            found[message] = {field: (int(number), kind)
                              for kind, field, number in FIELD.findall(body)}
    return found


def of_page(page):
    return {message: {field: (int(number), kind) for field, number, kind in ROW.findall(body)}
            for message, body in SECTION.findall(page)}


def differences(what, wanted, got):
    for name in sorted(wanted.keys() | got.keys()):
        if wanted.get(name) != got.get(name):
            yield f"{what} {name}: the source has {wanted.get(name)}, the page {got.get(name)}"


def main(root):
    page = read(f"{root}/docs/PROTOCOL.md")
    messages, pages = of_proto(root), of_page(page)
    statuses = {name.lower().replace("_", "-"): int(number) for name, number
                in STATUS.findall(read(f"{root}/include/stirkeep/status.h"))}
    listed = {name: int(number) for number, name in STATUS_ROW.findall(page)}
    wrong = [*differences("message", messages, pages), *differences("status", statuses, listed)]
    if len(messages) < 20 or len(statuses) < 20:
        wrong.append("the messages or statuses of the source were not found")
    print("\n".join(wrong) if wrong else
          f"{len(messages)} messages and {len(statuses)} statuses, all on the page")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
