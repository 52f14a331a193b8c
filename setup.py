"""Builds the wheel: pyproject.toml says what it holds; this adds the native files, which Bazel builds.

The files go beside the Python sources for `pip install -e .`, into the wheel otherwise. Bazel takes the headers of
the Python that runs this file.

A wheel for 64-bit ARM is cross-built by telling Python that it runs on one, as other build tools do:
`_PYTHON_HOST_PLATFORM=linux-aarch64 pip wheel .` (`make wheels` does).
"""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import ClassVar

from setuptools import Command, Distribution, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent

# Bazel target -> (file below bazel-bin, package that carries it).
NATIVE = {
    "//delegate/tflite/plugin:libmcpruner_delegate.so": ("delegate/tflite/plugin/libmcpruner_delegate.so", "mcpruner"),
    "//python/native:_native.so": ("python/native/_native.so", "mcpruner"),
    "//format:sparse_pattern_py": ("format/sparse_pattern_generated.py", "mcpruner.converter.format"),
    "//format:model_plan_py": ("format/model_plan_generated.py", "mcpruner.converter.format"),
    "//format:limits_py": ("format/limits_generated.py", "mcpruner.converter.format"),
    "//format:costs_py": ("format/costs_generated.py", "mcpruner.converter.format"),
    "//format:operators_py": ("format/operators_generated.py", "mcpruner.converter.format"),
}


# Platforms other than this machine's that a wheel can be built for, and what Bazel is told.
CROSS_CONFIGS = {"linux-aarch64": "--config=aarch64"}


def _bazel_config() -> list[str]:
    platform = sysconfig.get_platform()
    if platform == f"linux-{os.uname().machine}":
        return []
    if platform not in CROSS_CONFIGS:
        raise SystemExit(f"mcpruner is cross-built for {', '.join(CROSS_CONFIGS)} only, not for {platform}.")
    return [CROSS_CONFIGS[platform]]


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


def copy_native(folders: dict[str, Path], stripped: bool) -> None:
    """Build the native files and put each into the folder of its package, libraries with or without their symbols."""
    config = _bazel_config()
    ending = ".stripped" if stripped else ""  # Bazel has such a target beside each library
    built = {target: ending if target.endswith(".so") else "" for target in NATIVE}
    _bazel("build", "--noshow_progress", *config, *(target + suffix for target, suffix in built.items()))
    output = Path(_bazel("info", *config, "bazel-bin"))
    for target, (name, package) in NATIVE.items():
        folders[package].mkdir(parents=True, exist_ok=True)
        file = folders[package] / Path(name).name
        # A new file, never written in place: a process may have the old library mapped.
        fresh = file.with_name(f".{file.name}.new")
        shutil.copyfile(output / (name + built[target]), fresh)
        fresh.replace(file)


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
        folder_of = self.get_finalized_command("build_py").get_package_dir
        copy_native({package: ROOT / folder_of(package) for _, package in NATIVE.values()}, stripped=False)


class BuildPy(build_py):
    """Adds the native files to the packages."""

    def run(self) -> None:
        """Copy the Python sources and the native files into the build folder, or prepare the tree for `pip -e`."""
        if self.editable_mode:
            self.run_command("build_native")
            return
        shutil.rmtree(self.build_lib, ignore_errors=True)  # an earlier build may have left modules that are gone
        super().run()
        folders = {package: Path(self.build_lib, *package.split(".")) for _, package in NATIVE.values()}
        copy_native(folders, stripped=True)


class NativeDistribution(Distribution):
    """A distribution whose wheel is for one platform."""

    def has_ext_modules(self) -> bool:
        """True: the native files are not setuptools extensions, but they are native."""
        return True


setup(cmdclass={"build_native": BuildNative, "build_py": BuildPy}, distclass=NativeDistribution)
