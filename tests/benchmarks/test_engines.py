"""Engines in processes of their own. Those of .venv-peers are skipped where `make bench-peers` did not make it."""

import argparse
import sys
from pathlib import Path

import footprint
import numpy as np
import peers
import pytest
import roofline
import workloads
from plain_network import mobile_network, plain_network
from tflite_builder import run
from worker import EngineError, Worker

import mcpruner

needs_peers = pytest.mark.skipif(not peers.PEERS_PYTHON.exists(), reason="no .venv-peers: `make bench-peers` makes it")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> workloads.Files:
    """A small network in the place of every other."""
    made = workloads.Files(tmp_path / "small_dense.tflite", tmp_path / "small.tflite")
    made.dense.write_bytes(plain_network())
    made.converted.write_bytes(mcpruner.convert(made.dense, target="x86-64")[0])
    monkeypatch.setattr(peers, "export", lambda *_: made)
    return made


def inputs(folder: Path) -> tuple[Path, np.ndarray]:
    x = np.random.default_rng(0).standard_normal((1, 3, 17, 14)).astype(np.float32)
    np.save(folder / "x.npy", x)
    return folder / "x.npy", x


@pytest.mark.parametrize("engine", ["litert", "mcpruner"])
def test_worker_gives_output_and_times(engine: str, files: workloads.Files, tmp_path: Path) -> None:
    path, x = inputs(tmp_path)
    (expected,) = run(files.dense.read_bytes(), x.transpose(0, 2, 3, 1).copy())
    with Worker(Path(sys.executable), engine, files.dense, 1, path) as worker:
        np.testing.assert_allclose(worker.output(tmp_path / "y.npy"), expected.ravel(), rtol=1e-4, atol=1e-4)
        assert len(worker.block(2)) == 2
        assert worker.engine.startswith("ai_edge_litert ")


def test_engine_that_fails_says_why(files: workloads.Files, tmp_path: Path) -> None:
    path, _ = inputs(tmp_path)
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(b"no model")
    with pytest.raises(EngineError, match="^ValueError: The model is not a valid Flatbuffer"):
        Worker(Path(sys.executable), "litert", broken, 1, path)
    with pytest.raises(EngineError, match="^its process ended with status 1$"):
        Worker(Path("/bin/false"), "litert", broken, 1, path)


@needs_peers
@pytest.mark.parametrize("make", [plain_network, mobile_network])
def test_every_engine_gives_litert_s_output(make: object, files: workloads.Files, tmp_path: Path) -> None:
    files.dense.write_bytes(make())
    files.converted.write_bytes(mcpruner.convert(files.dense, target="x86-64")[0])
    result = peers.measure("resnet18", 1, argparse.Namespace(out=tmp_path, seconds=0.001))
    assert set(result["engines"]) == {"litert", "mcpruner", *peers.PEERS}
    for engine, one in result["engines"].items():
        assert "reason" not in one, (engine, one)
        assert one["largest_error"] < 1e-4 and one["min_ms"] > 0, engine


@needs_peers
def test_what_is_wrong_or_missing_is_listed_with_its_reason(files: workloads.Files, tmp_path: Path) -> None:
    peers.prepare("resnet18", 0.178, tmp_path)
    files.dense.with_suffix(".json").write_text('{"ncnn": "it cannot"}')
    files.dense.with_suffix(".onnx").unlink()
    files.dense.write_bytes(plain_network(seed=9))  # what the others were made from is another network
    result = peers.measure("resnet18", 1, argparse.Namespace(out=tmp_path, seconds=0.001))["engines"]
    assert result["ncnn"] == {"reason": "it cannot"}
    assert "small_dense.onnx" in result["onnxruntime"]["reason"]
    for engine in ("mcpruner", "mnn"):
        assert result[engine]["reason"].startswith("its output is off by ")
    assert "largest_error" in result["litert"]


def test_footprint(files: workloads.Files) -> None:
    dense, ours = footprint.footprint(files.dense, "litert"), footprint.footprint(files.converted, "mcpruner")
    assert set(ours) == {*dense, "arena_bytes", "weight_bytes"}
    for one in (dense, ours):
        assert 0 < one["start_mib"] < one["peak_mib"] and min(one["load_ms"], one["first_ms"], one["steady_ms"]) > 0


def test_roofline(files: workloads.Files, tmp_path: Path) -> None:
    limits = {"peak_gflops": 100.0, "read_gigabytes_per_second": {"L1": 150.0, "memory": 10.0}}
    ops = roofline.measure(files.converted.read_bytes(), runs=3)
    (dense,) = [op for op in ops if op["type"] == "FullyConnected"]
    assert dense["macs"] == 600 and dense["runs"] == 1
    assert roofline.rates({"macs": 600, "bytes": 400, "nanoseconds": 60}, limits) == {
        "gflops": 20.0,
        "gigabytes": pytest.approx(400 / 60),
        "intensity": 3.0,
        "of_peak": 0.2,
    }
    assert len(roofline.row(dense, limits)) == len(roofline.HEADERS)
    roofline.draw(ops, limits, "title", tmp_path / "picture.png")
    assert (tmp_path / "picture.png").read_bytes().startswith(b"\x89PNG")
