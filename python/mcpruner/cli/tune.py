"""``mcpruner tune``: measure on this machine what the plugin otherwise predicts, and keep it for later starts."""

import argparse
from typing import Any

from mcpruner.cli.common import (
    add_command,
    add_input_options,
    positive,
    progress,
    read_array,
    read_shapes,
    read_tflite,
)


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "tune",
        "measure which partitions of a model the plugin runs faster than TFLite here, or with --backend opencl how to "
        "cut the work of its convolutions, and keep it for later starts",
        "mcpruner tune pruned.tflite --cache-dir ~/.cache/mcpruner --threads 2",
        run,
    )
    parser.add_argument("file", metavar="FILE.tflite", help="converted file, or any other pruned one")
    parser.add_argument("--cache-dir", required=True, metavar="DIR", help="existing folder that keeps what is measured")
    parser.add_argument(
        "--backend",
        choices=("auto", "opencl"),
        help="auto: decide of partitions (default); opencl: measure tiles on the OpenCL device (default with the last "
        "two options)",
    )
    parser.add_argument(
        "--threads", type=positive, metavar="N", help="number of threads that it is measured for (default: 1)"
    )
    parser.add_argument("--costs", metavar="FILE.json", help="what `calibrate` wrote, if apps give it to the plugin")
    parser.add_argument(
        "--runs", type=positive, metavar="N", help="timed runs of each choice (default: those of 3 seconds)"
    )
    add_input_options(parser)
    parser.add_argument(
        "--precision", choices=("float32", "float16_storage", "float16"), help="of opencl (default: float32)"
    )
    parser.add_argument("--opencl-library", help="path or name of libOpenCL, where it is not found by itself")


def run(args: argparse.Namespace) -> int:
    """Tune what was asked for."""
    opencl = {"precision": args.precision, "opencl_library": args.opencl_library}
    backend = args.backend or ("opencl" if any(opencl.values()) else "auto")
    of_auto = {name: getattr(args, name) for name in ("threads", "costs", "runs", "inputs", "shape")}
    for name, value in (of_auto if backend == "opencl" else opencl).items():
        if value is not None:
            raise ValueError(f"Option --{name.replace('_', '-')} means nothing with backend {backend}: leave it out.")
    content = read_tflite(args.file)
    return _tune_tiles(args, content) if backend == "opencl" else _tune_partitions(args, content)


def _tune_tiles(args: argparse.Namespace, content: bytes) -> int:
    """The plugin itself prints a line for each convolution. What is known already is not measured again."""
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


def _tune_partitions(args: argparse.Namespace, content: bytes) -> int:
    """Measure, keep, print."""
    inputs, shapes = read_array(args.inputs) if args.inputs else None, read_shapes(args.shape)
    from mcpruner import tuning

    with progress(f"tuning {args.file}") as tick:
        result = tuning.tune(
            content,
            args.cache_dir,
            num_threads=args.threads or 1,
            costs=args.costs,
            runs=args.runs,
            inputs=inputs,
            shapes=shapes,
            tick=tick,
        )
    print(describe(result))
    if result["file"]:
        others = f"num_threads={result['num_threads']}" + (f", costs={args.costs}" if args.costs else "")
        print(f"kept in {result['file']}")
        print(f"start with backend=auto, cache_dir={args.cache_dir}, {others}")
    return 0


def describe(result: dict[str, Any]) -> str:
    """A table of the partitions, and what they come to together."""
    from mcpruner.text import table

    rows = [
        [
            number,
            partition["name"],
            partition["operators"],
            partition["layers"],
            f"{partition['predicted_speedup']:.2f}",
            f"{partition['measured_speedup']:.2f}",
            "take" if partition["taken"] else "leave",
            "" if partition["taken"] == partition["predicted"] else "other than predicted",
        ]
        for number, partition in enumerate(result["partitions"])
    ]
    headers = ["partition", "first operator", "operators", "layers", "predicted", "measured", "decision", ""]
    threads = "1 thread" if result["num_threads"] == 1 else f"{result['num_threads']} threads"
    together = (
        f"without the plugin {result['without_ms']:.3f} ms ({threads}, {result['clock']}'s clock); as auto predicts "
        f"{result['auto_speedup']:.2f} times as fast, as measured {result['kept_speedup']:.2f} times"
    )
    nothing = "nothing to decide: there is no partition of convolutions or dense layers that TFLite could run as well"
    origin = f"{result['runtime']} on {result['machine']}; {result['date']}, {result['commit']}"
    return "\n".join([origin, table(headers, rows) if rows else nothing, together])
