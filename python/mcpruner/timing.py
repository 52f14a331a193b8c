"""Times of several models, taken in turns, and what is quoted of them.

A machine's slow moments must fall on all models alike, so they alternate. They do so in short blocks, not run by run:
an app runs one network again and again, and so finds its weights in the last-level cache if they fit, which a large
network between any two runs of a small one would deny it. The first run of each block brings them back and is not
counted.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

# So many runs are counted between two changes of the model. They are few, so that both models meet the same slow
# moments of a machine. With one run between changes, a large model emptied the cache of the small one before each of
# its runs (commit 7aeda64).
BLOCK = 3

# Turns disagree where the middle 80 % of their ratios spread by more than this factor: then other work decided them.
_DISAGREE = 2.0
BUSY = "busy"  # It stands in the place of a ratio.

# A timed block is called with a number of runs. It makes one run more and returns the milliseconds of all but the
# first.
TimedBlock = Callable[[int], Sequence[float]]
# The same by two clocks: an array [2, runs], by the wall's clock and by the processor's.
TwiceTimedBlock = Callable[[int], np.ndarray]


def timed_block(call: Callable[[], Any]) -> TimedBlock:
    """Make timed blocks of a function of this process."""

    def block(runs: int) -> list[float]:
        call()
        times = []
        for _ in range(runs):
            begin = time.perf_counter_ns()
            call()
            times.append((time.perf_counter_ns() - begin) / 1e6)
        return times

    return block


def twice_timed_block(call: Callable[[], Any]) -> TwiceTimedBlock:
    """Make blocks that also have the time that the processor spent on this process, on all threads together.

    On a busy machine a process waits for its turn. Its processor's time leaves the waiting out.
    """

    def block(runs: int) -> np.ndarray:
        call()
        times = np.empty((2, runs))
        for i in range(runs):
            begin = time.perf_counter_ns(), time.process_time_ns()
            call()
            end = time.perf_counter_ns(), time.process_time_ns()
            times[:, i] = np.subtract(end, begin) / 1e6
        return times

    return block


def take_turns(
    contenders: Sequence[TimedBlock | TwiceTimedBlock], runs: int, tick: Callable[[], None] = lambda: None
) -> np.ndarray:
    """Milliseconds of each contender in each of its blocks.

    Parameters
    ----------
    contenders
        What to time; each makes one uncounted block first.
    runs
        How often each is timed at least; whole blocks are made.
    tick
        Called after each round of blocks, `rounds(runs)` times, for a progress bar.

    Returns
    -------
    numpy.ndarray
        float64 ``[contenders, rounds, runs in a block]``, or ``[contenders, rounds, 2, runs in a block]`` where blocks
        are timed twice.
    """
    size = min(runs, BLOCK)
    shapes = [np.shape(contender(size)) for contender in contenders]
    times = np.empty((len(contenders), rounds(runs), *shapes[0]))
    for i in range(times.shape[1]):
        for j, contender in enumerate(contenders):
            times[j, i] = contender(size)
        tick()
    return times


def rounds(runs: int) -> int:
    """How many blocks it takes for at least `runs` counted runs."""
    return -(-runs // BLOCK)


def runs_for(seconds: float, round_ms: float) -> int:
    """Counted runs of each contender that fill about `seconds`, 8 to 50 blocks of them.

    Parameters
    ----------
    seconds
        Time to spend on all contenders together.
    round_ms
        Milliseconds that one run of each contender takes, added up.
    """
    return BLOCK * int(np.clip(seconds * 1e3 / (round_ms * (BLOCK + 1)), 8, 50))


def speedup(ours: np.ndarray, theirs: np.ndarray, prefix: str = "") -> dict[str, float]:
    """How much less time one contender took than another, and how sure that is.

    Parameters
    ----------
    ours, theirs
        float64 ``[rounds, runs]``: two rows of what `take_turns` returns.
    prefix
        What the keys begin with.

    Returns
    -------
    dict
        ``speedup`` is the median over the rounds of the ratio of two neighbouring blocks' medians; ``speedup_low`` and
        ``speedup_high`` are the range that holds the middle 80 % of those ratios.
    """
    ratios = np.median(theirs, axis=1) / np.median(ours, axis=1)
    low, middle, high = np.quantile(ratios, [0.1, 0.5, 0.9])
    return {
        f"{prefix}speedup": float(middle),
        f"{prefix}speedup_low": float(low),
        f"{prefix}speedup_high": float(high),
    }


def quoted(found: Mapping[str, Any], prefix: str = "") -> str:
    """The ratio that `speedup` found, as text; ``"busy"`` where turns disagree, since no ratio means anything then."""
    low, high = found[f"{prefix}speedup_low"], found[f"{prefix}speedup_high"]
    return BUSY if high > _DISAGREE * low else f"{found[f'{prefix}speedup']:.2f}"


def milliseconds(times: np.ndarray, prefix: str = "") -> dict[str, float]:
    """``median_ms`` and ``min_ms`` of an array of milliseconds, with `prefix` before the names."""
    return {f"{prefix}median_ms": float(np.median(times)), f"{prefix}min_ms": float(times.min())}
