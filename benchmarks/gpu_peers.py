"""ncnn's Vulkan backend on dense networks, batch 1: what stands beside ours on a GPU (docs/opencl.md).

    network.param ── weights made here ── ncnn on the CPU ── compared ── ncnn on the GPU ── timed

``make bench-peers`` leaves the ``.param`` files (text, no weights) in ``out/benchmarks``; a machine that has the GPU
needs those, ncnn's wheel and NumPy, and a Vulkan driver. Times are whole inferences as the caller sees them, with the
copies at both ends.

Usage: ``python gpu_peers.py resnet18.param vgg16.param --runs 50 > ncnn.json``
"""

import argparse
import json
import math
import struct
import sys
import time
from pathlib import Path
from typing import Any

import ncnn
import numpy as np

_TOLERANCE = 1e-2  # of the largest output: ncnn computes in halves where the driver likes to


def write_weights(param: Path, path: Path) -> tuple[int, int, int]:
    """Write He-normal weights for a ``.param`` file; the shape of its input: channels, height, width."""
    rng, shape = np.random.default_rng(0), (0, 0, 0)
    with path.open("wb") as file:
        for line in param.read_text().splitlines()[2:]:
            kind, _, inputs, outputs, *rest = line.split()
            fields = dict(field.split("=") for field in rest[int(inputs) + int(outputs) :])
            if kind == "Input":
                shape = (int(fields["2"]), int(fields["1"]), int(fields["0"]))
            size = {"Convolution": "6", "ConvolutionDepthWise": "6", "InnerProduct": "2"}.get(kind)
            if size is not None:
                filters, count = int(fields["0"]), int(fields[size])
                weights = rng.standard_normal(count, np.float32) * math.sqrt(2 * filters / count)
                file.write(struct.pack("<I", 0) + weights.tobytes() + np.zeros(filters, np.float32).tobytes())
    return shape


def load(param: Path, weights: Path, vulkan: bool) -> ncnn.Net:
    """A network in float32; RuntimeError where ncnn cannot load it."""
    net = ncnn.Net()
    net.opt.use_vulkan_compute = vulkan
    for option in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic", "use_bf16_packed", "use_bf16_storage"):
        setattr(net.opt, option, False)
    if net.load_param(str(param)) or net.load_model(str(weights)):
        raise RuntimeError(f"ncnn cannot load {param}")
    return net


def infer(net: ncnn.Net, image: ncnn.Mat) -> np.ndarray:
    """One inference; RuntimeError where it fails."""
    extractor = net.create_extractor()
    extractor.input("input", image)
    status, output = extractor.extract("output")
    if status:
        raise RuntimeError(f"ncnn: extract returned {status}")
    return np.array(output)


def measure(param: Path, runs: int) -> dict[str, Any]:
    """Compare the GPU with the CPU, then time it."""
    path = param.with_suffix(".bin")
    shape = write_weights(param, path)
    x = np.random.default_rng(1).uniform(-1, 1, shape).astype(np.float32)
    image = ncnn.Mat(x).clone()
    expected = infer(load(param, path, vulkan=False), image)
    net = load(param, path, vulkan=True)
    error = float(np.abs(infer(net, image) - expected).max() / np.abs(expected).max())
    if not error < _TOLERANCE:
        raise RuntimeError(f"{param}: the GPU is off by {error:.2e} of the largest output, nothing is timed")
    times = []
    for _ in range(runs):
        begin = time.perf_counter()
        infer(net, image)
        times.append((time.perf_counter() - begin) * 1e6)
    return {"network": param.stem, "error": error, "median_us": float(np.median(times)), "min_us": min(times)}


def main() -> int:
    """Print one JSON document; 1 where there is no Vulkan device."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("params", nargs="+", type=Path, metavar="NETWORK.param")
    parser.add_argument("--runs", type=int, default=50, help="timed inferences of each (default: 50)")
    options = parser.parse_args()
    if ncnn.get_gpu_count() == 0:
        print("gpu_peers: ncnn finds no Vulkan device: install libvulkan1 and the GPU's driver.", file=sys.stderr)
        return 1
    results = [measure(param, options.runs) for param in options.params]
    device = ncnn.get_gpu_info(ncnn.get_default_gpu_index()).device_name()
    print(json.dumps({"engine": f"ncnn {ncnn.__version__}", "device": device, "results": results}, indent=2))
    return 0


if __name__ == "__main__":
    sys.exit(main())
