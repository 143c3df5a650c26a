#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Every warning and error that the programs can log stands in docs/OPERATIONS.md with what to do about
it, and nothing stands there that they do not say.

    log_lines.py SOURCE [--list]

A line is known by its text, with "…" for what differs; one that has no words of its own by its file
before it.
"""
import glob
import re
import sys

PAGE = "docs/OPERATIONS.md"
SECTION = "\n## The log\n"
ELLIPSIS = "…"
CALL = re.compile(r"\bstk_log\(\s*([^,\"]+),\s*")
TOKEN = re.compile(r'\s*(?:"((?:[^"\\]|\\.)*)"|(\w+))')
CONVERSION = re.compile(r"%[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j|t)?[diouxXcspn]")
ROW = re.compile(r"^\| `([^`]+)` \|(.*)\|(.*)\|$", re.M)


def format_of(text):
    """The format that begins here: literals, with macros between them."""
    parts, at = [], 0
    while True:
        match = TOKEN.match(text, at)
        if match is None:
            return "".join(parts) if parts else None
        if match[1] is not None:
            parts.append(match[1])
        elif not parts:
            return None
        elif parts[-1].endswith("%"):  # PRIu64
            parts[-1] = parts[-1][:-1] + ELLIPSIS
        else:
            parts.append(ELLIPSIS)
        at = match.end()


def key_of(path, text):
    text = CONVERSION.sub(ELLIPSIS, text.replace('\\"', '"')).replace("%%", "%")
    text = re.sub(f"{ELLIPSIS}+", ELLIPSIS, text)
    return text if len(re.findall(r"[A-Za-z]", text)) >= 3 else f"{path}: {text}"


def lines_of(source):
    """{key: where} of all warnings and errors; and what could not be read."""
    found, unread = {}, []
    for path in sorted(glob.glob(f"{source}/src/**/*.c", recursive=True)):
        name = path[len(f"{source}/src/"):]
        with open(path) as file:
            text = file.read()
        for call in CALL.finditer(text):
            levels = set(re.findall(r"STK_LOG_\w+", call[1]))
            if levels == {"STK_LOG_INFO"} or call[1].startswith("enum stk_log_level"):
                continue
            where = f"src/{name}:{text[:call.start()].count(chr(10)) + 1}"
            written = format_of(text[call.end():])
            if not levels or written is None:
                unread.append(where)
            else:
                found[key_of(name, written)] = where
    return found, unread


def main():
    source = sys.argv[1]
    found, unread = lines_of(source)
    if "--list" in sys.argv[2:]:
        for key, where in found.items():
            print(f"{where}\t{key}")
        return 0
    with open(f"{source}/{PAGE}") as file:
        page = file.read()
    rows = ROW.findall(page[page.index(SECTION):])
    told = {key for key, _, _ in rows}
    faults = [f"{where}: level or text is not a constant" for where in unread]
    faults += [f"{where}: not in {PAGE}: {key}" for key, where in found.items() if key not in told]
    faults += [f"{PAGE}: nothing logs this: {key}" for key in told if key not in found]
    faults += [f"{PAGE}: without a meaning or an action: {key}" for key, meaning, action in rows
               if key in found and not (meaning.strip() and action.strip())]
    faults += [f"{PAGE}: twice: {key}" for key in told if sum(key == row[0] for row in rows) > 1]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{len(found)} warnings and errors, {len(faults)} faults")
    return 1 if faults or not found else 0


if __name__ == "__main__":
    sys.exit(main())
