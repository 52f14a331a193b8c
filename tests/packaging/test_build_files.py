"""Shipped libraries name each library whose headers they include, though Bazel finds these through others as well."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from typing import NamedTuple

import lint
import pytest


class Library(NamedTuple):
    """A ``cc_library``: its sources and headers, those that others may include, and the libraries that it names."""

    files: set[str]
    headers: set[str]
    deps: set[str]


def _libraries() -> dict[str, Library]:
    """All libraries of ours, by their labels."""
    if shutil.which("bazel") is None:
        pytest.skip("needs Bazel")
    query = ["bazel", "query", 'kind("cc_library", //delegate/... + //python/... + //format/...)', "--output=xml"]
    answer = subprocess.run(query, cwd=lint.ROOT, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stderr
    found = {}
    for rule in ElementTree.fromstring(answer.stdout).iter("rule"):
        values = {each.get("name"): {label.get("value") for label in each.iter("label")} for each in rule.iter("list")}
        names = (values.get(name, set()) for name in ("srcs", "hdrs", "textual_hdrs"))
        sources, *headers = ({label.removeprefix("//").replace(":", "/") for label in labels} for labels in names)
        found[rule.get("name")] = Library(sources.union(*headers), set().union(*headers), values.get("deps", set()))
    return found


def test_libraries_name_what_they_include() -> None:
    libraries = _libraries()
    homes: dict[str, set[str]] = {}
    for label, library in libraries.items():
        for header in library.headers:
            homes.setdefault(header, set()).add(label)
    missing, compared = [], 0
    for label, library in libraries.items():
        if lint.CPP_ABOVE.search(label.removeprefix("//").replace(":", "/")):
            continue
        for file in sorted(library.files):
            path = lint.ROOT / file
            for _, include in lint.includes(path.read_text()) if path.is_file() else ():
                header = include.strip('"')
                if header in homes and header not in library.files:
                    compared += 1
                    if not homes[header] & library.deps:
                        missing.append(f"{label} lacks {' or '.join(sorted(homes[header]))}: {file} includes {header}")
    assert missing == []
    assert compared > 500
