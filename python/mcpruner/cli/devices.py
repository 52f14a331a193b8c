"""``mcpruner devices``: what the plugin can use on this machine."""

import argparse
from typing import Any

from mcpruner.cli.common import add_command, print_json


def add_parser(commands: Any) -> None:
    """Declare the command and its options."""
    parser = add_command(
        commands,
        "devices",
        "show the machine, the TFLite runtimes, the plugin, and the instruction sets and OpenCL devices it can use",
        "mcpruner devices --json",
        run,
    )
    parser.add_argument(
        "--opencl-library", default="", help="path or name of libOpenCL, where it is not found by itself"
    )
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(args: argparse.Namespace) -> int:
    """Print what was found."""
    found = describe(args.opencl_library)
    if args.json:
        print_json(found)
        return 0
    print(f"machine           {found['machine']}")
    print(f"runtimes          {', '.join(found['runtimes']) or 'none: install ai-edge-litert'}")
    print(f"plugin            {found['plugin']}")
    print(f"CPU features      {', '.join(found['cpu_features'])}")
    print(f"instruction sets  {', '.join(found['simd_targets'])} (best first)")
    print(f"kernels           {', '.join(map(str, found['kernels']))}")
    opencl = found["opencl"]
    print(f"OpenCL            {opencl.get('unusable') or opencl['library']}")
    for device in opencl["devices"]:
        print(f"  {_opencl_line(device)}")
    return 0


def _opencl_line(device: dict[str, Any]) -> str:
    if device["unusable"]:
        return f"not usable      {device['name']} ({device['platform']}): {device['unusable']}"
    arithmetic = "half arithmetic" if device["half_arithmetic"] else "no half arithmetic"
    return (
        f"usable          {device['name']} ({device['platform']}, {device['type']}, {device['compute_units']} compute "
        f"units, {device['memory_bytes'] / 2**30:.1f} GiB, {arithmetic}, driver {device['driver']}, tiles of "
        f"{device['tiles']})"
    )


def _opencl(library: str) -> dict[str, Any]:
    from mcpruner import runtime

    try:
        return runtime.native().opencl_devices(library)
    except ValueError as error:
        return {"library": None, "devices": [], "unusable": str(error)}


def describe(opencl_library: str = "") -> dict[str, Any]:
    """What the plugin can use on this machine, as plain data (docs/cli.md names the keys).

    Parameters
    ----------
    opencl_library
        Path or name of libOpenCL; empty for the first that is found.

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
        "opencl": _opencl(opencl_library),
    }
