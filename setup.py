"""Builds the wheel: pyproject.toml says what it holds; this adds the native files, which Bazel builds.

The files go beside the Python sources for `pip install -e .`, into the wheel otherwise. Bazel takes the headers of
the Python that runs this file.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

from setuptools import Command, Distribution, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent

# Bazel target -> (file below bazel-bin, package that carries it).
NATIVE = {
    "//delegate/tflite:libmcpruner_delegate.so": ("delegate/tflite/libmcpruner_delegate.so", "mcpruner"),
    "//python/native:_native.so": ("python/native/_native.so", "mcpruner"),
    "//format:sparse_pattern_py": ("format/sparse_pattern_generated.py", "mcpruner.converter"),
}


def _bazel(*arguments: str) -> str:
    bazel = shutil.which("bazel")
    if bazel is None:
        raise SystemExit("mcpruner's native code is built by Bazel, which is not installed: run tools/setup.sh first.")
    environment = {"MCPRUNER_PYTHON": sys.executable, **os.environ}
    done = subprocess.run([bazel, *arguments], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(
            f"`bazel {' '.join(arguments)}` failed with exit status {done.returncode}; its output is above."
        )
    return done.stdout.strip()


def build_native() -> dict[str, list[Path]]:
    """Build every native target; the files of each package."""
    _bazel("build", "--noshow_progress", *NATIVE)
    output = Path(_bazel("info", "bazel-bin"))
    files: dict[str, list[Path]] = {}
    for name, package in NATIVE.values():
        files.setdefault(package, []).append(output / name)
    return files


def copy_native(folders: dict[str, Path]) -> None:
    """Build the native files and put those of each package into its folder."""
    for package, files in build_native().items():
        folders[package].mkdir(parents=True, exist_ok=True)
        for file in files:
            target = folders[package] / file.name
            # A new file, never written in place: a process may have the old library mapped.
            fresh = target.with_name(f".{file.name}.new")
            shutil.copyfile(file, fresh)
            fresh.replace(target)


class BuildNative(Command):
    """`python setup.py build_native`: the native files beside the Python sources, as `make build` wants them."""

    description = "build the native files with Bazel and put them beside the Python sources"
    user_options: ClassVar[list] = []

    def initialize_options(self) -> None:
        """Nothing to set."""

    def finalize_options(self) -> None:
        """Nothing to set."""

    def run(self) -> None:
        """Build and copy."""
        directories = self.distribution.package_dir
        copy_native({package: ROOT / directories[package] for _, package in NATIVE.values()})


class BuildPy(build_py):
    """Adds the native files to the packages."""

    def run(self) -> None:
        """Copy the Python sources and the native files into the build folder, or prepare the tree for `pip -e`."""
        if self.editable_mode:
            self.run_command("build_native")
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)  # an earlier build may have left modules that are gone
        super().run()
        copy_native({package: Path(self.build_lib, *package.split(".")) for _, package in NATIVE.values()})


class NativeDistribution(Distribution):
    """A distribution whose wheel is for one platform."""

    def has_ext_modules(self) -> bool:
        """True: the native files are not setuptools extensions, but they are native."""
        return True


setup(cmdclass={"build_native": BuildNative, "build_py": BuildPy}, distclass=NativeDistribution)
