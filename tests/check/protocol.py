#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""docs/PROTOCOL.md has every message and field of proto/ with its number and type, every status
with its number and name, and no others.

    protocol.py SOURCE-ROOT
"""
import glob
import re
import sys

MESSAGE = re.compile(r"^message (\w+) \{(.*?)^\}", re.MULTILINE | re.DOTALL)
FIELD = re.compile(r"^\s+((?:repeated |optional )?[\w.]+) (\w+) = (\d+)\s*[;\[]", re.MULTILINE)
NUMBER = re.compile(r"=\s*\d+\s*[;\[]")
SECTION = re.compile(r"^### (\w+)$(.*?)(?=^##|\Z)", re.MULTILINE | re.DOTALL)
ROW = re.compile(r"^\| `(\w+)` \| (\d+) \| ((?:repeated |optional )?[\w.]+) \|", re.MULTILINE)
STATUS = re.compile(r"^\s+STIRKEEP_([A-Z_0-9]+) = (\d+),", re.MULTILINE)
STATUS_ROW = re.compile(r"^\| (\d+) \| `([a-z0-9-]+)` \|", re.MULTILINE)

wrong = []


def read(path):
    with open(path) as file:
        return file.read()


def collect(where, pairs):
    """A dict of what must be there once."""
    found = {}
    for key, value in pairs:
        if key in found:
            wrong.append(f"{where}: {key} is there twice")
        found[key] = value
    return found


def fields(where, rows):
    return collect(where, ((name, f"{kind} = {number}") for kind, name, number in rows))


def of_proto(root):
    pairs = []
    for path in sorted(glob.glob(f"{root}/proto/**/*.proto", recursive=True)):
        text = re.sub(r"//.*", "", read(path))
        for message, body in MESSAGE.findall(text):
            rows = FIELD.findall(body)
            if len(rows) != len(NUMBER.findall(body)):
                wrong.append(f"{path}: message {message} has a field that this script cannot read")
            pair = (message, fields(f"{path}: {message}", rows))
            if pair not in pairs:  # two packages may have the same message, word for word
                pairs.append(pair)
        if len(MESSAGE.findall(text)) != len(re.findall(r"\bmessage \w+\s*\{", text)):
            wrong.append(f"{path}: has a message that this script cannot read")
    return collect("proto", pairs)


def of_page(page):
    return collect("docs/PROTOCOL.md", (
        (message, fields(f"docs/PROTOCOL.md: {message}",
                         ((kind, name, number) for name, number, kind in ROW.findall(body))))
        for message, body in SECTION.findall(page)))


def compare(what, source, page):
    for name in sorted(source.keys() | page.keys()):
        if name not in page:
            wrong.append(f"{what} {name} is not on the page")
        elif name not in source:
            wrong.append(f"{what} {name} is on the page, but not in the source")
        elif isinstance(source[name], dict):
            compare(f"{what} {name}: field", source[name], page[name])
        elif source[name] != page[name]:
            wrong.append(f"{what} {name}: the source has {source[name]}, the page {page[name]}")


def main(root):
    page = read(f"{root}/docs/PROTOCOL.md")
    messages = of_proto(root)
    statuses = collect("status.h", ((name.lower().replace("_", "-"), int(number)) for name, number
                                    in STATUS.findall(read(f"{root}/include/stirkeep/status.h"))))
    compare("message", messages, of_page(page))
    compare("status", statuses, collect("docs/PROTOCOL.md", (
        (name, int(number)) for number, name in STATUS_ROW.findall(page))))
    if len(messages) < 20 or len(statuses) < 20:
        wrong.append("the messages or statuses of the source were not found")
    print("\n".join(wrong) if wrong else
          f"{len(messages)} messages and {len(statuses)} statuses, all on the page")
    return 1 if wrong else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: protocol.py SOURCE-ROOT")
    sys.exit(main(sys.argv[1]))
