"""Prints how long each suite (folder of tests) took beside its budget, and leaves long tests to ``--long``.

Seconds are those of the tests themselves, set-up included: two processes that run them side by side (``-n 2``) spend
two in each second of the clock.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

# Seconds of both processes on two cores. A suite that outgrows its budget samples its cases or moves them elsewhere.
BUDGETS = {
    "aarch64": 720,
    "packaging": 60,
    "benchmarks": 90,
    "converter": 540,
    "python": 120,
    "e2e": 720,
    "campaign": 60,
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option of `make test-long`."""
    parser.addoption("--long", action="store_true", help="also tests that are marked long, and all of their images")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Skip what is marked long, with the reason, in a short run."""
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="takes long: `make test-long` runs it"))


def _suite(nodeid: str) -> str:
    parts = Path(nodeid.split("::")[0]).parts
    return parts[1] if len(parts) > 2 else "other"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line per suite: tests, seconds, budget."""
    tests: dict[str, set[str]] = defaultdict(set)
    seconds: dict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                tests[_suite(report.nodeid)].add(report.nodeid)
                seconds[_suite(report.nodeid)] += report.duration
    terminalreporter.section("time per suite")
    for suite in sorted(tests):
        budget = BUDGETS.get(suite, 60)
        over = "  OVER BUDGET" if seconds[suite] > budget else ""
        terminalreporter.line(f"{suite:<10} {len(tests[suite]):5} tests {seconds[suite]:7.1f} s of {budget} s{over}")
