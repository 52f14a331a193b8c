"""Every package that the build installs is pinned, by version and by hash."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
REQUIREMENTS = ("requirements.txt", "requirements-tflite-runtime.txt", "benchmarks/requirements-peers.txt")
PINNED = re.compile(r"([\w.-]+)==([\w.]+)((?: --hash=sha256:[0-9a-f]{64})+)")


def _requirements(name: str) -> list[str]:
    """One line for each package, its continuations joined."""
    lines = re.sub(r"\s*\\\n\s*", " ", (ROOT / name).read_text()).splitlines()
    return [line for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_every_package_has_a_version_and_hashes(name: str) -> None:
    assert [line for line in _requirements(name) if not PINNED.fullmatch(line)] == []


def test_what_builds_a_wheel_is_pinned_as_in_the_environment() -> None:
    required = tomllib.loads((ROOT / "pyproject.toml").read_text())["build-system"]["requires"]
    environment = {PINNED.fullmatch(line).expand(r"\1==\2") for line in _requirements("requirements.txt")}
    assert required
    assert set(required) <= environment
