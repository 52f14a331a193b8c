"""``mcpruner tune``: which tile wins is not asserted, only that each convolution gets one, once."""

from pathlib import Path

import pytest
from opencl_device import needs_opencl
from small_network import Files

from mcpruner.cli import main


@needs_opencl
def test_tiles_are_measured_once(files: Files, tmp_path: Path, capfd: pytest.CaptureFixture) -> None:
    assert main(["tune", str(files.sparse), "--cache-dir", str(tmp_path)]) == 0
    first = capfd.readouterr()
    assert first.out == f"tuned; start with backend=opencl and cache_dir={tmp_path}\n"
    tuned = [line for line in first.err.splitlines() if line.startswith("mcpruner: tuned ")]
    assert tuned and all(" us, by the table " in line for line in tuned)
    assert main(["tune", str(files.sparse), "--cache-dir", str(tmp_path)]) == 0
    assert "mcpruner: tuned " not in capfd.readouterr().err


def test_without_a_device_it_is_one_sentence(files: Files, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    options = ["--cache-dir", str(tmp_path), "--opencl-library", "libabsent.so"]
    assert main(["tune", str(files.sparse), *options]) == 2
    assert capsys.readouterr().err.startswith("mcpruner: nothing was tuned: the opencl backend cannot be made (option ")
    assert main(["tune", str(files.sparse), "--cache-dir", str(tmp_path / "absent")]) == 2
    assert "option cache_dir: expected an existing folder" in capsys.readouterr().err
