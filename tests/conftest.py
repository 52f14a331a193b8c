"""Prints how long each suite (folder of tests) took beside its budget, so that `make test` stays below 45 minutes."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

# Seconds on two cores. A suite that outgrows its budget samples its cases or moves them to a campaign target.
BUDGETS = {
    "aarch64": 720,
    "packaging": 180,
    "benchmarks": 60,
    "converter": 300,
    "python": 240,
    "e2e": 720,
    "campaign": 90,
}


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
