"""The scripts ``examples/recipe_*.py`` run as they stand, on a few images of the packed CIFAR-10."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from shared_data import SHARED

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
DATA = SHARED / "cifar10_jpeg.npz"


@pytest.mark.skipif(not DATA.is_file(), reason=f"needs the images of {DATA}, which is not there")
@pytest.mark.parametrize("script", sorted(EXAMPLES.glob("recipe_*.py")), ids=lambda path: path.stem)
def test_recipe_script(script: Path, tmp_path: Path) -> None:
    output = tmp_path / "pruned.tflite"
    arguments = ["--data", str(DATA), "--images", "128", "--epochs", "1", "--density", "0.4", "-o", str(output)]
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    command = [sys.executable, str(script), *arguments]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-4000:]
    assert "TFL3" in output.read_bytes()[:8].decode("latin-1")
    dense, pruned = run.stdout.splitlines()[-2:]
    assert dense.startswith("dense ") and pruned.startswith("pruned ")
