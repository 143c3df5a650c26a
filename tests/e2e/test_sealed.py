# SPDX-License-Identifier: BSD-2-Clause
"""A key that was sealed on another machine, and certificates judged without importing them."""
import os
import subprocess

import passports
from stirkeep import Service
from tap import case, contains, equal, run


def seal(service, leaf, out, to="wrapping.pem"):
    """As on a machine that has no service: nothing of it is reachable."""
    done = subprocess.run([f"{service.libexec}/stirkeep", "seal", "--to", f"{service.base}/{to}",
                           "--key", f"{service.lab}/{leaf}.key", "--out", out],
                          env={"PATH": "/usr/bin:/bin"}, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True)
    return done


def fetch_wrapping_key(service, path):
    with open(path, "w") as file:
        file.write(service.cli("show", "--wrapping-key").stdout)


def import_sealed(service, name, leaf, sealed):
    return service.cli("import", name, "--cert", f"{service.lab}/{leaf}-chain.pem", "--sealed",
                       sealed, check=False)


@case
def a_key_sealed_elsewhere_signs_and_was_never_here_in_the_clear(service):
    sealed = f"{service.base}/alpha.sealed"
    with open(f"{service.lab}/leaf.key", "rb") as file:
        before = file.read()
    equal(seal(service, "leaf", sealed).returncode, 0, "seal")
    with open(f"{service.lab}/leaf.key", "rb") as file:
        equal(file.read(), before, "the key file stays")
    os.remove(f"{service.lab}/leaf.key")
    done = import_sealed(service, "Alpha", "leaf", sealed)
    equal(done.returncode, 0, done.stderr)
    contains(done.stdout, "only this token can open it", "answer")
    equal(os.path.exists(sealed), True, "the sealed file stays")
    assert passports.verifies(service.sign().stdout,
                              passports.public_key(f"{service.lab}/leaf.pem"))
    again = import_sealed(service, "Alpha", "leaf", sealed)
    equal(again.returncode, 0, again.stderr)
    contains(again.stdout, "held already", "answer")


@case
def a_sealed_file_is_not_written_over(service):
    taken = f"{service.base}/taken"
    with open(taken, "w") as file:
        file.write("mine")
    done = seal(service, "beta", taken)
    equal(done.returncode, 1, done.stdout)
    equal(open(taken).read(), "mine", "the file")


@case
def what_is_sealed_to_another_token_is_told(service):
    with Service() as other:
        other.start()
        fetch_wrapping_key(other, f"{service.base}/other.pem")
    sealed = f"{service.base}/other.sealed"
    equal(seal(service, "beta", sealed, "other.pem").returncode, 0, "seal")
    done = import_sealed(service, "Beta", "beta", sealed)
    equal(done.returncode, 1, done.stdout)
    contains(done.stderr, "another token", "stderr")


@case
def a_sealed_key_of_another_certificate_is_refused(service):
    sealed = f"{service.base}/beta.sealed"
    equal(seal(service, "beta", sealed).returncode, 0, "seal")
    done = import_sealed(service, "Gamma", "gamma", sealed)
    equal(done.returncode, 1, done.stdout)
    contains(done.stderr, "do not belong together", "stderr")


@case
def one_that_lies_about_its_key_or_was_tampered_with_is_refused_by_the_token(service):
    with open(f"{service.base}/beta.sealed") as file:
        text = file.read()
    own = f"{service.base}/gamma.sealed"
    equal(seal(service, "gamma", own).returncode, 0, "seal")
    with open(own) as file:
        key_id = [line for line in file if line.startswith("Key-Id")][0]
    lines = text.splitlines(keepends=True)
    lie = "".join(key_id if line.startswith("Key-Id") else line for line in lines)
    flipped = list(text)
    at = text.index("\n\n") + 700
    flipped[at] = "A" if flipped[at] != "A" else "B"
    for name, leaf, content in (("Gamma", "gamma", lie), ("Beta", "beta", "".join(flipped))):
        path = f"{service.base}/bad.sealed"
        with open(path, "w") as file:
            file.write(content)
        done = import_sealed(service, name, leaf, path)
        equal(done.returncode, 1, done.stdout)
        equal(done.stderr.count("\n"), 1, done.stderr)
        equal(service.cli("show", name, check=False).returncode, 1, "nothing was imported")
    for content in ("", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                    text.replace("Key-Id", "Other"), text[:200]):
        with open(path, "w") as file:
            file.write(content)
        equal(import_sealed(service, "Beta", "beta", path).returncode, 1, content)


@case
def lint_judges_without_a_service(service):
    environment = {"PATH": "/usr/bin:/bin"}

    def lint(*arguments):
        return subprocess.run([f"{service.libexec}/stirkeep", "lint", *arguments], env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    good = lint(f"{service.lab}/beta-chain.pem")
    equal(good.returncode, 0, good.stderr)
    equal(good.stdout, "no findings\n", "stdout")
    alone = lint(f"{service.lab}/beta.pem")
    equal(alone.returncode, 0, alone.stderr)
    contains(alone.stdout, "warning CHAIN-ALONE", "stdout")
    root = lint(f"{service.lab}/root.pem", "--json")
    equal(root.returncode, 1, root.stdout)
    contains(root.stdout, "SELF-SIGNED", "stdout")
    equal(lint(f"{service.lab}/root.pem", "--profile", "test").returncode, 0, "test profile")
    equal(lint(f"{service.lab}/root.pem", "--profile", "lax").returncode, 2, "usage")
    both = f"{service.base}/both.pem"
    with open(both, "w") as out:
        out.write(open(f"{service.lab}/beta-chain.pem").read())
        out.write(open(f"{service.lab}/beta.key").read())
    published = lint(both)
    equal(published.returncode, 1, published.stdout)
    contains(published.stderr, "private key", "stderr")


if __name__ == "__main__":
    with Service() as the_service:
        the_service.make_chain("709J", "beta", "gamma")
        the_service.start()
        fetch_wrapping_key(the_service, f"{the_service.base}/wrapping.pem")
        run(service=the_service)
