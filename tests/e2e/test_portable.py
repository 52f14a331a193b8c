"""Files without custom operators run in every runtime without the plugin, in CompiledModel too, and with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from small_network import small_network
from tflite_builder import run

import mcpruner

ROOT = Path(__file__).resolve().parents[2]
PYTHONS = {
    "ai_edge_litert": sys.executable,
    "tensorflow": sys.executable,
    "tflite_runtime": str(ROOT / ".venv-tflite-runtime/bin/python"),
}
SHAPE = (1, 13, 11, 16)


@pytest.fixture(scope="module", params=["float32", "float16", "int8"])
def files(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The small network in each format, and images."""
    folder = tmp_path_factory.mktemp(request.param)
    found = {name: folder / f"{name}.tflite" for name in ("packed", "portable", "dense")}
    for name, path in found.items():
        path.write_bytes(mcpruner.convert(small_network(), "x86-64", request.param, format=name)[0])
    images = folder / "images.npy"
    np.save(images, np.random.default_rng(0).standard_normal((3, *SHAPE[1:])).astype(np.float32))
    return {**found, "images": images}


def infer(runtime: str, files: dict[str, Path], options: dict | None) -> dict[str, np.ndarray]:
    """The output of each file in a runtime of its own process, with the plugin's options or without the plugin."""
    names = ["portable", "dense"] if options is None else ["packed", "portable", "dense"]
    folder = files["images"].parent
    jobs = [
        {
            "model": str(files[name]),
            "inputs": str(files["images"]),
            "output": str(folder / f"{runtime}_{name}.npz"),
            "threads": 2,
            "batch": 2,
            "options": options,
        }
        for name in names
    ]
    command = [PYTHONS[runtime], str(Path(__file__).with_name("infer.py")), runtime, mcpruner.delegate_path()]
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    subprocess.run(command, input=json.dumps(jobs), text=True, check=True, env=environment)
    return {name: next(iter(np.load(job["output"]).values())) for name, job in zip(names, jobs, strict=True)}


@pytest.mark.parametrize("options", [None, {"num_threads": "2"}], ids=["alone", "plugin"])
@pytest.mark.parametrize("runtime", PYTHONS)
def test_outputs_are_those_of_the_other_formats(runtime: str, options: dict | None, files: dict[str, Path]) -> None:
    """float16 too: TensorFlow 2.21 would compute with memory that nobody wrote if it stood behind DENSIFY as such."""
    if not Path(PYTHONS[runtime]).exists():
        pytest.skip(f"{PYTHONS[runtime]} is not there")
    (expected,) = run(files["dense"].read_bytes(), np.load(files["images"]))
    largest = np.abs(expected).max()
    for actual in infer(runtime, files, options).values():
        np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-6 * largest)


def test_compiled_model(files: dict[str, Path]) -> None:
    code = (
        "import sys, numpy as np\n"
        "from ai_edge_litert.compiled_model import CompiledModel\n"
        "model = CompiledModel.from_file(sys.argv[1])\n"
        "inputs, outputs = model.create_input_buffers(0), model.create_output_buffers(0)\n"
        "inputs[0].write(np.load(sys.argv[2])[:1])\n"
        "model.run_by_index(0, inputs, outputs)\n"
        "np.save(sys.argv[3], outputs[0].read(10, np.float32))\n"
    )
    output = files["images"].with_name("compiled.npy")
    found = []
    for name in ("dense", "portable"):
        subprocess.run([sys.executable, "-c", code, files[name], files["images"], output], check=True)
        found.append(np.load(output))
    np.testing.assert_array_equal(*found)
    (expected,) = run(files["dense"].read_bytes(), np.load(files["images"])[:1])
    np.testing.assert_allclose(found[0], expected[0], rtol=0, atol=2e-6 * np.abs(expected).max())
