"""``mcpruner prune``."""

import json
from pathlib import Path

import keras
import numpy as np
import pytest
from disk import file_limit, names

import mcpruner
from mcpruner.cli import main
from mcpruner.cli.prune import layer_shares


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 16)),
            keras.layers.Conv2D(32, 3, padding="same", name="conv1"),
            keras.layers.Conv2D(32, 3, padding="same", name="conv2"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(64, name="fc1"),
            keras.layers.Dense(10, name="classifier"),
        ]
    )
    path = tmp_path_factory.mktemp("prune") / "model.keras"
    model.save(path)
    return path


def prune(source: Path, output: Path, *options: str) -> dict[str, float]:
    """Densities in the file that the command wrote."""
    assert main(["prune", str(source), "-o", str(output), "--target", "generic", *options]) == 0
    layers = keras.models.load_model(output, compile=False).layers
    kernels = {layer.name: np.asarray(layer.kernel) for layer in layers if hasattr(layer, "kernel")}
    return {name: np.count_nonzero(kernel) / kernel.size for name, kernel in kernels.items()}


def test_density_everywhere_and_by_name(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    found = prune(source, tmp_path / "out.keras", "--density", "0.25", "--density", "conv2=0.125")
    assert found == pytest.approx({"conv1": 0.25, "conv2": 0.125, "fc1": 0.25, "classifier": 1.0}, abs=0.01)
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == ["layer", "kernel", "density"]
    assert rows[-1][:3] == ["all", "16512", "weights"]
    assert [row[:2] for row in rows[1:-1]] == [
        ["conv1", "3x3x16x32"],
        ["conv2", "3x3x32x32"],
        ["fc1", "32x64"],
        ["classifier", "64x10"],
    ]
    assert [float(row[2]) for row in rows[1:-1]] == pytest.approx(list(found.values()), abs=1e-4)


def test_sparsity_scope_patterns_and_balance(source: Path, tmp_path: Path) -> None:
    options = ("--sparsity", "0.75", "--scope", "conv*", "--num-patterns", "4", "--balance")
    found = prune(source, tmp_path / "out.keras", *options)
    assert found == pytest.approx({"conv1": 0.25, "conv2": 0.25, "fc1": 1.0, "classifier": 1.0}, abs=0.01)


def test_allocate_saves_a_plan_that_prunes_alike(source: Path, tmp_path: Path) -> None:
    plan = str(tmp_path / "plan.json")
    chosen = prune(source, tmp_path / "out.keras", "--allocate", "speedup=2", "--save-plan", plan)
    assert prune(source, tmp_path / "again.keras", "--plan", plan) == chosen
    assert chosen["classifier"] == 1.0
    assert chosen["conv1"] != chosen["fc1"]
    saved = json.loads(Path(plan).read_text())
    assert saved["dense_ms"] / saved["pruned_ms"] == pytest.approx(2.0, rel=0.01)
    assert saved["densities"] == pytest.approx({name: chosen[name] for name in saved["densities"]}, abs=0.01)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            ["--allocate", "speed=2"],
            "Expected --allocate density=D, multiply_adds=M, speedup=S or latency_ms=T, got 'speed",
        ),
        (["--allocate", "speedup=fast"], "got 'speedup=fast'"),
        (["--density", "0.5", "--save-plan", "p.json"], "give that as well"),
        (["--density", "much"], "'much' is neither a number nor GLOB=NUMBER"),
        (["--density", "0.5", "--density", "0.25"], "two values for the layers '*'"),
        (["--density", "1.5"], "1.5"),
        (["--density", "0.5", "--target", "pdp-11"], "pdp-11"),
        (["--density", "0.5", "--num-patterns", "0"], "0"),
    ],
)
def test_bad_input_is_one_sentence(
    options: list[str], words: str, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    assert main(["prune", str(source), "-o", str(tmp_path / "out.keras"), *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and captured.err.count("\n") == 1 and words in captured.err
    assert not (tmp_path / "out.keras").exists()


@pytest.mark.parametrize("content", [None, b"no model"])
def test_bad_model_is_one_sentence(content: bytes | None, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    path = tmp_path / "model.keras"
    if content is not None:
        path.write_bytes(content)
    assert main(["prune", str(path), "-o", str(tmp_path / "out.keras"), "--density", "0.5"]) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith("mcpruner: ") and captured.err.count("\n") == 1 and str(path) in captured.err


def test_layer_shares() -> None:
    assert layer_shares(["0.178"]) == 0.178
    assert layer_shares(["fc*=0.1"]) == {"fc*": 0.1}
    assert list(layer_shares(["0.5", "fc*=0.1", "conv2=1e-1"]).items()) == [("fc*", 0.1), ("conv2", 0.1), ("*", 0.5)]


def test_calibration_adapts_the_kept_weights(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    images = tmp_path / "images.npy"
    np.save(images, np.random.default_rng(0).standard_normal((32, 8, 8, 16)).astype(np.float32))
    options = ["--density", "0.5", "--scope", "conv*"]
    found = prune(source, tmp_path / "adapted.keras", *options, "--calibration", str(images))
    assert found == pytest.approx({"conv1": 0.5, "conv2": 0.5, "fc1": 1.0, "classifier": 1.0}, abs=0.01)
    prune(source, tmp_path / "plain.keras", *options)
    dense, adapted, plain = (
        keras.models.load_model(path, compile=False)(np.load(images)).numpy()
        for path in (source, tmp_path / "adapted.keras", tmp_path / "plain.keras")
    )
    assert np.square(adapted - dense).mean() < np.square(plain - dense).mean()
    images.write_bytes(b"no array")
    arguments = ["prune", str(source), "-o", str(tmp_path / "out.keras"), *options, "--calibration", str(images)]
    capsys.readouterr()
    assert main(arguments) == 2
    assert capsys.readouterr().err == f"mcpruner: Expected a .npy file with an array of inputs, got {images}.\n"


def test_with_images_a_density_is_allocated_by_sensitivity(source: Path, tmp_path: Path) -> None:
    images, plan = tmp_path / "images.npy", tmp_path / "plan.json"
    np.save(images, np.random.default_rng(0).standard_normal((32, 8, 8, 16)).astype(np.float32))
    options = ["--allocate", "density=0.5", "--calibration", str(images), "--save-plan", str(plan), "--scope", "conv*"]
    prune(source, tmp_path / "out.keras", *options)
    model = keras.models.load_model(source, compile=False)
    expected = mcpruner.measure_sensitivity(model, np.load(images), scope="conv*").allocate(0.5).densities
    assert mcpruner.Plan.load(plan).densities == pytest.approx(expected, abs=0.01)


def test_patterns_of_any_size_keep_more(source: Path, tmp_path: Path) -> None:
    options = ["--density", "0.125", "--scope", "conv*"]
    assert prune(source, tmp_path / "auto.keras", *options)["conv1"] == pytest.approx(0.125, abs=0.01)
    found = prune(source, tmp_path / "any.keras", *options, "--pattern-size", "any", "--num-patterns", "32")
    assert found["conv1"] == pytest.approx(0.125, abs=0.01)
    kept = [
        np.square(keras.models.load_model(tmp_path / name, compile=False).get_layer("conv1").get_weights()[0]).sum()
        for name in ("auto.keras", "any.keras")
    ]
    assert kept[1] > 1.05 * kept[0]


def test_a_full_disk_is_one_sentence_and_leaves_the_old_file(
    source: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    output = tmp_path / "out.keras"
    output.write_bytes(b"as it was")
    with file_limit(1024):
        assert main(["prune", str(source), "-o", str(output), "--density", "0.5"]) == 2
    assert capsys.readouterr().err == f"mcpruner: {output}: File too large.\n"
    assert output.read_bytes() == b"as it was" and names(tmp_path) == ["out.keras"]


def test_other_suffixes_are_refused_before_the_work(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["prune", "absent.keras", "-o", str(tmp_path / "out.h5"), "--density", "0.5"]) == 2
    assert "Keras writes .keras files: give -o a name that ends so" in capsys.readouterr().err
