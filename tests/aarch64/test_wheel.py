"""The wheel for aarch64: what it carries, what it needs, and that it works in each emulated runtime."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import emulator
import numpy as np
import op_models
import pytest
from name_wheels import tag

import mcpruner

# Bytes. It had 1,575,064 on 2026-12-01 at a3854ca, 98,304 more than a day before at 62067dc, in steps of 65,536 by
# which its parts are aligned: TFLite's sparse tensors, plans, expanders, measured decisions and version 2 of the format
# are read, and functions run in registers of convolutions, for "neon" and for "scalar", whose plain loops are more than
# 93,000 of them. Android's bar is 2.2 million.
LARGEST_PLUGIN = 1_600_000
# What the plugin needs at most. glibc 2.34 and GCC 12's library came in 2021 and 2022.
NEWEST = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 30), "CXXABI": (1, 3, 13), "GCC": (3, 0)}


def _read(plugin: Path, option: str) -> str:
    return subprocess.run(["readelf", "--wide", option, plugin], capture_output=True, text=True, check=True).stdout


def test_is_named_for_aarch64(wheel: Path) -> None:
    assert wheel.name.endswith("-cp311-cp311-linux_aarch64.whl")
    assert re.fullmatch(r"manylinux_2_\d\d_aarch64", tag(wheel))


def test_every_library_is_for_aarch64(package: Path) -> None:
    libraries = list(package.rglob("*.so"))
    assert sorted(library.name for library in libraries) == ["_native.so", "libmcpruner_delegate.so"]
    for library in libraries:
        assert re.search(r"Machine:\s+AArch64", _read(library, "--file-header"))


def test_plugin_is_small_and_without_symbols(plugin: Path) -> None:
    size = plugin.stat().st_size
    print(f"{size} bytes")
    assert size < LARGEST_PLUGIN
    assert ".symtab" not in _read(plugin, "--section-headers")


def test_plugin_needs_no_newer_libraries(plugin: Path) -> None:
    needed = re.findall(r"Name: (\w+?)_([\d.]+)\s+Flags", _read(plugin, "--version-info"))
    assert {name for name, _ in needed} <= NEWEST.keys()
    for name, version in needed:
        assert tuple(map(int, version.split("."))) <= NEWEST[name], f"{name}_{version}"


def test_plugin_exports_what_this_machines_does(plugin: Path) -> None:
    def exported(path: Path) -> set[str]:
        return set(re.findall(r" (?:GLOBAL|WEAK)\s+DEFAULT\s+\d+ (\w+)", _read(path, "--dyn-syms")))

    assert exported(plugin) == exported(Path(mcpruner.delegate_path())) != set()


@pytest.mark.parametrize("runtime", emulator.RUNTIMES)
def test_package_works_in_the_emulated_runtime(package: Path, runtime: str, tmp_path: Path) -> None:
    """The Python package, its native module and its plugin together, as a user on ARM has them."""
    (tmp_path / "model.tflite").write_bytes(op_models.build("conv_same"))
    np.save(tmp_path / "x.npy", op_models.inputs("conv_same", 1))
    script = (
        "import numpy as np, mcpruner, mcpruner._native as native\n"
        "net = mcpruner.Interpreter(model_path='model.tflite', backend='cpu')\n"
        "net.allocate_tensors()\n"
        "net.set_tensor(net.get_input_details()[0]['index'], np.load('x.npy'))\n"
        "net.set_profiling()\n"
        "net.invoke()\n"
        "print(native.simd_targets(), [node['taken'] for node in net.report()['nodes']])\n"
        "print([op['kernel'] for op in net.profile()])\n"
    )
    command = [*emulator.python(runtime, package=package), "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    *_, targets, kernels = done.stdout.splitlines()
    assert targets == "['neon', 'neon_a53', 'scalar'] [True, True]"
    assert "'conv g4 neon_mixed'" in kernels  # the Kirin 970's cores are of two kinds
