#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""The verifier that docs/AUDIT.md prints, run: it finds what ours finds.

    documented.py SOURCE-ROOT MAKE-TRAIL
"""
import glob
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

count = 0


def check(done, name):
    global count
    count += 1
    print(f"{'ok' if done else 'not ok'} {count} - {name}")


def documented(root):
    with open(f"{root}/docs/AUDIT.md") as page:
        blocks = re.findall(r"^```python\n(.*?)^```", page.read(), re.MULTILINE | re.DOTALL)
    return next(block for block in blocks if "check_seal" in block)


def rechained(lines, start):
    """The lines with all hashes after `start` made anew."""
    for at in range(start, len(lines)):
        prev = hashlib.sha256(lines[at - 1]).hexdigest()
        head = re.sub(rb',"prev":"[0-9a-f]{64}","sum":.*', f',"prev":"{prev}"'.encode(), lines[at])
        lines[at] = head + f',"sum":"{hashlib.sha256(head).hexdigest()[:16]}"}}'.encode()
    return lines


def main(root, make_trail):
    with tempfile.TemporaryDirectory(prefix="stk-audit-") as place:
        script, key = f"{place}/verify.py", f"{place}/key.pem"
        with open(script, "w") as file:
            file.write(documented(root))
        subprocess.run([make_trail, place], check=True)
        files = sorted(glob.glob(f"{place}/audit.jsonl.0*")) + [f"{place}/audit.jsonl"]

        def verify(key, *paths):
            done = subprocess.run([sys.executable, script, key, *paths], text=True,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            print(f"# {done.stdout.strip()}")
            return done.returncode == 0

        def verify_with(number, data):
            changed = f"{place}/changed"
            with open(changed, "wb") as file:
                file.write(data)
            return verify(key, *[changed if i == number else path for i, path in enumerate(files)])

        data = [open(path, "rb").read() for path in files]
        lines = data[1].splitlines()
        check(len(files) == 3 and verify(key, *files), "a good trail is good")
        check(verify(key, *files[1:]), "the last files are good without the first")
        check(not verify(key, files[0], files[2]), "a missing file is found")
        check(not verify(key, files[1], files[0]), "a wrong order is found")
        check(not verify_with(1, data[1][:300] + b"9" + data[1][301:]), "a changed byte is found")
        check(not verify_with(1, b"\n".join(lines[:3] + lines[4:]) + b"\n"), "a gap is found")
        changed = [line.replace(b"12155550131", b"12155550139") if i == 4 else line
                   for i, line in enumerate(lines)]
        check(not verify_with(1, b"\n".join(rechained(changed, 4)) + b"\n"),
              "a changed record with all hashes made anew is found by the seal")
        seal = next(i for i, line in enumerate(lines) if json.loads(line)["act"] == "seal")
        changed = list(lines)
        changed[seal] = re.sub(rb'"root":"....', b'"root":"0000', changed[seal])
        check(not verify_with(1, b"\n".join(rechained(changed, seal)) + b"\n"),
              "a changed seal is found")
        other = f"{place}/other"
        os.mkdir(other)
        subprocess.run([make_trail, other], check=True)
        check(not verify(f"{other}/key.pem", *files), "another key is found")
    print(f"1..{count}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
