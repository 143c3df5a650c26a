#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What programs that are linked with libstirkeep rely on is what it was: exported symbols, prototypes, the
layout of the public structures, the numbers of the enumerations and constants, all as libstirkeep.abi has them; the
same layout in C++; every public header by itself in strict C and C++; every function in libstirkeep(3).

    abi.py LIBSTIRKEEP.SO [--write]

What is removed or changed breaks programs: that takes a new soname. What is added is written down with
--write, and committed with the change.
"""
import os
import re
import subprocess
import sys
import tempfile

from symbols import SOURCE, exported

DUMP = f"{SOURCE}/tests/check/libstirkeep.abi"
HEADERS = sorted(os.listdir(f"{SOURCE}/include/stirkeep"))
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic", f"-I{SOURCE}/include"]
LANGUAGES = {"C11": ["cc", "-std=c11", "-x", "c"], "C++11": ["g++", "-std=c++11", "-x", "c++"],
             "C++17": ["g++", "-std=c++17", "-x", "c++"]}


def text_of(header):
    with open(f"{SOURCE}/include/stirkeep/{header}") as file:
        return re.sub(r"/\*.*?\*/", "", file.read(), flags=re.DOTALL)


def members(body):
    """(name, declaration) of a structure's members: one each, none a pointer to a function."""
    for declaration in body.split(";"):
        declaration = " ".join(declaration.split())
        name = re.search(r"(\w+)$", declaration)
        if name:
            yield name[1], declaration


def prototypes():
    for header in HEADERS:
        for text in re.findall(r"^STIRKEEP_API\s([^;]*);", text_of(header), re.MULTILINE):
            text = " ".join(text.split())
            name = re.search(r"(\w+)\(", text)[1]
            yield f"prototype {name}: {text}"


def questions():
    """(what it is called in the dump, C expressions of its numbers, a text beside them)."""
    for header in HEADERS:
        text = text_of(header)
        for name, body in re.findall(r"^struct (\w+) \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL):
            yield f"sizeof struct {name}", [f"sizeof(struct {name})"], ""
            for member, declaration in members(body):
                yield (f"member {name}.{member}",
                       [f"offsetof(struct {name}, {member})",
                        f"sizeof(((struct {name} *)0)->{member})"], " " + declaration)
        for name, body in re.findall(r"^enum (\w+) \{\n(.*?)^\};", text, re.MULTILINE | re.DOTALL):
            yield f"sizeof enum {name}", [f"sizeof(enum {name})"], ""
            for item in re.findall(r"^\s*(\w+)", body, re.MULTILINE):
                # The count grows with each one that is added.
                if not item.endswith("_COUNT"):
                    yield f"value {item}", [item], ""
        for name, value in re.findall(r"^#define (STIRKEEP_\w+) (\d+)$", text, re.MULTILINE):
            yield f"value {name}", [name], ""


def compile_text(text, language, directory, *more):
    source = f"{directory}/source"
    with open(source, "w") as file:
        file.write(text)
    return subprocess.run([*LANGUAGES[language], *STRICT, source, *more], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, env={**os.environ, "LC_ALL": "C"})


def layout(language, directory):
    """The dump's lines about layout."""
    asked = list(questions())
    lines = [f'    printf("%s:' + " %ld" * len(numbers) + f'{text}\\n", "{name}", ' +
             ", ".join(f"(long)({number})" for number in numbers) + ");"
             for name, numbers, text in asked]
    text = "#include <stddef.h>\n#include <stdio.h>\n" + \
        "".join(f"#include <stirkeep/{header}>\n" for header in HEADERS) + \
        "int main(void)\n{\n" + "\n".join(lines) + "\n    return 0;\n}\n"
    program = f"{directory}/layout"
    done = compile_text(text, language, directory, "-o", program)
    if done.returncode != 0:
        raise RuntimeError(done.stdout)
    return subprocess.run([program], check=True, stdout=subprocess.PIPE, text=True).stdout.splitlines()


def difference(got, wanted):
    """Lines for people; `got` and `wanted` are lists of "name: what it is"."""
    def table(lines):
        return dict(line.split(": ", 1) for line in lines)
    got, wanted = table(got), table(wanted)
    for name, value in wanted.items():
        if name not in got:
            yield f"{name} is gone: programs that use it break"
        elif got[name] != value:
            yield f"{name} was '{value}' and is '{got[name]}': programs that use it break"
    for name in got:
        if name not in wanted:
            yield f"{name} is new: abi.py --write notes it down"


def in_page():
    with open(f"{SOURCE}/docs/man/libstirkeep.3") as file:
        synopsis = re.search(r"^\.SH SYNOPSIS\n(.*?)^\.SH ", file.read(), re.MULTILINE | re.DOTALL)[1]
    return set(re.findall(r"\b(stirkeep_\w+)\(", synopsis))


def in_headers():
    return {name for header in HEADERS for name in
            re.findall(r"^STIRKEEP_API\s[^;(]*?(\w+)\s*\(", text_of(header), re.MULTILINE)}


def header_problems(directory):
    for language in LANGUAGES:
        for header in HEADERS:
            # Twice: it has to be its own guard, too.
            text = f"#include <stirkeep/{header}>\n" * 2 + "int main(void) { return 0; }\n"
            done = compile_text(text, language, directory, "-fsyntax-only")
            if done.returncode != 0:
                yield f"{header} as {language}: {done.stdout}"


def main():
    library = sys.argv[1]
    with tempfile.TemporaryDirectory() as directory:
        lines = layout("C11", directory)
        checks = {"every public header compiles by itself in strict C and C++":
                  list(header_problems(directory)),
                  "C++ sees the same layout": list(difference(layout("C++17", directory), lines))}
    symbols = [f"symbol {name}: {version}" for name, version in sorted(exported(library).items())]
    dump = symbols + list(prototypes()) + lines
    if "--write" in sys.argv[2:]:
        with open(DUMP, "w") as file:
            file.write("# The binary interface of libstirkeep on 64-bit Linux; written by tests/check/abi.py\n" +
                       "\n".join(dump) + "\n")
    with open(DUMP) as file:
        wanted = [line for line in file.read().splitlines() if not line.startswith("#")]
    is_lp64 = sys.maxsize > 2**32
    checks["symbols, layout and numbers are those that programs were built with"] = list(
        difference(dump, wanted) if is_lp64 else
        difference(symbols, [line for line in wanted if line.startswith("symbol ")]))
    checks["libstirkeep(3) has every function"] = [
        f"{name}: in the {'page' if name in in_page() else 'headers'} alone"
        for name in sorted(in_page() ^ in_headers())]
    print(f"TAP version 13\n1..{len(checks)}")
    for number, (name, problems) in enumerate(checks.items(), 1):
        for problem in problems:
            print("\n".join(f"# {line}" for line in problem.splitlines()))
        print(f"{'not ok' if problems else 'ok'} {number} - {name}")
    return 1 if any(checks.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
