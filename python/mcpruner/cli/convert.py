"""``mcpruner convert``: a pruned model into a .tflite that the plugin runs fast."""

import argparse
from typing import Any

from mcpruner.cli.common import add_command, check_different_files, output_file, progress, return_memory, table_stream


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "convert",
        "convert a pruned .keras, .h5, SavedModel or .tflite into a .tflite with packed layers",
        "mcpruner convert pruned.keras -o pruned.tflite --dense dense.tflite --target hikey970-cpu --values float16",
        run,
    )
    parser.add_argument("source", metavar="SRC", help=".keras or .h5 file, SavedModel folder or .tflite file")
    parser.add_argument("-o", "--output", type=output_file, required=True, metavar="OUT.tflite", help="file to write")
    parser.add_argument("--target", default="generic", help="hardware it is for (default: generic)")
    parser.add_argument(
        "--values",
        choices=("source", "float32", "float16", "int8"),
        default="source",
        help="how packed weights are stored (default: source, as the source has them)",
    )
    parser.add_argument(
        "--format",
        choices=("packed", "portable", "dense"),
        default="packed",
        help="packed: operators of the plugin (default); portable: builtin operators with sparse weights and, as "
        "metadata, the way to pack them; dense: the same with plain weights",
    )
    parser.add_argument(
        "--calibration",
        metavar="FILE.json",
        help="what `mcpruner calibrate` wrote on the machine that will run it (default: the target's shipped table)",
    )
    parser.add_argument(
        "--batch", type=int, metavar="N", help="fix the batch of a model that leaves it open (default: it stays open)"
    )
    parser.add_argument(
        "--threads",
        type=int,
        default=1,
        metavar="N",
        help="number of threads to predict for, 1 to 64 (default: 1); the file runs on any number",
    )
    parser.add_argument(
        "--dense",
        type=output_file,
        metavar="DENSE.tflite",
        help="write the dense file too, which `verify --against` and `benchmark --against` compare with",
    )
    parser.add_argument("--report", type=output_file, metavar="FILE.json", help="write what happened to each layer")


def run(args: argparse.Namespace) -> int:
    """Convert, print the table of layers."""
    check_different_files(args.output, args.dense, args.report)
    from mcpruner.converter.convert import check_wishes, convert_dense
    from mcpruner.converter.source import load_source
    from mcpruner.converter.tflite.fix_batch import with_batch
    from mcpruner.converter.whole_file import write_file

    return_memory()
    wishes = check_wishes(args.target, args.values, args.calibration, args.batch, args.format, args.threads)
    with progress(f"converting {args.source}"):
        dense = load_source(args.source)
        content, report = convert_dense(dense, wishes)
    write_file(args.output, content)
    if args.dense:
        write_file(args.dense, dense if args.batch is None else with_batch(dense, args.batch))
    if args.report:
        write_file(args.report, report.to_json())
    print(report.table(), end="", file=table_stream(args.output))
    return 0
