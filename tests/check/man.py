#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Do the manual pages say what the programs' --help and the example of a configuration say, no less
and no more?

    man.py SOURCE-ROOT STIRKEEP [STIRKEEPD]

Fails when a verb, an option, or an option's value is in one and not in the other; or a section of the
configuration, a key, or its default. (A unit test holds the example against the program.)
"""
import re
import subprocess
import sys

OPTION = re.compile(r"--[a-z][a-z0-9-]*")
problems = []


def plain(text):
    """A line of man(7) without fonts and escapes."""
    text = re.sub(r"\\f[BIRP]", "", text).replace("\\-", "-").replace("\\(aq", "'")
    return text.replace('"', "").strip()


def help_of(program, *words):
    done = subprocess.run([program, *words, "--help"], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=20)
    if done.returncode != 0 or done.stderr:
        problems.append(f"{' '.join((program, *words))} --help: exit {done.returncode} {done.stderr}")
    return done.stdout


def options_of(text):
    """Option -> the name of its value ("" when it takes none), from a text of --help."""
    found = {}
    for line in text.splitlines():
        item = re.match(r"  (?:  |-[a-z], )?\s*(--[a-z0-9-]+)(?: ([A-Za-z|=:]+))?(?:  |$)", line)
        if item:
            found[item[1]] = item[2] or ""
    return found


def sections(page):
    """(macro, heading, lines) of every .SH and .SS."""
    found = [("", "", [])]
    for line in page.splitlines():
        if line.startswith((".SH ", ".SS ")):
            found.append((line[1:3], plain(line[4:]), []))
        else:
            found[-1][2].append(line)
    return found


def items(lines):
    """Option -> the name of its value, of the .TP items."""
    found = {}
    for before, line in zip(lines, lines[1:]):
        if before.startswith(".TP"):
            words = plain(re.sub(r"^\.[BIR]+ ", "", line)).replace(",", " ").split()
            options = [word for word in words if word.startswith("--")]
            if options:
                value = words[words.index(options[0]) + 1:]
                found[options[0]] = value[0] if value and not value[0].startswith("-") else ""
    return found


def also(lines):
    return {option for line in lines if line.startswith("Also ") for option in OPTION.findall(plain(line))}


def compare(what, page, program):
    for thing in sorted(set(program) - set(page)):
        problems.append(f"{what}: {thing} is in --help and not in the page")
    for thing in sorted(set(page) - set(program)):
        problems.append(f"{what}: {thing} is in the page and not in --help")
    for thing in sorted(set(page) & set(program)):
        if page[thing] != program[thing]:
            problems.append(f"{what}: {thing}: the page calls its value '{page[thing]}', --help "
                            f"'{program[thing]}'")


def verb_of(heading):
    """"audit verify FILE" -> "audit verify"."""
    words = []
    for word in heading.split():
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        words.append(word)
    return " ".join(words)


def check_command(page, program):
    parts = sections(page)
    said = help_of(program)
    verbs = re.findall(r"^  ([a-z]+(?: [a-z-]+)?) +[A-Z]", said, re.MULTILINE)
    common = next((items(lines) for macro, name, lines in parts if name == "COMMON OPTIONS"), {})
    described = {verb_of(name): (name, lines) for macro, name, lines in parts if macro == "SS"}
    if not verbs:
        problems.append("no verb was found in --help")
    compare("verbs", dict.fromkeys(described, ""), dict.fromkeys(verbs, ""))
    used = {"--version"}
    for verb in set(verbs) & set(described):
        heading, lines = described[verb]
        text = help_of(program, *verb.split())
        usage = text.splitlines()[0] if text else ""
        taken = items(lines)
        for option in also(lines):
            used.add(option)
            if option not in common:
                problems.append(f"{verb}: {option} is not among the common options")
            taken[option] = common.get(option, "")
        compare(verb, taken, options_of(text))
        # What stands before the first option is the same in both.
        positional = usage.removeprefix(f"usage: stirkeep {verb}").split(" --")[0].split(" [--")[0]
        if plain(heading).removeprefix(verb).split(" --")[0].split(" [--")[0].strip() != \
                positional.strip():
            problems.append(f"{verb}: the page's heading is '{heading}', the usage '{usage}'")
    for option in sorted(set(common) - used):
        problems.append(f"common options: no verb takes {option}")
    if help_of(program, "-h").count("usage:") != 1:
        problems.append("-h prints no usage")
    for number in ("0", "1", "2"):
        lines = next((lines for macro, name, lines in parts if name == "EXIT STATUS"), [])
        if f".B {number}" not in lines:
            problems.append(f"exit status {number} is not in the page")


def check_daemon(page, program):
    lines = next((lines for macro, name, lines in sections(page) if name == "OPTIONS"), [])
    compare("stirkeepd", items(lines), options_of(help_of(program)))


def default_in(text):
    """"... Default: VALUE" -> VALUE, "Required." -> "required"; None when it says neither."""
    text = " ".join(text.split())
    if text.endswith("Required.") or " Required when " in text:
        return "required"
    said = re.search(r"Default: (\S+)$", text)
    return said[1] if said else None


def keys_in_page(lines):
    """Key -> its default, of the .TP items of a section."""
    found, key, text = {}, None, []
    for before, line in zip([""] + lines, lines + [".TP"]):
        if line.startswith((".TP", ".PP")):
            if key:
                found[key] = default_in(" ".join(text))
            key, text = None, []
        elif before.startswith(".TP"):
            key = plain(re.sub(r"^\.[BIR]+ ", "", line)).split()[0]
        else:
            text.append(plain(re.sub(r"^\.[BIR]+ ", "", line)))
    return found


def sections_of_example(text):
    """Section -> {key: its default}; "empty" for "", None where the example has a value that is none."""
    found = {}
    for line in text.splitlines():
        section = re.match(r"#?\[([a-z-]+)(?: [^]]+)?\]$", line)
        if section:
            found[section[1]] = keys = {}
            # What stands in a section that is commented out are examples, but for what is empty.
            shown = line.startswith("#")
            continue
        key = re.match(r"(#?)([A-Za-z][A-Za-z0-9_-]*) =(?: (.*))?$", line)
        if key:
            value = key[3] or "empty"
            keys[key[2]] = value if key[1] and (value == "empty" or not shown) else None
    return found


def check_configuration(page, example):
    described = {}
    for macro, name, lines in sections(page):
        section = re.match(r"\[([a-z-]+)(?: [A-Z]+)?\]$", plain(name))
        if macro == "SS" and section:
            described[section[1]] = keys_in_page(lines)
    wanted = sections_of_example(example)
    if not wanted:
        problems.append("no section was found in the example of a configuration")
    for what, one, other in (("example", wanted, described), ("page", described, wanted)):
        where = "the page" if what == "example" else "the example"
        for section in one:
            if section not in other:
                problems.append(f"[{section}] is in the {what} and not in {where}")
            for key in set(one[section]) - set(other.get(section, ())):
                problems.append(f"[{section}] {key} is in the {what} and not in {where}")
    for section in set(wanted) & set(described):
        for key in set(wanted[section]) & set(described[section]):
            default, said = wanted[section][key], described[section][key]
            # The rooms' users, a grant's who and the module's environment have no default to tell.
            if said is None and (default in (None, "empty") or section == "token-environment"):
                continue
            if said != default and not (said == "required" and default is None):
                problems.append(f"[{section}] {key}: the page says '{said}', the example '{default}'")


def main():
    root, command = sys.argv[1:3]
    with open(f"{root}/docs/man/stirkeep.1") as file:
        check_command(file.read(), command)
    if len(sys.argv) > 3:
        with open(f"{root}/docs/man/stirkeepd.8") as file:
            check_daemon(file.read(), sys.argv[3])
    with open(f"{root}/docs/man/stirkeep.conf.5") as page, \
            open(f"{root}/docs/stirkeep.conf.example") as example:
        check_configuration(page.read(), example.read())
    print("TAP version 13\n1..1")
    for problem in problems:
        print(f"# {problem}")
    print(("not ok" if problems else "ok") + " 1 - the manual pages say what --help and the example say")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
