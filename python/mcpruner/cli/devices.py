"""``mcpruner devices``: what the plugin can use on this machine."""

import argparse
from typing import Any

from mcpruner.cli.common import add_command, print_json


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "devices",
        "show the machine, the TFLite runtimes, the plugin and the instruction sets it can use",
        "mcpruner devices --json",
        run,
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(args: argparse.Namespace) -> int:
    """Print what was found."""
    found = describe()
    if args.json:
        print_json(found)
        return 0
    print(f"machine           {found['machine']}")
    print(f"runtimes          {', '.join(found['runtimes']) or 'none: install ai-edge-litert'}")
    print(f"plugin            {found['plugin']}")
    print(f"CPU features      {', '.join(found['cpu_features'])}")
    print(f"instruction sets  {', '.join(found['simd_targets'])} (best first)")
    print(f"kernels           {', '.join(map(str, found['kernels']))}")
    return 0


def describe() -> dict[str, Any]:
    """The same as plain data.

    Raises
    ------
    FileNotFoundError, ImportError
        The plugin or the native module is missing.
    """
    from mcpruner import runtime
    from mcpruner.machine import machine_name

    plugin, native = runtime.delegate_path(), runtime.native()
    return {
        "machine": machine_name(),
        "runtimes": runtime.installed_runtimes(),
        "plugin": plugin,
        "cpu_features": native.cpu_features(),
        "simd_targets": native.simd_targets(),
        "kernels": native.kernels(),
    }
