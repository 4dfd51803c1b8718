"""The platforms of dist/, and how this machine runs their programs: those of another architecture under
qemu, those for musl with Debian's musl. What this needs is unpacked below target/platforms, not installed.
"""

import functools
import platform
import shutil
import subprocess
from dataclasses import dataclass

from common import REPOSITORY

UNPACKED = REPOSITORY / "target/platforms"
DEBIAN = {"x86_64": "amd64", "aarch64": "arm64"}
NODE = {"x86_64": "x64", "aarch64": "arm64"}
HERE = platform.machine()


@dataclass(frozen=True)
class Target:
    """A platform that packages are for, with its names in dist/, the Node package, the JAR and wheels."""

    architecture: str
    libc: str

    @property
    def name(self):
        return f"linux-{self.architecture}" + ("" if self.libc == "gnu" else f"-{self.libc}")

    @property
    def node(self):
        return f"linux-{NODE[self.architecture]}-{self.libc}"

    @property
    def jar(self):
        return f"linux/{self.architecture}/{'glibc' if self.libc == 'gnu' else self.libc}"

    @property
    def wheel(self):
        return f"{'manylinux2014' if self.libc == 'gnu' else 'musllinux_1_2'}_{self.architecture}"

    @property
    def is_native(self):
        return self.libc == "gnu" and self.architecture == HERE

    @property
    def folder(self):
        """The folder for what the tests install and build for it."""
        return UNPACKED / self.name

    def command(self, program, *arguments, is_static=False):
        """Returns the command that runs a program of the platform on this machine."""
        if self.architecture != HERE:
            runner = [qemu(self.architecture), "-L", root(self)]
        elif self.libc == "musl" and not is_static:
            runner = [root(self) / f"lib/ld-musl-{self.architecture}.so.1"]
        else:
            runner = []
        return [*runner, program, *arguments]

    def compiler(self):
        """Returns a command that compiles C for the platform: for Debian 12's glibc, or for musl."""
        zig = [REPOSITORY / "target/venv-zig/bin/python", "-m", "ziglang", "cc"]
        libc = "gnu.2.36" if self.libc == "gnu" else "musl"
        # zig's runtime for sanitizers needs a newer musl than Debian's.
        return [*zig, "-target", f"{self.architecture}-linux-{libc}", "-O1", "-fno-sanitize=all"]


TARGETS = [Target(architecture, libc) for libc in ("gnu", "musl") for architecture in ("x86_64", "aarch64")]


@functools.cache
def root(target):
    """Returns a folder with the system of a platform: all that programs for musl are linked to, and for
    another architecture also Python, Java and libpq."""
    folder = UNPACKED / f"root-{target.name}"
    if not (folder / "unpacked").exists():
        shutil.rmtree(folder, ignore_errors=True)
        architecture = DEBIAN[target.architecture]
        if target.libc == "musl":
            unpack(architecture, folder, "musl")
        else:
            unpack("--all", architecture, folder, "python3.11", "openjdk-17-jre-headless", "libpq-dev")
            # Java's configuration is a folder of absolute links.
            for link in (folder / "usr/lib/jvm").glob("**/*"):
                if link.is_symlink() and link.readlink().is_absolute():
                    target = folder / link.readlink().relative_to("/")
                    link.unlink()
                    link.symlink_to(target)
        (folder / "unpacked").touch()
    return folder


@functools.cache
def qemu(architecture):
    """Returns the program that runs programs of another architecture."""
    program = UNPACKED / f"qemu-{architecture}-static"
    if not program.exists():
        folder = UNPACKED / "qemu"
        unpack(DEBIAN[HERE], folder, "qemu-user-static")
        shutil.move(folder / "usr/bin" / program.name, program)
        shutil.rmtree(folder)
    return program


def unpack(*arguments):
    subprocess.run([REPOSITORY / "tools/unpack-debian", *arguments], check=True)
