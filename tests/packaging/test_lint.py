"""The rules of tools/lint.py, each on a source that breaks it and on one that does not."""

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


def test_sources_are_files_that_git_knows() -> None:
    listed = lint.sources()
    assert Path(lint.__file__).resolve() in listed
    assert not [path for path in listed if ".venv" in path.parts]
