# SPDX-License-Identifier: BSD-2-Clause
"""What the pages show works: the programs of libstirkeep(3), compiled as C and as C++, and the shell of
docs/CI.md, each against a service of its own."""
import os
import re
import shutil
import subprocess
import tempfile

from built import BUILD
from labs import Installation
from stirkeep import SOURCE
from tap import case, contains, equal, note, run

CI_BLOCKS = 5
STRICT = ["-Wall", "-Wextra", "-Werror", "-pedantic"]
COMPILERS = {"C11": ["cc", "-std=c11", "-D_POSIX_C_SOURCE=200809L"],
             "C++17": ["g++", "-std=c++17", "-x", "c++"]}


def plain(line):
    """Text of a man page between .EX and .EE as a reader sees it."""
    return line.replace("\\-", "-").replace("\\e", "\\")


def programs():
    """{file name: text} of the page's examples."""
    with open(f"{SOURCE}/docs/man/libstirkeep.3") as page:
        found = re.findall(r"^\.SS (\w+\.c)\n.*?^\.EX\n(.*?)^\.EE", page.read(),
                           re.MULTILINE | re.DOTALL)
    return {name: plain(text) for name, text in found}


def shell_blocks():
    with open(f"{SOURCE}/docs/CI.md") as page:
        return re.findall(r"^```sh\n(.*?)^```", page.read(), re.MULTILINE | re.DOTALL)


class Workshop(Installation):
    """Also has a directory where everybody may compile, and the library."""

    def __init__(self):
        super().__init__()
        self.library = f"{self.base}/lib"
        os.mkdir(self.library)
        for name in ("libstirkeep.so", "libstirkeep.so.0"):
            shutil.copy(f"{BUILD}/src/client/libstirkeep.so.0", f"{self.library}/{name}")

    def compile(self, name, text, language):
        source, program = f"{self.base}/{name}", f"{self.base}/{name}-{language}"
        with open(source, "w") as file:
            file.write(text)
        instrumented = ["-fsanitize=address,undefined"] if "ASAN_OPTIONS" in os.environ else []
        done = subprocess.run(
            [*COMPILERS[language], *STRICT, *instrumented, f"-I{SOURCE}/include", source, "-o",
             program, "-x", "none", f"-L{self.library}", "-lstirkeep",
             f"-Wl,-rpath,{self.library}"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        equal(done.returncode, 0, f"{name} as {language}: {done.stdout}")
        return program


def try_example(place, name, wanted):
    text = programs()[name]
    for language in COMPILERS:
        program = place.compile(name, text, language)
        done = place.run("--name", "Alpha", "--", program, "Alpha")
        equal(done.returncode, 0, f"{name} as {language}: {done.stderr}")
        contains(done.stdout, wanted, f"{name} as {language}")
        done = place.run("--name", "Alpha", "--", program, "Beta")
        equal(done.returncode, 1, f"{name} as {language} with an unknown name")
        contains(done.stderr, "Beta", f"{name} as {language} with an unknown name")


@case
def the_page_of_the_library_has_both_examples(place):
    equal(sorted(programs()), ["blocking.c", "pipelined.c"], "examples")


@case
def the_blocking_example_compiles_and_runs_as_c_and_cpp(place):
    try_example(place, "blocking.c", ";alg=ES256;ppt=shaken")


@case
def the_pipelined_example_compiles_and_runs_as_c_and_cpp(place):
    try_example(place, "pipelined.c", "1000 of 1000 signed")


@case
def without_a_service_both_say_so(place):
    for name, text in programs().items():
        program = place.compile(name, text, "C11")
        done = subprocess.run([program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=20, **place.settings(STIRKEEP_SIGN_SOCKET="/nowhere"))
        equal(done.returncode, 1, name)
        contains(done.stderr, "/nowhere", name)


@case
def every_shell_block_of_the_ci_page_runs_as_it_stands(place):
    blocks = shell_blocks()
    equal(len(blocks), CI_BLOCKS, "blocks")
    for number, block in enumerate(blocks, 1):
        directory = tempfile.mkdtemp(dir=place.tmp)
        os.chmod(directory, 0o777)
        # In a working directory of its own; the lab's are in place.tmp.
        done = subprocess.run(["sh", "-euc", block], stdin=subprocess.DEVNULL, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              **{**place.settings(), "cwd": directory})
        note(f"block {number}: {block.splitlines()[0]}")
        equal(done.returncode, 0, f"block {number}: {done.stdout}{done.stderr}")
        shutil.rmtree(directory)
    place.nothing_is_left()


if __name__ == "__main__":
    workshop = Workshop()
    try:
        run(place=workshop)
    finally:
        workshop.remove()
