"""The costs of `cost_model` that agree best with what was measured."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mcpruner.converter.cost.cost_model import BARRIERS, TERMS, Amounts

# What is fitted. Barriers are measured apart, by what an operator takes on two threads.
ENTRIES = {entry: terms for entry, terms in TERMS.items() if entry not in BARRIERS}

# All three are past what they gain on the samples of avx512.json (2026-11-30, 20b7a11), whose median error is 5.2 %: 20
# cycles give 5.3 %, 200 as many as 2000; 1, 3 and 12 rounds give 6.2 %, 5.8 % and 5.2 %.
_CYCLES = 2000  # over the coordinates
_ROUNDS = 6  # of reweighting, by which least squares come to least absolute errors
# Errors below this share count as if they were as large, or the samples that happen to fit would outweigh all others.
# With 0.01 and 0.2 the median error is 5.5 % and 6.5 %.
_USUAL_ERROR = 0.05


@dataclass(frozen=True)
class Sample:
    """A layer that was measured: its amounts of work and the nanoseconds that it took."""

    amounts: Amounts
    nanoseconds: float


def fit(samples: Sequence[Sample]) -> dict[str, dict[str, float]]:
    """Find the costs, none below 0, that predict the samples with the least relative errors.

    Errors count as they are and not squared (by reweighting), so that a sample taken while the machine was busy is
    ignored.

    Parameters
    ----------
    samples
        What was measured, with samples of every one of `ENTRIES`.

    Returns
    -------
    dict
        For each entry, nanoseconds by term, as `CostModel.nanoseconds` has them.

    Raises
    ------
    ValueError
        An entry has no sample.
    """
    costs = {}
    for entry, terms in ENTRIES.items():
        mine = [sample for sample in samples if sample.amounts.entry == entry]
        if not mine:
            raise ValueError(f"Expected samples of each entry, got none of {entry!r}.")
        rows = np.array([[s.amounts.terms.get(term, 0) / s.nanoseconds for term in terms] for s in mine], np.float64)
        weights = np.ones(len(mine))
        for _ in range(_ROUNDS):
            solution = nonnegative_least_squares(rows * weights[:, None], weights)
            weights = 1 / np.sqrt(np.maximum(np.abs(rows @ solution - 1), _USUAL_ERROR))
        costs[entry] = {term: float(f"{cost:.4g}") for term, cost in zip(terms, solution, strict=True)}
    return costs


def nonnegative_least_squares(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The x of at least 0 for which ``|a x - b|`` is least, by coordinate descent.

    Parameters
    ----------
    a
        float64 ``[M, N]``, at least 0.
    b
        float64 ``[M]``.

    Returns
    -------
    numpy.ndarray
        float64 ``[N]``; 0 for a column of zeros.
    """
    scale = np.maximum(np.linalg.norm(a, axis=0), np.finfo(np.float64).tiny)
    columns = a / scale
    gram, target = columns.T @ columns, columns.T @ b
    x = np.zeros(a.shape[1])
    for _ in range(_CYCLES):
        for i in np.flatnonzero(np.diag(gram)):
            x[i] = max(0.0, x[i] + (target[i] - gram[i] @ x) / gram[i, i])
    return x / scale


def relative_errors(samples: Sequence[Sample], costs: dict[str, dict[str, float]]) -> dict[str, dict[str, Any]]:
    """For each entry the number of its samples, and the median and largest of ``|predicted / measured - 1|``.

    Returns
    -------
    dict
        Entry to ``points``, ``median_error`` and ``largest_error``.
    """
    found = {}
    for entry in ENTRIES:
        mine = [s for s in samples if s.amounts.entry == entry]
        predicted = [sum(costs[entry][term] * n for term, n in s.amounts.terms.items()) for s in mine]
        errors = np.abs(np.array(predicted) / [s.nanoseconds for s in mine] - 1)
        found[entry] = {
            "points": len(mine),
            "median_error": round(float(np.median(errors)), 3),
            "largest_error": round(float(errors.max()), 3),
        }
    return found
