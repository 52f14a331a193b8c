"""Writes the models of the other engines from a plain graph; runs in their environment.

``peer_models.py GRAPH.npz`` puts ``.onnx``, ``.param`` and ``.bin``, ``.mnn`` and ``_sparse.mnn`` beside it.
"""

import json
import sys
from pathlib import Path

from ncnn_model import write_ncnn
from onnx_model import write_onnx
from plain_file import load

# MNN's compression parameters, a protobuf message: Pipeline {version "1", algo {type PRUNE, prune_params {type SIMD_OC,
# simd_oc_pruner_params {oc_blocks 4}}}}. It has the converter look for zeros that four filters share, as ours do.
SPARSE_BLOCKS_OF_4 = bytes.fromhex("0a0131 120a 0801 1a06 0801 1a02 2004")


def convert_mnn(onnx: Path, path: Path, sparse: bool) -> None:
    """MNN's own converter, called below its command, which would install and use a telemetry package."""
    import _tools

    options = ["-f", "ONNX", "--modelFile", str(onnx), "--MNNModel", str(path), "--bizCode", "mcpruner"]
    if sparse:
        parameters = path.with_suffix(".compression")
        parameters.write_bytes(SPARSE_BLOCKS_OF_4)
        options += ["--detectSparseSpeedUp", "--compressionParamsFile", str(parameters)]
    _tools.mnnconvert(["MNNConvert", *options])


def main(source: Path) -> None:
    """Write what each engine reads, and last a JSON file with a reason for each that could not be written."""
    graph, arrays = load(source)
    onnx, param, mnn, sparse = (source.with_suffix(suffix) for suffix in (".onnx", ".param", ".mnn", ".sparse.mnn"))
    writers = {
        "onnx": lambda: write_onnx(graph, arrays, onnx),
        "ncnn": lambda: write_ncnn(graph, arrays, param, source.with_suffix(".bin")),
        "mnn": lambda: convert_mnn(onnx, mnn, sparse=False),
        "mnn_sparse": lambda: convert_mnn(onnx, sparse, sparse=True),
    }
    failures = {}
    for name, write in writers.items():
        try:
            write()
        except Exception as error:  # whatever an engine's converter raises is the reason that is shown
            failures[name] = f"{type(error).__name__}: {error}"
    source.with_suffix(".json").write_text(json.dumps(failures) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
