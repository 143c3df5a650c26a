#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What shells complete is what the command takes: asked of a real bash and a real zsh.

    completions.py STIRKEEP
"""
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import tempfile
import time

NAMES = ["Alpha", "Beta-1", "lab"]
SERVICE = """#!/bin/sh
# Stands in for the command when names are asked for.
case "$*" in
'list --mine') printf 'NAME  GEN\\n'; printf '%s   1\\n' {names}; printf '$(touch bad)  1\\n' ;;
*) exit 1 ;;
esac
"""
HANGING = "#!/bin/sh\nexec sleep 20\n"


def words(program, *arguments):
    return subprocess.run([program, *arguments], check=True, stdout=subprocess.PIPE,
                          text=True).stdout


def verbs(program):
    return re.findall(r"^  ([a-z]+(?: [a-z-]+)?) +[A-Z]", words(program, "--help"), re.MULTILINE)


def options(program, verb):
    text = words(program, *verb.split(), "--help")
    return re.findall(r"^ +(--[a-z0-9-]+)", text, re.MULTILINE)


class Place:
    """A directory with files to complete, the scripts, and a command that answers for names."""

    def __init__(self, program, command):
        self.base = tempfile.mkdtemp(prefix="completions-")
        self.program = program
        os.makedirs(f"{self.base}/bin")
        os.makedirs(f"{self.base}/work/directory with spaces")
        open(f"{self.base}/work/cert.pem", "w").close()
        with open(f"{self.base}/bin/stirkeep", "w") as file:
            file.write(command)
        os.chmod(f"{self.base}/bin/stirkeep", 0o755)
        for shell, name in (("bash", "stirkeep.bash"), ("zsh", "_stirkeep")):
            with open(f"{self.base}/{name}", "w") as file:
                file.write(words(program, "completion", shell))
        self.environment = {"PATH": f"{self.base}/bin:/usr/bin:/bin", "LANG": "C", "TERM": "dumb",
                            "HOME": self.base}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.base)

    def bash(self, *line):
        """What bash offers for the last word of a line."""
        script = ('source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _stirkeep stirkeep '
                  '"${COMP_WORDS[COMP_CWORD]}"; printf "%s\\n" "${COMPREPLY[@]}"')
        done = subprocess.run(["bash", "--norc", "--noprofile", "-uc", script, "bash",
                               f"{self.base}/stirkeep.bash", *line], cwd=f"{self.base}/work",
                              env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              text=True, timeout=20)
        assert done.returncode == 0 and done.stderr == "", f"{line}: {done.stderr}"
        return [word for word in done.stdout.split("\n") if word]

    def zsh(self, typed, wanted):
        """Type it to an interactive zsh, with a tab at its end; what it shows has to have `wanted`."""
        child, terminal = pty.fork()
        if child == 0:
            os.chdir(f"{self.base}/work")
            os.execve("/usr/bin/zsh", ["zsh", "-f", "-i"], self.environment)
        try:
            setup = (f"PS1='> '; unsetopt zle_bracketed_paste; fpath=({self.base} $fpath); "
                     "autoload -Uz compinit; compinit -u -D; echo set up\n")
            os.write(terminal, setup.encode())
            self.read_until(terminal, "\nset up")
            os.write(terminal, typed.encode() + b"\t")
            self.read_until(terminal, wanted)
        finally:
            os.close(terminal)
            os.kill(child, 9)
            os.waitpid(child, 0)

    @staticmethod
    def read_until(terminal, wanted, limit=15):
        said, end = "", time.monotonic() + limit
        while wanted not in said.replace("\r", ""):
            if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
                raise AssertionError(f"{wanted!r} is not in {said!r}")
            said += os.read(terminal, 4096).decode(errors="replace")


def equal(what, got, wanted):
    assert sorted(got) == sorted(wanted), f"{what}: {sorted(got)}, wanted {sorted(wanted)}"


def bash_offers_every_verb_and_option(place):
    known = verbs(place.program)
    assert len(known) > 15, known
    equal("verbs", place.bash("stirkeep", ""),
          {verb.split()[0] for verb in known} | {"--help", "--version"})
    for verb in known:
        if " " in verb:
            first = verb.split()[0]
            equal(first, place.bash("stirkeep", first, ""),
                  [one.split()[1] for one in known if one.startswith(first + " ")])
        equal(verb, place.bash("stirkeep", *verb.split(), "--"), options(place.program, verb))


def bash_completes_what_was_begun(place):
    equal("s", place.bash("stirkeep", "s"), ["seal", "show", "sign", "status"])
    equal("--at", place.bash("stirkeep", "sign", "Alpha", "--at"), ["--attest"])
    equal("no verb", place.bash("stirkeep", "nonsense", ""), [])


def bash_offers_values_where_they_stand(place):
    equal("--attest", place.bash("stirkeep", "sign", "Alpha", "--attest", ""), ["A", "B", "C"])
    equal("--attest=", place.bash("stirkeep", "sign", "Alpha", "--attest", "=", ""), ["A", "B", "C"])
    equal("--attest =", place.bash("stirkeep", "sign", "Alpha", "--attest", "="), ["A", "B", "C"])
    equal("--profile", place.bash("stirkeep", "lint", "--profile", "s"), ["strict"])
    equal("--cert", place.bash("stirkeep", "import", "X", "--cert", "ce"), ["cert.pem"])
    equal("--directory", place.bash("stirkeep", "lab", "--directory", "d"),
          ["directory with spaces"])
    equal("--orig", place.bash("stirkeep", "sign", "Alpha", "--orig", ""), [])
    equal("SHELL", place.bash("stirkeep", "completion", ""), ["bash", "zsh"])
    equal("audit FILE", place.bash("stirkeep", "audit", "verify", "c"), ["cert.pem"])
    equal("audit FILE...", place.bash("stirkeep", "audit", "verify", "x", "c"), ["cert.pem"])
    equal("audit PROOF", place.bash("stirkeep", "audit", "check-proof", "c"), ["cert.pem"])


def bash_offers_names_of_certificates(place):
    for verb in ("sign", "show", "import", "rollback", "bench"):
        equal(verb, place.bash("stirkeep", verb, ""), NAMES)
    equal("B", place.bash("stirkeep", "sign", "B"), ["Beta-1"])
    assert not os.path.exists(f"{place.base}/work/bad"), "a name was taken for a command"


def bash_offers_commands_to_a_lab(place):
    assert "stirkeep" in place.bash("stirkeep", "lab", "--name", "A", "--", "stirk")
    equal("their files", place.bash("stirkeep", "lab", "--", "cat", "ce"), ["cert.pem"])


def a_service_that_does_not_answer_is_not_waited_for(place):
    with Place(place.program, HANGING) as hanging:
        began = time.monotonic()
        equal("names", hanging.bash("stirkeep", "sign", ""), [])
        assert time.monotonic() - began < 5, "it was waited for"


def both_scripts_are_what_their_shells_can_read(place):
    for shell, name in (("bash", "stirkeep.bash"), ("zsh", "_stirkeep")):
        done = subprocess.run([shell, "-n", f"{place.base}/{name}"], stderr=subprocess.PIPE, text=True)
        assert done.returncode == 0 and not done.stderr, f"{shell}: {done.stderr}"


def zsh_has_every_verb_and_option(place):
    with open(f"{place.base}/_stirkeep") as file:
        text = file.read()
    for verb in verbs(place.program):
        part = re.search(rf"^    '{verb}'\)\n(.*?) ;;$", text, re.MULTILINE | re.DOTALL)
        assert part, f"{verb} is missing"
        equal(verb, re.findall(r"'\*?(--[a-z0-9-]+)=?\[", part[1]), options(place.program, verb))


def zsh_completes(place):
    place.zsh("stirkeep stat", "stirkeep status ")
    place.zsh("stirkeep sign Alpha --att", "--attest")
    place.zsh("stirkeep policy exp", "policy explain ")
    place.zsh("stirkeep policy check --j", "--json ")
    place.zsh("stirkeep lint --profile stri", "--profile strict ")
    place.zsh("stirkeep import X --cert ce", "--cert cert.pem ")
    place.zsh("stirkeep sign Be", "sign Beta-1 ")
    place.zsh("stirkeep audit check-p", "audit check-proof ")
    place.zsh("stirkeep audit check-proof ce", "check-proof cert.pem ")
    place.zsh("stirkeep audit verify cert.pem ce", "verify cert.pem cert.pem ")


def main():
    cases = [value for value in globals().values()
             if callable(value) and getattr(value, "__code__", None) is not None
             and value.__code__.co_varnames[:1] == ("place",) and value.__code__.co_argcount == 1]
    failed = 0
    print(f"TAP version 13\n1..{len(cases)}")
    with Place(sys.argv[1], SERVICE.format(names=" ".join(NAMES))) as place:
        for number, function in enumerate(cases, 1):
            try:
                function(place)
                good = True
            except (AssertionError, subprocess.SubprocessError, OSError) as why:
                print("\n".join(f"# {line}" for line in str(why).splitlines()))
                good = False
                failed += 1
            print(f"{'ok' if good else 'not ok'} {number} - {function.__name__.replace('_', ' ')}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
