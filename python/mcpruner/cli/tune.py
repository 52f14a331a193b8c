"""``mcpruner tune``: measure on this machine's GPU how to cut the work of a model's convolutions."""

import argparse
from typing import Any

from mcpruner.cli.common import add_command, read_tflite


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "tune",
        "measure on the OpenCL device how to cut the work of a model's convolutions, and keep it for later starts",
        "mcpruner tune pruned.tflite --cache-dir ~/.cache/mcpruner",
        run,
    )
    parser.add_argument("file", metavar="FILE.tflite", help="converted file")
    parser.add_argument(
        "--cache-dir", required=True, metavar="DIR", help="existing folder that keeps tiles and compiled programs"
    )
    parser.add_argument(
        "--precision", choices=("float32", "float16_storage", "float16"), default="float32", help="default: float32"
    )
    parser.add_argument("--opencl-library", help="path or name of libOpenCL, where it is not found by itself")


def run(args: argparse.Namespace) -> int:
    """Tune; the plugin itself prints a line for each convolution. What is known already is not measured again."""
    content = read_tflite(args.file)
    from mcpruner.runtime import Interpreter

    interpreter = Interpreter(
        model_content=content,
        backend="opencl",
        verbosity=1,
        precision=args.precision,
        cache_dir=args.cache_dir,
        opencl_library=args.opencl_library,
        tune=True,
    )
    interpreter.allocate_tensors()
    partitions = interpreter.report()["partitions"]
    for partition in partitions:
        if partition["backend"] != "opencl":
            raise RuntimeError(f"nothing was tuned: {partition['reason']}.")
    if not partitions:
        raise RuntimeError(f"nothing was tuned: the plugin takes no node of {args.file} (see mcpruner inspect).")
    print(f"tuned; start with backend=opencl and cache_dir={args.cache_dir}")
    return 0
