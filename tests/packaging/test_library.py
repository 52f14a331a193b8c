"""What the libraries export, need and allow: more would clash with, be missing from, or weaken somebody's app."""

import importlib.util
import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

import mcpruner

PLUGIN = Path(mcpruner.delegate_path())
NATIVE = Path(importlib.util.find_spec("mcpruner._native").origin)
PLUGIN_API = {"tflite_plugin_create_delegate", "tflite_plugin_destroy_delegate"}
C_API = {
    "McprunerDelegateCreate",
    "McprunerDelegateDelete",
    "McprunerDelegateSetProfiling",
    "McprunerDelegateProfileJson",
    "McprunerDelegateReportJson",
}
# libdl and libpthread are part of libc since glibc 2.34; the loader's name depends on the CPU.
ALLOWED = re.compile(r"(libc|libm|libstdc\+\+|libgcc_s|libpthread|libdl|ld-linux-[\w-]+)\.so\.\d+")
HEADER = Path(__file__).parents[2] / "delegate" / "tflite" / "mcpruner_delegate.h"
READ_ONLY_DATA = {".rodata", ".eh_frame", ".eh_frame_hdr", ".gcc_except_table", ".dynsym", ".dynstr"}

both = pytest.mark.parametrize("library", [PLUGIN, NATIVE], ids=lambda path: path.name)


@cache
def _read(library: Path, option: str) -> str:
    return subprocess.run(["readelf", "--wide", option, library], capture_output=True, text=True, check=True).stdout


def _symbols(library: Path, defined: bool) -> set[str]:
    rows = [line.split() for line in _read(library, "--dyn-syms").splitlines()]
    return {
        row[7].split("@")[0]
        for row in rows
        if len(row) > 7 and row[4] in ("GLOBAL", "WEAK", "UNIQUE") and (row[6] != "UND") == defined
    }


def _segments(library: Path) -> dict[int, tuple[str, str, set[str]]]:
    """Type, flags and sections of each segment."""
    headers, _, mapping = _read(library, "--program-headers").partition("Section to Segment mapping:")
    sections = {int(number): set(names.split()) for number, names in re.findall(r"^ +(\d\d) +(.*)$", mapping, re.M)}
    rows = re.findall(r"^  (\w+) +0x\w+ 0x\w+ 0x\w+ 0x\w+ 0x\w+ ([RWE ]{3}) ", headers, re.M)
    return {number: (kind, flags, sections[number]) for number, (kind, flags) in enumerate(rows)}


def test_plugin_exports_its_entry_points_and_the_c_api_only() -> None:
    assert _symbols(PLUGIN, defined=True) == PLUGIN_API | C_API


def test_native_module_exports_its_init_function_only() -> None:
    assert _symbols(NATIVE, defined=True) == {"PyInit__native"}


def test_header_declares_what_is_exported() -> None:
    assert set(re.findall(r"^MCPRUNER_EXPORT .*\b(McprunerDelegate\w+)\(", HEADER.read_text(), re.M)) == C_API


def test_an_app_that_links_the_plugin_records_its_name_and_no_path() -> None:
    assert re.findall(r"\(SONAME\).*\[(.+)\]", _read(PLUGIN, "--dynamic")) == ["libmcpruner_delegate.so"]


@both
def test_needs_the_c_and_cpp_runtimes_only(library: Path) -> None:
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", _read(library, "--dynamic"))
    assert needed
    assert [name for name in needed if not ALLOWED.fullmatch(name)] == []


@both
def test_has_no_search_path_of_this_machine(library: Path) -> None:
    assert re.findall(r"\((?:RPATH|RUNPATH)\).*", _read(library, "--dynamic")) == []


def test_segments_suit_pages_of_16_kib() -> None:
    lines = _read(PLUGIN, "--program-headers").splitlines()
    alignments = [int(line.split()[-1], 16) for line in lines if " LOAD " in line]
    assert alignments
    assert all(alignment % 16384 == 0 for alignment in alignments)


@both
def test_what_is_executable_is_code_only(library: Path) -> None:
    segments = _segments(library).values()
    executable = [sections for kind, flags, sections in segments if kind == "LOAD" and "E" in flags]
    assert executable
    for sections in executable:
        assert ".text" in sections
        assert sections & READ_ONLY_DATA == set()
    assert [flags for kind, flags, _ in segments if kind == "LOAD" and "W" in flags and "E" in flags] == []
    assert [flags for kind, flags, _ in segments if kind == "GNU_STACK"] == ["RW "]


@both
def test_what_is_relocated_is_read_only_afterwards(library: Path) -> None:
    (relro,) = (sections for kind, _, sections in _segments(library).values() if kind == "GNU_RELRO")
    assert {".dynamic", ".data.rel.ro"} <= relro
    assert re.search(r"\(FLAGS_1\).*\bNOW\b", _read(library, "--dynamic"))  # so that the rest of the table is too


@both
def test_calls_that_write_check_the_size_of_what_they_write_to(library: Path) -> None:
    """`_FORTIFY_SOURCE`: the C library's functions under the names that take the size."""
    assert {name for name in _symbols(library, defined=False) if re.fullmatch(r"__\w+_chk", name)} - {
        "__stack_chk_fail"
    }
