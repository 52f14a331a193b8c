"""Entry point of ``mcpruner``.

Results go to stdout, messages to stderr. The exit status is 0, or 1 when a comparison found a mismatch, or 2 after one
sentence about what was given: a file that is missing or damaged, an option that is wrong, a part that is not installed.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from mcpruner.cli import benchmark, calibrate, convert, devices, inspect, prune, tune, verify
from mcpruner.cli.common import BAD_INPUT

_COMMANDS = (convert, prune, inspect, verify, benchmark, calibrate, tune, devices)


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; the usage is in --help."""

    def error(self, message: str) -> NoReturn:
        self.exit(BAD_INPUT, f"{self.prog}: {message} (see {self.prog} --help)\n")


def parser() -> argparse.ArgumentParser:
    """The command line of ``mcpruner``."""
    result = _Parser(prog="mcpruner", description="Prune convolutional networks for TFLite and run them fast.")
    commands = result.add_subparsers(title="commands", required=True, metavar="COMMAND", parser_class=_Parser)
    for command in _COMMANDS:
        command.add_parser(commands)
    return result


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    _open_what_is_closed()
    args = parser().parse_args(arguments)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # TensorFlow's start-up notices are no message of ours
    try:
        status = args.run(args)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # the reader of stdout, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except (ValueError, TypeError, OSError, RuntimeError, ImportError) as error:
        print(f"mcpruner: {_sentence(error)}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _open_what_is_closed() -> None:
    """Let a standard stream that the caller closed lead to nowhere: the next file opened would take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, Path(os.devnull).open(mode))  # noqa: SIM115 - for as long as the process lives


def _sentence(error: Exception) -> str:
    """The error's message in one line, without the name that the plugin's own messages begin with."""
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{error.filename}: {error.strerror}."
    if isinstance(error, UnicodeDecodeError):
        return "A name in the file is not UTF-8 text: the file is damaged, make it again."
    return " ".join(str(error).replace("mcpruner: ", "").split()) or type(error).__name__
