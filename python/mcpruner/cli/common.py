"""What the sub-commands share: files, JSON on stdout, progress on stderr."""

import argparse
import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TextIO

MISMATCH = 1  # This is the exit status where a comparison failed.
BAD_INPUT = 2  # This is the exit status where mcpruner cannot use what it was given.


def read_tflite(path: str) -> bytes:
    """Read a .tflite file; ValueError with one sentence where it is none."""
    content = Path(path).read_bytes()
    if content[4:8] != b"TFL3":
        raise ValueError(f"{path} is not a .tflite file: it does not carry the identifier TFL3.")
    return content


def read_array(path: str) -> Any:
    """Read the array in a .npy file; ValueError with one sentence where there is none."""
    import numpy as np

    try:
        array = np.load(path, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise ValueError(f"{path} is not a .npy file of numbers: {error}") from error
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{path} holds several arrays; a .npy file of one is needed.")
    return array


def return_memory() -> None:
    """Let TensorFlow give back what it no longer needs: with oneDNN's kernels, its allocator keeps all for itself.

    They make inferences faster, so this is for commands without any. It must come before TensorFlow is loaded.
    """
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")


def add_input_options(parser: Any) -> None:
    """Declare ``--inputs`` and ``--shape``: what a model is run on."""
    given = parser.add_mutually_exclusive_group()
    given.add_argument("--inputs", metavar="FILE.npy", help="array [samples, ...] to run (default: normal noise)")
    given.add_argument(
        "--shape",
        type=named_shape,
        action="append",
        metavar="N,N,...",
        help="shape of the noise, for a model that leaves sizes open; NAME=N,N,... for one of several inputs, repeated",
    )


def named_shape(text: str) -> tuple[str, list[int]]:
    """``"x=1,224,224,3"``, or a shape alone with an empty name, for argparse."""
    name, _, sizes = text.rpartition("=")
    return name, positive_list(sizes)


def read_shapes(given: list[tuple[str, list[int]]] | None) -> Any:
    """What ``--shape`` gave, as `mcpruner.verify` takes it; ValueError where a shape is given twice."""
    shapes = dict(given or ())
    if len(shapes) != len(given or ()) or ("" in shapes and len(shapes) > 1):
        raise ValueError("There are several shapes for one input: give each with its name, NAME=N,N,..., once.")
    return shapes.get("", shapes or None)


def table_stream(output: str) -> TextIO:
    """Where the table goes that describes the file `output`: stdout, or stderr where stdout takes the file."""
    from mcpruner.converter.whole_file import own_stream

    return sys.stderr if own_stream(output) == 1 else sys.stdout


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2))


@contextlib.contextmanager
def progress(description: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """A progress bar (a spinner when `total` is unknown) on stderr while the block runs, on a terminal only.

    Yields the function to call after each of `total` steps.
    """
    if not sys.stderr.isatty():
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import Progress

    # A descriptor of its own: conversion sends descriptor 2 away while TensorFlow talks.
    with (
        os.fdopen(os.dup(sys.stderr.fileno()), "w") as terminal,
        Progress(console=Console(file=terminal), transient=True) as bar,
    ):
        task = bar.add_task(description, total=total)
        yield lambda: bar.advance(task)


def add_command(commands: Any, name: str, help_text: str, example: str, run: Callable[[Any], int]) -> Any:
    """Add a sub-command's parser, whose --help ends with an example; `run(args)` returns the exit status."""
    parser = commands.add_parser(
        name,
        help=help_text,
        description=help_text[0].upper() + help_text[1:] + ".",
        epilog=f"example:\n  {example}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.set_defaults(run=run)
    return parser


def output_file(text: str) -> str:
    """Check that a file can be written, for argparse: a command of minutes must not end for want of its folder."""
    from mcpruner.converter.whole_file import check_writable

    path = Path(text).absolute()
    if path.is_dir():
        raise argparse.ArgumentTypeError(f"expected a file to write; {path} is a folder")
    if not path.parent.is_dir():
        raise argparse.ArgumentTypeError(f"expected a file in a folder that exists; {path.parent} is none")
    try:
        check_writable(text)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} cannot be written: {error.strerror}") from error
    return text


def check_different_files(*outputs: str | None) -> None:
    """Refuse to write one file over another; None is a file that nobody asked for."""
    places = set()
    for output in filter(None, outputs):
        place = os.path.realpath(output)
        if place in places:
            raise ValueError(f"Two files are to be written to {output}: give one of them another name.")
        places.add(place)


def positive(text: str) -> int:
    """An integer of at least 1, for argparse."""
    with contextlib.suppress(ValueError):
        if int(text) >= 1:
            return int(text)
    raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, got {text!r}")


def positive_list(text: str) -> list[int]:
    """Integers of at least 1, separated by commas, for argparse."""
    return [positive(part) for part in text.split(",")]


def not_negative(text: str) -> float:
    """A number of at least 0, for argparse."""
    with contextlib.suppress(ValueError):
        if 0 <= float(text) < float("inf"):
            return float(text)
    raise argparse.ArgumentTypeError(f"expected a number of at least 0, got {text!r}")
