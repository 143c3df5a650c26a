# SPDX-License-Identifier: BSD-2-Clause
"""Builds the package with the descriptor of the published proto in it, made by protoc."""
import pathlib
import shutil
import subprocess

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = pathlib.Path(__file__).resolve().parent
PROTO = "stirkeep/v1/sign.proto"


def proto_root():
    """In the source tree of stirkeep, or in a source archive of the package alone."""
    for root in (HERE / "proto", HERE / "../../../proto"):
        if (root / PROTO).is_file():
            return root
    raise SystemExit(f"setup.py: {PROTO} is neither in {HERE / 'proto'} nor in stirkeep's sources")


class BuildWithDescriptor(build_py):
    def run(self):
        super().run()
        if shutil.which("protoc") is None:
            raise SystemExit("setup.py: protoc is missing (package protobuf-compiler)")
        out = pathlib.Path(self.build_lib) / "stirkeep"
        out.mkdir(parents=True, exist_ok=True)
        subprocess.run(["protoc", f"--proto_path={proto_root()}",
                        f"--descriptor_set_out={out / 'sign.binpb'}", PROTO], check=True)


class ArchiveWithProto(sdist):
    def make_release_tree(self, base_dir, files):
        super().make_release_tree(base_dir, files)
        target = pathlib.Path(base_dir) / "proto" / PROTO
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(proto_root() / PROTO, target)


setup(cmdclass={"build_py": BuildWithDescriptor, "sdist": ArchiveWithProto})
