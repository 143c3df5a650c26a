# SPDX-License-Identifier: BSD-2-Clause
"""A disk of a test's own: a file system in a file, which can be filled up and can lose its power."""
import ctypes
import errno
import fcntl
import os
import shutil
import struct
import subprocess
import tempfile
import time

from stirkeep import ROOT
from tap import Skip

SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, _IOR('X', 125, __u32), since Linux 4.11
LOG_FLUSHED, LOG_LOST = 1, 2  # the journal's running transaction reaches the disk, or not
PAGE = 4096
WRITE_NOW = 1 | 2 | 4  # sync_file_range: WAIT_BEFORE, WRITE, WAIT_AFTER

# name -> mkfs options, mount options, whether it needs e2fsck after a cut. `commit`: no metadata by
# the clock. `noauto_da_alloc`: no help for those who rename without a sync. Without a journal a sync
# takes nothing along but the file and the directories on its way.
KINDS = {"journal": ([], "commit=3600,noauto_da_alloc", False),
         "no-journal": (["-O", "^has_journal"], "noauto_da_alloc", True)}

LIBC = ctypes.CDLL(None, use_errno=True)
LIBC.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


class DoublyClaimed(Exception):
    """The file system gave one block to two files, and e2fsck had to part them. Without a journal a
    freed block may be given away before the disk knows that it was freed; then what both had
    synced is not to be had, and no program can do anything about it."""


class Disk:
    """An ext4 file system, mounted. A cut: what the kernel has not given to the device is gone."""

    def __init__(self, kind="journal", size=64 << 20):
        self.lost_names = False
        if not ROOT:
            raise Skip("needs root to mount")
        self.make, self.options, self.check = KINDS[kind]
        self.base = tempfile.mkdtemp(prefix="stirkeep-disk-")
        os.chmod(self.base, 0o711)
        self.image = f"{self.base}/image"
        self.mounted = f"{self.base}/mnt"
        os.mkdir(self.mounted)
        with open(self.image, "wb") as image:
            image.truncate(size)
        subprocess.run(["mkfs.ext4", "-q", "-F", *self.make, self.image], check=True,
                       stdout=subprocess.DEVNULL)
        try:
            self.mount()
        except subprocess.CalledProcessError as why:
            shutil.rmtree(self.base)
            raise Skip(f"no loop mount here: {why.stderr.strip()}") from None
        os.chmod(self.mounted, 0o711)

    def mount(self):
        subprocess.run(["mount", "-o", f"loop,{self.options}", self.image, self.mounted],
                       check=True, stderr=subprocess.PIPE, text=True)

    def sync(self):
        descriptor = os.open(self.mounted, os.O_RDONLY)
        try:
            if LIBC.syncfs(descriptor) != 0:
                raise OSError(ctypes.get_errno(), "syncfs")
        finally:
            os.close(descriptor)

    def write_some(self, random):
        """Some pages of some files reach the device, in no order, as a kernel may write them."""
        for path, _, files in os.walk(self.mounted):
            for name in files:
                if random.random() < 0.5:
                    write_pages(f"{path}/{name}", random)

    def cut(self, flush_log=False):
        """The power goes now. Everything on it fails from here on, until `again`.

        What the device holds is put by: an unmount would add to it."""
        descriptor = os.open(self.mounted, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, SHUTDOWN,
                        struct.pack("I", LOG_FLUSHED if flush_log else LOG_LOST))
        except OSError as why:
            if why.errno in (errno.ENOTTY, errno.EOPNOTSUPP, errno.EPERM):
                raise Skip(f"this kernel does not shut a file system down: {why}") from None
            raise
        finally:
            os.close(descriptor)
        subprocess.run(["cp", "--sparse=always", self.image, f"{self.image}.cut"], check=True)

    def move(self, directory):
        """Take the place of a directory, with all that is in it."""
        subprocess.run(["cp", "-a", f"{directory}/.", self.mounted], check=True)
        self.unmount()
        self.mounted = directory
        self.mount()

    def unmount(self):
        end = time.monotonic() + 10
        while True:
            done = subprocess.run(["umount", self.mounted], stderr=subprocess.PIPE, text=True)
            if done.returncode == 0:
                return
            if time.monotonic() > end:
                raise AssertionError(f"umount: {done.stderr.strip()}")
            time.sleep(0.01)

    def again(self):
        """The power is back: the file system as a start of the machine mounts it.

        `lost_names`: e2fsck found files without one. Where nothing is missing they were not synced;
        where something is, that may be a directory's block that was given away as above.
        """
        self.unmount()
        os.replace(f"{self.image}.cut", self.image)
        if self.check:
            done = subprocess.run(["e2fsck", "-fy", self.image], stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            assert done.returncode in (0, 1), done.stdout
            self.lost_names = "Unattached inode" in done.stdout
            if "Multiply-claimed block" in done.stdout:
                raise DoublyClaimed(done.stdout)
        self.mount()

    def remove(self):
        if os.path.ismount(self.mounted):
            subprocess.run(["umount", "-l", self.mounted], check=False)
        shutil.rmtree(self.base)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


class Memory:
    """A file system in memory, mounted."""

    def __init__(self, size):
        if not ROOT:
            raise Skip("needs root to mount")
        self.base = tempfile.mkdtemp(prefix="stirkeep-memory-")
        os.chmod(self.base, 0o711)
        self.mounted = f"{self.base}/mnt"
        os.mkdir(self.mounted)
        done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size},mode=0711", "tmpfs",
                               self.mounted], stderr=subprocess.PIPE, text=True)
        if done.returncode != 0:
            shutil.rmtree(self.base)
            raise Skip(f"no mount here: {done.stderr.strip()}")

    def remove(self):
        subprocess.run(["umount", "-l", self.mounted], check=False)
        shutil.rmtree(self.base)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.remove()


def write_pages(path, random):
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:  # a socket, or it has just gone
        return
    try:
        for page in range((os.fstat(descriptor).st_size + PAGE - 1) // PAGE):
            if random.random() < 0.5:
                LIBC.sync_file_range(descriptor, page * PAGE, PAGE, WRITE_NOW)
    finally:
        os.close(descriptor)


def fill(directory):
    """Take what is left of a file system; the path of the file that holds it."""
    path = f"{directory}/filler"
    with open(path, "wb", buffering=0) as file:
        for size in (1 << 20, PAGE, 512, 1):
            try:
                while True:
                    file.write(b"\0" * size)
            except OSError as why:
                if why.errno != errno.ENOSPC:
                    raise
    return path
