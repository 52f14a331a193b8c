"""The rules of tools/lint.py, each on a source that breaks it and on one that does not."""

import re
from collections.abc import Iterable
from pathlib import Path

import lint
import pytest


def _findings(name: str, text: str) -> list[str]:
    return [finding.removeprefix(f"{name}:") for finding in lint.findings(lint.ROOT / name, text)]


def _python(lines: int, docstring: str = "") -> str:
    return "@cache\ndef long(x):\n" + docstring + "    x += 1\n" * (lines - 1)


def _cpp(signature: str, lines: int) -> str:
    return signature + " {\n" + "  f('{', \"}\");  // }\n" * (lines - 2) + "}\n"


def test_file_size() -> None:
    assert _findings("a.py", "x = 1\n" * 399) == []
    assert _findings("a.cc", "int x;\n" * 400) == ["1: 400 lines; a file must stay below 400"]
    assert _findings("a.json", "1\n" * 400) == []


def test_width_of_lines() -> None:
    line = "// " + "x" * 117
    assert _findings("a.h", f"{line}\n{line}x\n") == ["2: 121 characters; a line has at most 120"]
    assert _findings("a.md", f"{line}x\n") == []


def test_python_function_size() -> None:
    assert _findings("a.py", _python(49)) == []
    assert _findings("a.py", _python(50)) == ["2: long: 50 lines; a function must stay below 50"]
    assert _findings("a.py", _python(49, '    """One.\n\n    Two.\n    """\n')) == []


@pytest.mark.parametrize(
    "signature",
    [
        "Status Read(Span<const uint8_t> bytes)",
        "TEST(Reader, Refuses)",
        "Graph::Graph(int size) : size_(size)",
        "int Size() const",
        "auto Find(int x) -> std::vector<int>",
        "  void Run(int a,\n           int b) override",
    ],
)
def test_cpp_function_size(signature: str) -> None:
    assert _findings("a.cc", _cpp(signature, 49)) == []
    (finding,) = _findings("a.cc", _cpp(signature, 50))
    assert finding.endswith("50 lines; a function must stay below 50")


@pytest.mark.parametrize("signature", ["int Size() const\n", "Graph::Graph(int size)\n    : size_(size)\n"])
def test_cpp_function_whose_brace_stands_alone(signature: str) -> None:
    assert _findings("a.cc", _cpp(signature, 48)) == []
    (finding,) = _findings("a.cc", _cpp(signature, 49))
    assert finding.endswith("50 lines; a function must stay below 50")
    assert _findings("a.cc", _cpp("int Size() {\n  if (a)\n", 30) + "}\n" + _cpp("  f();\n", 60)) == []


@pytest.mark.parametrize(
    "head", ["  if (a)", "  for (int x : y)", "namespace a", "  } else if (b)", "  auto f = [&](int x)"]
)
def test_other_cpp_blocks_are_no_functions(head: str) -> None:
    assert _findings("a.cc", _cpp(head, 60)) == []


@pytest.mark.parametrize(
    "text",
    ["pip install --index" + "-url X", "see https://pypi" + ".org/simple", "cd /" + "work/main", "'/" + "home/me/x'"],
)
def test_registries_and_folders_of_one_machine(text: str) -> None:
    (finding,) = _findings("notes.md", "fine\n" + text + "\n")
    assert finding.startswith("2: ")
    assert finding.endswith("names a registry or a folder of one machine")


@pytest.mark.parametrize(
    "text", ["cc/work/x", "third_party/work/", "../shared/data", "/usr/src/googletest", "a / work / b"]
)
def test_other_paths_are_fine(text: str) -> None:
    assert _findings("notes.md", text + "\n") == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("converter/mask/a.py", "from mcpruner.converter.cost.latency import Latency"),
        ("converter/mask/a.py", "from mcpruner.converter import cost"),
        ("converter/mask/a.py", "def f():\n    import mcpruner.converter.tflite.model as model"),
        ("converter/mask/a.py", "from ..cost import latency"),
        ("converter/training/a.py", "from mcpruner.converter.convert import convert"),
        ("converter/cost/a.py", "from mcpruner.runtime import Interpreter"),
        ("converter/convert.py", "from mcpruner import runtime"),
        ("converter/target.py", "from mcpruner.converter.cost.cost_model import load_costs"),
        ("converter/options.py", "from mcpruner.converter.mask.mask import choose_mask"),
        ("converter/any_room/a.py", "from mcpruner.converter.target import Target"),
        ("converter/mask/a.py", "importlib.import_module('mcpruner.converter.cost.latency')"),
        ("converter/mask/a.py", "importlib.import_module('..cost.latency', __package__)"),
        ("converter/mask/a.py", "importlib.import_module(package=__package__, name='..cost.latency')"),
    ],
)
def test_imports_against_the_order_of_the_rooms(name: str, line: str) -> None:
    (finding,) = _findings(name, line + "\n")
    assert re.match(r"\d: imports mcpruner\.[\w.]+, which docs/architecture\.md does not let \w+ import$", finding)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("converter/cost/a.py", "from mcpruner.converter.mask import mask"),
        ("converter/cost/a.py", "from .cost_model import load_costs"),
        ("converter/cost/a.py", "from mcpruner.converter.target import Target\nimport numpy"),
        ("converter/options.py", "from mcpruner.converter.target import Target"),
        ("converter/source.py", "from mcpruner.converter.training.single import plain_single"),
        ("converter/__init__.py", "from mcpruner.converter import old_paths"),
        ("python/mcpruner/a.py", "from mcpruner.converter.tflite.model import read_model"),
    ],
)
def test_imports_along_the_order_of_the_rooms(name: str, line: str) -> None:
    assert _findings(name, line + "\n") == []


@pytest.mark.parametrize("room", ["format", "mask", "cost", "tflite"])
@pytest.mark.parametrize("line", ["import keras", "def f():\n    from tensorflow import keras"])
def test_rooms_that_do_without_keras(room: str, line: str) -> None:
    (finding,) = _findings(f"converter/{room}/a.py", line + "\n")
    assert re.fullmatch(rf"\d: imports (keras|tensorflow), which converter/{room}/ does without", finding)
    assert _findings("converter/training/a.py", line + "\n") == []


def test_rooms_stand_above_what_they_import_and_say_so() -> None:
    converter = lint.ROOT / "converter"
    assert set(lint.ROOMS) == {path.parent.name for path in converter.glob("*/__init__.py")}
    below = set()
    for room, allowed in lint.ROOMS.items():
        assert allowed <= below, room
        assert all(lint.ROOMS[other] <= allowed for other in allowed), room
        sentence = re.search(r"This room.*imports ([^;.]*)\.", (converter / room / "__init__.py").read_text(), re.S)[1]
        assert set(re.findall(r"`(\w+)`", sentence)) == allowed, room
        below.add(room)


@pytest.mark.parametrize(
    ("name", "include"),
    [
        ("delegate/cpu/step/a.h", "delegate/cpu/kernels/micro_kernels.h"),
        ("delegate/cpu/kernels/conv/a.cc", "delegate/cpu/engine/executable.h"),
        ("delegate/cpu/kernels/conv/a.cc", "delegate/tflite/abi/tflite_abi.h"),
        ("delegate/graph/backend.h", "delegate/graph/passes/fusion.h"),
        ("delegate/graph/backend.h", "delegate/cpu/cpu_backend.h"),
        ("delegate/opencl/ops/conv/a.cc", "delegate/opencl/run/executable.h"),
        ("delegate/opencl/run/a.cc", "delegate/opencl/opencl_backend.h"),
        ("delegate/opencl/driver/a.cc", "delegate/graph/graph.h"),
        ("delegate/tflite/parse/a.cc", "delegate/tflite/lower/lower.h"),
        ("delegate/tflite/run/a.cc", "python/native/layer_runner.h"),
        ("delegate/opencl/ops/conv/a.cl", "delegate/opencl/run/executable.h"),
        ("delegate/base/a.hpp", "delegate/graph/graph.h"),
        ("delegate/base/a.c", "delegate/graph/graph.h"),
    ],
)
def test_includes_against_the_order_of_the_rooms(name: str, include: str) -> None:
    (finding,) = _findings(name, f'// A comment.\n#include "{include}"\n')
    assert finding.startswith(f"2: includes {include}, which docs/architecture.md does not let ")


@pytest.mark.parametrize(
    ("name", "include"),
    [
        ("delegate/cpu/kernels/conv/a.cc", "delegate/cpu/kernels/pack/pack_step.h"),
        ("delegate/cpu/kernels/conv/a.cc", "delegate/base/span.h"),
        ("delegate/cpu/kernels/conv/a.cc", "flatbuffers/flatbuffers.h"),
        ("delegate/cpu/kernels/conv/a_test.cc", "delegate/cpu/cpu_backend.h"),
        ("delegate/cpu/kernels/conv/bench.cc", "delegate/cpu/cpu_backend.h"),
        ("delegate/opencl/bench/a.cc", "delegate/graph/testing/pattern_layer.h"),
        ("delegate/fuzz/a.cc", "delegate/tflite/options/options.h"),
        ("delegate/tflite/plugin/a.cc", "delegate/tflite/mcpruner_delegate.h"),
        ("python/native/a.cc", "delegate/opencl/opencl_backend.h"),
    ],
)
def test_includes_along_the_order_of_the_rooms(name: str, include: str) -> None:
    assert _findings(name, f'#include "{include}"\n') == []


@pytest.mark.parametrize(
    "include",
    [
        '"graph.h"',
        '"../graph/graph.h"',
        '"delegate/cpu/../graph/graph.h"',
        '"./delegate/graph/graph.h"',
        '"delegate//graph/graph.h"',
        '"tests/a.h"',
        '"hwy/highway.h"',
        "<delegate/graph/graph.h>",
        "<format/limits.inc>",
        "<python/native/a.h>",
        "<../delegate/graph/graph.h>",
        "<sys/../../delegate/graph/graph.h>",
        "HEADER",
        "HEADER(graph)",
    ],
)
@pytest.mark.parametrize(
    "name", ["delegate/base/a.cc", "delegate/base/a_test.cc", "python/native/a.h", "examples/a.hpp"]
)
def test_an_include_says_which_file_it_means(name: str, include: str) -> None:
    (finding,) = _findings(name, f"#include {include}\n")
    assert finding.startswith(f"1: includes {include}: name ours from the root and in quotes ")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("delegate/base/a.cc", '  #  include  "delegate/base/span.h"  // As it is used.'),
        ("delegate/base/a.h", "#include <vector>"),
        ("delegate/base/a.cc", "#include <sys/mman.h>  /* mmap */"),
        ("delegate/base/a.c", "#include <Python.h>"),
        ("delegate/base/limits.h", '#include "format/limits.inc"'),
        ("delegate/base/a.cc", "// This has no #include GRAPH."),
        ("delegate/base/a_test.cc", '#include "delegate/graph/testing/graph_builder.h"'),
        ("docs/a.md", "#include GRAPH"),
    ],
)
def test_other_includes_are_fine(name: str, line: str) -> None:
    assert _findings(name, line + "\n") == []


@pytest.mark.parametrize("name", ["delegate/tflite/run/a.cc", "python/native/a.cc"])
@pytest.mark.parametrize(
    "include", ["delegate/tflite/testing/fake_model.h", "delegate/base/span_test.h", "format/layer_test.h"]
)
def test_what_is_shipped_includes_nothing_of_tests(name: str, include: str) -> None:
    assert _findings(name, f'#include "{include}"\n') == [f"1: includes {include}, which is for tests and benchmarks"]


@pytest.mark.parametrize("name", ["converter/mask/a.py", "python/mcpruner/a.py"])
@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("import benchmarks.run", "benchmarks.run"),
        ("from tests.e2e import op_models", "tests.e2e.op_models"),
        ("import os, lint", "lint"),
        ("def f():\n    import tflite_builder as builder", "tflite_builder"),
        ("import importlib\nimportlib.import_module('tests.small_network')", "tests.small_network"),
        ("from importlib import import_module\nimport_module('lint')", "lint"),
        ("__import__('lint')", "lint"),
        ("__import__(name='lint')", "lint"),
        ("import importlib\nimportlib.import_module(name='lint', package=None)", "lint"),
        ("import importlib as i\ni.import_module('lint')", "lint"),
        ("from importlib import import_module as load\nload('lint')", "lint"),
        ("import importlib\nload = importlib.import_module\nload('lint')", "lint"),
        ("from ..... import lint", "lint"),
    ],
)
def test_what_is_shipped_imports_known_packages(name: str, line: str, target: str) -> None:
    (finding,) = _findings(name, line + "\n")
    assert re.fullmatch(rf"\d: imports {re.escape(target)}: what is shipped imports what \w+ names", finding)


@pytest.mark.parametrize(
    "text",
    [
        "from __future__ import annotations\nimport json, numpy as np\nimport keras",
        "import importlib\nimportlib.import_module(name)\nimportlib.import_module(f'{name}.a')",
        "import importlib\nimportlib.import_module('tflite_runtime.interpreter')",
        "from . import b",
    ],
)
def test_other_imports_are_fine(text: str) -> None:
    assert _findings("python/mcpruner/a.py", text + "\n") == []
    assert _findings("tests/a.py", text + "\nimport lint\n") == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("delegate/cpu/kernels/simd.h", "#include <hwy/highway.h>\n"),
        ("delegate/cpu/kernels/conv/a_simd.cc", '#include "delegate/cpu/kernels/simd.h"\n#include <hwy/base.h>\n'),
        ("delegate/cpu/kernels/conv/a.h", '#include "delegate/cpu/kernels/simd.h"\n#include <hwy/base.h>\n'),
        ("python/native/a_simd.cc", '#include "delegate/cpu/kernels/simd.h"\n'),
        ("delegate/base/a_test.cc", "#include <gtest/gtest.h>\n"),
        ("delegate/graph/testing/a.h", "#include <gtest/gtest.h>\n"),
        ("tests/e2e/a.cc", "#include <gtest/gtest.h>\n"),
    ],
)
def test_libraries_where_they_belong(name: str, text: str) -> None:
    assert _findings(name, text) == []


@pytest.mark.parametrize(
    ("name", "text", "line", "why"),
    [
        ("delegate/cpu/kernels/conv/a_simd.cc", "#include <hwy/base.h>", 1, "which is for SIMD code, behind "),
        (
            "delegate/cpu/kernels/conv/a.h",
            '#include <hwy/a.h>\n#include "delegate/cpu/kernels/simd.h"',
            1,
            "which is for SIMD code",
        ),
        ("delegate/cpu/engine/a.h", "#include <hwy/base.h>", 1, "which is for SIMD code"),
        ("delegate/cpu/kernels/a_test.cc", "#include <hwy/base.h>", 1, "which is for SIMD code"),
        (
            "delegate/cpu/engine/a.cc",
            '#include <vector>\n#include "delegate/cpu/kernels/simd.h"',
            2,
            "which is for *_simd.cc and headers",
        ),
        ("delegate/base/a.cc", "#include <gtest/gtest.h>", 1, "which is for tests and benchmarks"),
        ("python/native/a.h", "#include <gmock/gmock.h>", 1, "which is for tests and benchmarks"),
        ("delegate/base/a.h", '#include "gtest/gtest.h"', 1, "which is for tests and benchmarks"),
    ],
)
def test_libraries_where_they_do_not_belong(name: str, text: str, line: int, why: str) -> None:
    (finding,) = _findings(name, text + "\n")
    assert finding.startswith(f"{line}: includes ") and why in finding


@pytest.mark.parametrize("name", ["a.inl", "a.ipp", "a.tcc", "a.hh", "a.cxx", "testing/a.hh"])
def test_cpp_of_the_delegate_has_known_names(name: str) -> None:
    ending = Path(name).suffix
    assert _findings(f"delegate/base/{name}", "") == [f"1: ends in {ending}: C++ of ours ends in .cc, .h or .inc"]


def test_a_file_of_the_converter_stands_in_a_list() -> None:
    (finding,) = _findings("converter/new.py", "x = 1\n")
    assert finding.startswith("1: stands in no room of converter/: ")
    listed = {f"{name}.py" for name in lint.GROUND | lint.WAYS_IN}
    assert listed == {path.name for path in (lint.ROOT / "converter").glob("*.py")}


def test_a_file_of_the_delegate_stands_in_a_room() -> None:
    (finding,) = _findings("delegate/new/a.cc", "int x;\n")
    assert finding.startswith("1: stands in no room of delegate/: ")


def test_rooms_of_the_delegate_stand_above_what_they_include_and_are_drawn() -> None:
    below = set()
    page = (lint.ROOT / "docs" / "architecture.md").read_text()
    drawing = re.search(r"## Rooms of the delegate\n```\n(.*?)```", page, re.S)[1]
    for room, others in lint.CPP_ROOMS.items():
        assert (lint.ROOT / "delegate" / room).is_dir(), room
        assert set(others) <= below, room
        assert re.search(rf"\b{room.split('/')[-1]}\b", drawing), room
        below.add(room)


@pytest.mark.parametrize(("folder", "rooms"), [("converter", lint.ROOMS), ("delegate", lint.CPP_ROOMS)])
def test_the_page_has_the_tables_of_the_rooms(folder: str, rooms: dict[str, Iterable[str]]) -> None:
    page = (lint.ROOT / "docs" / "architecture.md").read_text()
    table = re.search(rf"\| room of `{folder}/` \|[^\n]*\n\|---\|---\|\n((?:\|[^\n]*\n)*)", page)[1]
    rows = [re.findall(r"`([\w/]+)`", row) for row in table.splitlines()]
    assert {room: set(others) for room, *others in rows} == {room: set(others) for room, others in rooms.items()}


# Arrows that turn or cross others are not read; the tables on the page say them all.
@pytest.mark.parametrize(("folder", "least"), [("converter", 2), ("delegate", 10)])
def test_straight_arrows_of_the_drawings_are_allowed(folder: str, least: int) -> None:
    page = (lint.ROOT / "docs" / "architecture.md").read_text()
    drawing = re.search(rf"## Rooms of the {folder}\n```\n(.*?)```", page, re.S)[1]
    found = 0
    for line in drawing.splitlines():
        storey = line.split(" ")[0]
        for source, target in re.findall(r"([\w/]+) ──> (?=([\w/]+))", line):
            if folder == "converter":
                assert target in lint.ROOMS[source], line
            else:
                here, there = (_drawn(storey, room) for room in (source, target))
                assert there in lint.cpp_rooms_below(here), line
            found += 1
    assert found >= least


def _drawn(storey: str, name: str) -> str:
    """The room of delegate/ that a name in a line of the drawing means."""
    return f"{storey}/{name}" if f"{storey}/{name}" in lint.CPP_ROOMS else name


def test_sources_are_files_that_git_knows() -> None:
    listed = lint.sources()
    assert Path(lint.__file__).resolve() in listed
    assert not [path for path in listed if ".venv" in path.parts]
