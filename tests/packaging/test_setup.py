"""tools/setup.sh: does nothing where all stands, and says what is missing where it may not install it."""

import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def _setup(environment: dict[str, str] | None = None) -> subprocess.CompletedProcess:
    return subprocess.run([ROOT / "tools" / "setup.sh"], capture_output=True, text=True, env=environment, check=False)


def test_does_nothing_where_all_stands() -> None:
    stamps = [ROOT / folder / ".setup-stamp" for folder in (".venv", ".venv-tflite-runtime")]
    before = [stamp.stat().st_mtime_ns for stamp in stamps]
    done = _setup()
    assert (done.returncode, done.stdout, done.stderr) == (0, "setup: ready\n", "")
    assert [stamp.stat().st_mtime_ns for stamp in stamps] == before


def _tool(folder: Path, name: str, script: str) -> None:
    tool = folder / name
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)


def test_says_what_to_install_where_it_may_not(tmp_path: Path) -> None:
    for name in ("bash", "dirname", "env"):
        (tmp_path / name).symlink_to(shutil.which(name))
    _tool(tmp_path, "id", "echo 1000")
    _tool(tmp_path, "dpkg-query", 'case "$*" in *libhwy-dev*) exit 1;; esac; printf installed')
    done = _setup({**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == "setup: neither root nor sudo is available; have someone run: apt-get install libhwy-dev\n"


def test_refuses_what_is_not_debian(tmp_path: Path) -> None:
    for name in ("bash", "dirname", "env"):
        (tmp_path / name).symlink_to(shutil.which(name))
    done = _setup({**os.environ, "PATH": str(tmp_path)})
    assert done.returncode == 1
    assert done.stderr == "setup: this script installs Debian packages; elsewhere install by hand what it lists\n"
