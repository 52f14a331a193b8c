"""What the documents name exists, and their lists are complete: files, folders, make targets, options, public names."""

import argparse
import re
from pathlib import Path

import lint
import pytest

import mcpruner
from mcpruner.cli.main import parser

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), ROOT / "format/README.md"])
CONTRIBUTING, README = ROOT / "CONTRIBUTING.md", ROOT / "README.md"
FILES = {path.relative_to(ROOT).as_posix() for path in lint.sources()}
FOLDERS = {folder.as_posix() for name in FILES for folder in Path(name).parents}
# What looks like one of our files and is none: files of the system or of an app, and files that a command writes.
FOREIGN = re.compile(r"/proc/.*|\.\./shared/.*|(?:out|dist)/.*|\.venv.*|jniLibs/.*|body/.*|(?:FILE|here|plan)\.json")
A_FILE = re.compile(r"[\w./*<>-]*[\w*]\.(?:bzl|cc|cl|fbs|h|inc|json|md|py|sh|txt)")

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())


def _text(document: Path) -> str:
    """The document; nothing of the changelog, which may name what is gone."""
    return "" if document.name == "CHANGELOG.md" else document.read_text()


def _names_something(name: str) -> bool:
    """Whether a file or folder of ours has this path or ends with it; ``*`` and ``<op>`` or the like are any name."""
    pattern = re.sub(r"\\\*|<\w+>", "[^/]*", re.escape(name.rstrip("/")))
    ours = re.compile(rf"(?:.*/)?{pattern}")
    return any(ours.fullmatch(candidate) for candidate in FILES | FOLDERS)


def _first_column(document: Path, heading: str) -> list[str]:
    """What stands in backquotes in the first column of the tables below a heading."""
    section = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", document.read_text(), re.DOTALL | re.MULTILINE)
    rows = re.findall(r"^\| (`.*?) \|", section[1], re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row)]


@each_document
def test_paths_and_links_exist(document: Path) -> None:
    spans = [word for span in re.findall(r"`([^`\n]+)`", _text(document)) for word in span.split()]
    paths = [word for word in spans if A_FILE.fullmatch(word) or re.fullmatch(r"[\w.<>-]+/[\w./*<>-]*", word)]
    assert [path for path in paths if not FOREIGN.fullmatch(path) and not _names_something(path)] == []
    links = re.findall(r"\]\(([^)#\s]+)", _text(document))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


@each_document
def test_make_targets_exist(document: Path) -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"(?:^|`)make ([a-z][\w-]*)", _text(document), re.MULTILINE)) <= targets


def test_contributing_lists_every_make_target() -> None:
    targets = set(re.findall(r"^([a-z][\w-]*):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(_first_column(CONTRIBUTING, "In one minute")) == targets


def test_tables_of_folders_are_complete() -> None:
    top = {name.split("/")[0] for name in FILES if "/" in name} - {".ci"}
    for document, heading in ((CONTRIBUTING, "Where things are"), (ROOT / "docs/architecture.md", "Folders")):
        listed = {name.rstrip("/") for name in _first_column(document, heading)}
        assert listed <= FOLDERS
        assert {name.split("/")[0] for name in listed} == top, document.name
    rooms = {f"converter/{room}" for room in lint.ROOMS} | {f"delegate/{room}" for room in lint.CPP_ROOMS}
    assert rooms <= {name.rstrip("/") for name in _first_column(CONTRIBUTING, "Where things are")}


def test_every_page_is_found_from_the_readme() -> None:
    pages = {f"docs/{path.name}" for path in ROOT.glob("docs/*.md")}
    assert pages == set(re.findall(r"\]\((docs/[\w.-]+)\)", README.read_text().split("## Documentation")[1]))


def test_words_stand_where_the_glossary_sends_its_reader() -> None:
    """Each word of a row in one of its files or folders, and in each of these one of the words."""
    rows = (ROOT / "docs/glossary.md").read_text().split("## Where the code")[0]
    found = 0
    for row, where in re.findall(r"^\| (?!word|---)(.*?) \| .* \| (.*?) \|$", rows, re.MULTILINE):
        words = re.sub(r" \(.*?\)|`", "", row).split(", ")
        texts = {name: _plain(ROOT / name) for name in re.findall(r"`([^`]+)`", where)}
        pairs = {(word, name) for word in words for name, text in texts.items() if _has(text, word)}
        assert {word for word, _ in pairs} == set(words), row
        assert {name for _, name in pairs} == set(texts), row
        found += 1
    assert found > 50


def _plain(path: Path) -> str:
    """The text of a file, or of a folder's files, in lower case; names in it are taken apart."""
    files = [each for each in path.iterdir() if each.is_file()] if path.is_dir() else [path]
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", "\n".join(each.read_text() for each in files))
    return re.sub(r"[\s_/#*-]+", " ", text).lower()


def _has(text: str, word: str) -> bool:
    """Whether a word is in a text, in any form."""
    return re.search(rf"\b{re.escape(word.lower().replace('-', ' '))}(?:e?s|e?d)?\b", text) is not None


def _commands() -> dict[str, argparse.ArgumentParser]:
    return next(a for a in parser()._actions if isinstance(a, argparse._SubParsersAction)).choices


def _options(command: str) -> set[str]:
    return {option for action in _commands()[command]._actions for option in action.option_strings}


def test_every_command_and_its_section() -> None:
    page = ROOT / "docs/cli.md"
    assert {usage.split()[0] for usage in _first_column(page, "Commands")} == set(_commands())
    for name, section in re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", page.read_text(), re.DOTALL | re.MULTILINE):
        if name in _commands():
            assert set(re.findall(r"(?<![\w-])(--[a-z][\w-]*)", section)) <= _options(name), name


@each_document
def test_options_of_commands_exist(document: Path) -> None:
    for command, rest in re.findall(r"(?:^|`)mcpruner ([a-z]+) ([^`#\n]*)", _text(document), re.MULTILINE):
        assert set(re.findall(r"(?:^| )(--?[a-z][\w-]*)", rest)) <= _options(command), command


def test_options_of_the_plugin_are_listed() -> None:
    header = re.sub(r"/\*.*?\*/", "", (ROOT / "delegate/tflite/mcpruner_delegate.h").read_text(), flags=re.DOTALL)
    struct = re.search(r"typedef struct McprunerDelegateOptions \{(.*?)\}", header, re.DOTALL)[1]
    options = set(re.findall(r"(\w+);", struct)) - {"struct_size"}
    assert set(_first_column(ROOT / "docs/tflite.md", "Options")) == options
    for function in (mcpruner.load_delegate, mcpruner.Interpreter):
        assert [name for name in options if not re.search(rf"\b{name}\b", function.__doc__)] == []


def test_public_names_are_described() -> None:
    described = re.findall(r"^(\w[\w, ]*)$", mcpruner.__doc__.split("Names\n-----\n")[1], re.MULTILINE)
    assert sorted(name for line in described for name in line.split(", ")) == mcpruner.__all__ == sorted(mcpruner._HOME)
