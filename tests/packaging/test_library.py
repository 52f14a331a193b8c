"""What the plugin exports and needs: anything more would clash with, or be missing from, somebody's app."""

import re
import subprocess
from pathlib import Path

import mcpruner

PLUGIN_API = {"tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate"}
C_API = {
    "McprunerDelegateOptionsDefault",
    "McprunerDelegateCreate",
    "McprunerDelegateDelete",
    "McprunerDelegateSetProfiling",
    "McprunerDelegateProfileJson",
    "McprunerDelegateReportJson",
}
# libdl and libpthread are part of libc since glibc 2.34; the loader's name depends on the CPU.
ALLOWED = re.compile(r"(libc|libm|libstdc\+\+|libgcc_s|libpthread|libdl|ld-linux-[\w-]+)\.so\.\d+")
HEADER = Path(__file__).parents[2] / "delegate" / "tflite" / "mcpruner_delegate.h"


def _dynamic(option: str) -> str:
    return subprocess.run(
        ["readelf", "--wide", option, mcpruner.delegate_path()], capture_output=True, text=True, check=True
    ).stdout


def test_exports_the_plugin_and_the_c_api_only() -> None:
    rows = [line.split() for line in _dynamic("--dyn-syms").splitlines()]
    exported = {
        row[7].split("@")[0] for row in rows if len(row) > 7 and row[4] in ("GLOBAL", "WEAK") and row[6] != "UND"
    }
    assert exported == PLUGIN_API | C_API


def test_header_declares_what_is_exported() -> None:
    assert set(re.findall(r"\b(McprunerDelegate\w+)\(", HEADER.read_text())) == C_API


def test_needs_the_c_and_cpp_runtimes_only() -> None:
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", _dynamic("--dynamic"))
    assert needed
    assert [name for name in needed if not ALLOWED.fullmatch(name)] == []


def test_has_no_search_path_of_this_machine() -> None:
    assert re.findall(r"\((?:RPATH|RUNPATH)\).*", _dynamic("--dynamic")) == []


def test_segments_suit_pages_of_16_kib() -> None:
    alignments = [int(line.split()[-1], 16) for line in _dynamic("--program-headers").splitlines() if " LOAD " in line]
    assert alignments
    assert all(alignment % 16384 == 0 for alignment in alignments)
