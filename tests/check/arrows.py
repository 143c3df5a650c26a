#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Who may include whom: fails when an include points against docs/ARCHITECTURE.md."""
import os
import re
import sys

# folder -> the folders of src/ that it may include
DOMAIN = {"wire", "cert", "seal", "passport", "policy", "catalog", "audit", "token", "wipe"}
VALUES = {"base", "json", "model"}
MAY = {"base": set(), "json": {"base"}, "model": {"base", "json"}}
MAY.update({folder: VALUES for folder in DOMAIN})
MAY["upload"] = VALUES | {"cert", "seal", "wipe"}
MAY["config"] = VALUES | {"policy"}
MAY["lockdown"] = VALUES | {"config", "policy"}
MAY["room"] = VALUES | {"config", "policy", "lockdown"}
MAY["client"] = VALUES | {"wire"}
ROOM = VALUES | {"config", "policy", "lockdown", "room", "wire"}
MAY["front"] = ROOM | {"passport"}
MAY["intake"] = ROOM | {"cert", "catalog", "upload", "wipe"}
MAY["keeper"] = ROOM | {"cert", "seal", "passport", "audit", "token"}
MAY["stirkeepd"] = VALUES | {"config", "policy", "lockdown", "room"}
MAY["cli"] = VALUES | {"wire", "client", "cert", "seal", "upload", "passport", "wipe", "audit",
                       "config", "policy"}
MAY["integrations"] = VALUES | {"wire", "client", "cert", "passport"}
# single headers of folders that are closed otherwise
BESIDES = {("cli", "token/fresh.h")}
# headers that only one folder may include
ONLY = [(re.compile(r"libp11\.h|pkcs11"), "token"), (re.compile(r"\.pb-c\.h|protobuf-c"), "wire"),
        (re.compile(r"sqlite3\.h"), "catalog"), (re.compile(r"ini\.h"), "config")]
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def wrong_arrows(source):
    for path, _, names in os.walk(source):
        for name in sorted(names):
            if not name.endswith((".c", ".h")):
                continue
            whole = os.path.join(path, name)
            folder = os.path.relpath(whole, source).split(os.sep)[0]
            with open(whole) as file:
                included = INCLUDE.findall(file.read())
            for header in included:
                target = header.split("/")[0]
                if "/" in header and target in MAY and target != folder and \
                        target not in MAY.get(folder, set()) and (folder, header) not in BESIDES:
                    yield f"{whole} includes {header}: {folder} may not use {target}"
                for pattern, owner in ONLY:
                    if pattern.search(header) and folder != owner and "/" + owner not in header \
                            and target not in MAY:
                        yield f"{whole} includes {header}, which only {owner} may"


def main():
    source = sys.argv[1]
    problems = list(wrong_arrows(source))
    unknown = [f for f in sorted(os.listdir(source))
               if os.path.isdir(os.path.join(source, f)) and f not in MAY]
    problems += [f"src/{folder} is in nobody's list" for folder in unknown]
    print("1..1")
    for problem in problems:
        print(f"# {problem}")
    print(("not ok" if problems else "ok") + " 1 - no include points the wrong way")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
