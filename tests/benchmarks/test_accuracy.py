"""The accuracy benchmark: its training loop on a small network, its resumable records, its rows."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
ACCURACY = ROOT / "benchmarks" / "accuracy"
ENVIRONMENT = {
    **os.environ,
    "KERAS_BACKEND": "jax",
    "JAX_PLATFORMS": "cpu",
    "PYTHONPATH": os.pathsep.join(map(str, (ROOT / "examples", ROOT / "tests", ACCURACY))),
}


def _load_rows():
    specification = importlib.util.spec_from_file_location("accuracy_rows", ACCURACY / "rows.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


ROWS = _load_rows()


@pytest.fixture(scope="module")
def found() -> dict:
    pytest.importorskip("jax", reason="needs jax, which requirements.txt installs")
    command = [sys.executable, str(Path(__file__).with_name("accuracy_loop.py"))]
    run = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-4000:]
    return json.loads(run.stdout.splitlines()[-1])


def test_the_loop_learns_and_repeats(found: dict) -> None:
    assert found["before"] < 0.5 < 0.85 < found["dense"]["accuracy"]
    assert found["dense"]["mirrored"] > 0.85 and 0 < found["dense"]["cross_entropy"] < 1
    assert found["longer"] > 0.85
    assert found["same"]


def test_the_pruned_network_has_its_density_and_learns(found: dict) -> None:
    assert found["density"] == pytest.approx(0.2, abs=0.01)
    assert found["unstructured"] == pytest.approx(0.2, abs=0.002)
    assert found["shares"] == pytest.approx([found["density"]] * 2)
    assert found["moved"]
    assert found["pruned"]["accuracy"] > 0.8


def test_augmentation_shifts_by_four_and_mirrors(found: dict) -> None:
    """The corner shows a pixel at most 4 from it: by its row, and by its column from the left or from the right."""
    for row, column, _ in found["shifted"]:
        assert 0 <= row <= 4
        assert min(column, 31 - column) <= 4
    assert any(column > 15 for _, column, _ in found["shifted"])


def test_bad_data_is_one_sentence(tmp_path: Path) -> None:
    pytest.importorskip("jax", reason="needs jax, which requirements.txt installs")
    command = [sys.executable, str(ACCURACY / "pairs.py"), "vgg16_cifar", "--data", str(tmp_path)]
    command += ["--work", str(tmp_path)]
    run = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True)
    assert run.stderr.splitlines()[-1].endswith("cifar10_jpeg.npz, which is not there: give --data.")


def record(seed: int, density: float, accuracy: float, start: float = 0.9) -> dict:
    return {
        "network": "net",
        "seed": seed,
        "commit": "abc",
        "start_accuracy": start,
        "density": density,
        "allocation": "none" if density == 1 else "uniform",
        "masks": "none" if density == 1 else "aligned",
        "accuracy": accuracy,
        "kept_work": 0.25,
    }


def test_rows_pair_by_start() -> None:
    """Differences -1.0, -0.5 and 0.0: mean -0.5, half width 4.303 x 0.5 / sqrt(3); another start is another pair."""
    dense = [record(seed, 1.0, accuracy) for seed, accuracy in enumerate((0.90, 0.91, 0.92))]
    pruned = [record(seed, 0.1, accuracy) for seed, accuracy in enumerate((0.89, 0.905, 0.92))]
    alone = [record(7, 0.1, 0.5), record(0, 0.1, 0.5, start=0.8)]
    assert list(ROWS.rows([*pruned, *alone, *dense])) == [
        "| net | 0.1 | uniform | aligned | 0.250 | 91.00 | 90.50 | -0.50 ± 1.24 | 3 |"
    ]


def run_record(seed: int, share: float, accuracy: float, mirrored: float, entropy: float, epochs: int = 34) -> dict:
    return {
        "network": "net",
        "seed": seed,
        "commit": "abc",
        "start_accuracy": 0.9,
        "multiply_adds": share,
        "masks": "none" if share == 1 else "any",
        "removed": "none" if share == 1 else "decay",
        "before": [20],
        "epochs": epochs,
        "accuracy": accuracy,
        "mirrored": mirrored,
        "cross_entropy": entropy,
        "kept": share * 0.8,
    }


def test_rows_of_the_recipe_pair_by_start_and_protocol() -> None:
    dense = [run_record(0, 1.0, 0.9, 0.91, 0.3), run_record(1, 1.0, 0.92, 0.91, 0.31)]
    pruned = [run_record(0, 0.2, 0.89, 0.905, 0.305), run_record(1, 0.2, 0.92, 0.90, 0.325)]
    longer = [run_record(0, 1.0, 0.93, 0.93, 0.2, 75), run_record(0, 0.2, 0.92, 0.925, 0.21, 75)]
    alone = run_record(5, 0.2, 0.5, 0.5, 9.0)
    assert list(ROWS.rows([*pruned, alone, *longer, *dense])) == [
        "| net | 0.2 | any | decay | 20 + 34 | 0.160 | 91.00 | 90.50 | -0.50 ± 6.35 | -0.75 ± 3.18 | +0.0100 | 2 |",
        "| net | 0.2 | any | decay | 20 + 75 | 0.160 | 93.00 | 92.00 | -1.00 | -0.50 | +0.0100 | 1 |",
    ]


def test_rows_of_speed_have_the_accuracy_of_the_longest_trainings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = [run_record(0, 1.0, 0.90, 0.9, 0.3), run_record(0, 0.2, 0.89, 0.9, 0.3)]
    longer = [run_record(0, 1.0, 0.93, 0.93, 0.2, 75), run_record(0, 0.2, 0.92, 0.925, 0.21, 75)]
    (tmp_path / "net.json").write_text(json.dumps([*pairs, *longer]))
    monkeypatch.setattr(ROWS, "RESULTS", tmp_path)
    times = {"against_median_ms": 8.0, "median_ms": 2.0, "speedup": 4.0, "speedup_low": 3.9, "speedup_high": 4.1}
    sizes = {"bytes_dense": 9_000_000, "bytes": 2_000_000, "bytes_float16": 1_000_000}
    student = {
        "network": "net",
        "multiply_adds": 0.2,
        "masks": "any",
        "removed": "decay",
        "trainings": 2,
        "accuracy": 0.9213,
    }
    assert list(ROWS.rows([{**student, **sizes, "results": [times, times]}])) == [
        "| net | 0.2 | 8.00 | 2.00 | 4.00 (3.90..4.10) | 4.00 (3.90..4.10) | 93.00 | 92.00 | -1.00 | 92.13 | "
        "9.0 MB | 2.0 MB | 1.0 MB |"
    ]


def test_rows_of_folds() -> None:
    runs = [(0.75, 0.01, 0.73), (0.73, 0.03, 0.72)]
    names = ("dense", "one_shot", "post_training")
    records = [
        {"network": "net", "fold": i, "density": 0.7, **dict(zip(names, run, strict=True))}
        for i, run in enumerate(runs)
    ]
    assert list(ROWS.rows(records)) == ["| net | 0.7 | 74.0 | 2.0 | 72.5 | -1.5 ± 6.4 | 2 |"]


def test_rows_of_one_shot_masks() -> None:
    search = {"network": "net", "density": 0.25, "groups": "search", "kept": 0.5352, "accuracy": 0.252}
    none = {**search, "groups": "none", "kept": 0.5, "accuracy": 0.2}
    assert list(ROWS.rows([search, none])) == ["| net | 0.25 | 50.0 / 20.0 |  | 53.5 / 25.2 |  |  |"]


def test_a_single_difference_has_no_interval() -> None:
    assert ROWS.interval(np.array([0.3])) == (0.3, float("inf"))


@pytest.mark.parametrize("path", sorted((ACCURACY / "results").glob("*.json")), ids=lambda path: path.stem)
def test_the_docs_hold_the_rows_of_the_results(path: Path) -> None:
    docs = [line for name in ("pruning.md", "masks.md") for line in (ROOT / "docs" / name).read_text().splitlines()]
    for row in ROWS.rows(json.loads(path.read_text())):
        assert row in docs
