"""Connectivity pruning: which kernels (filter group x input channel) of a layer are kept at all.

The kernels that keep most saliency for each of their weights are chosen over the whole layer, or the same number in
each group (`balance`). No group and no input channel dies while the number of kernels allows it, since a dead one is
lost to the layer before or after for good; what that costs is chosen small:

    the largest 5 of 12       column 2 is dead: its       the smallest kernel that
                              best kernel comes           leaves nothing dead goes
      9  8  0  4                9  8  .  4                  9  8  .  4
      7  1  1  2        ->      7  .  .  .          ->      7  .  .  .
      1  3  2  1                .  3  2  .                  .  .  2  .
"""

import numpy as np


def choose_kernels(saliency: np.ndarray, costs: np.ndarray, budget: float, balance: bool = False) -> np.ndarray:
    """Choose the kernels that are kept.

    Parameters
    ----------
    saliency
        float ``[G, I]``: saliency that each kernel keeps, summed over the filters of its group.
    costs
        int ``[G]``, or ``[G, I]`` where kernels of a group differ: weights of each kernel (the last group may have
        fewer filters).
    budget
        Sum of `costs` over the kernels to keep, met to the nearest kernel; at least one kernel is kept.
    balance
        Keep the same number of kernels in every group, of equal costs: ``budget / sum(costs)``, rounded, at least 1.

    Returns
    -------
    numpy.ndarray
        bool ``[G, I]``, true where a kernel is kept. Each row and each column has a kept kernel if the budget allows
        that, else as many as it allows.
    """
    costs = np.broadcast_to(costs.reshape(len(costs), -1), saliency.shape)
    rank = saliency / costs
    if balance:
        return _choose_evenly(rank, max(1, round(budget / int(costs[:, 0].sum()))))
    chosen = _fill(np.zeros(rank.shape, bool), rank, costs, budget)
    dead_rows, dead_columns = ~chosen.any(axis=1), ~chosen.any(axis=0)
    if dead_rows.any() or dead_columns.any():
        chosen[tuple(_cover(rank, dead_rows, dead_columns).T)] = True
        if not _thin(chosen, rank, costs, budget):
            chosen = _cover_first(rank, costs, budget)
    return chosen


def _fill(chosen: np.ndarray, rank: np.ndarray, costs: np.ndarray, budget: float) -> np.ndarray:
    """Add the largest kernels that are not chosen yet until `budget` is met to the nearest kernel."""
    score = rank[~chosen]
    most = min(int(budget / costs.min()) + 1, len(score))  # The budget cannot buy more kernels than this.
    least = np.partition(score, -most)[-most] if most else np.inf
    candidates = np.flatnonzero((rank >= least) & ~chosen)
    order = candidates[np.argsort(-rank.ravel()[candidates], kind="stable")]
    total = np.cumsum(np.append(costs[chosen].sum(), costs[np.unravel_index(order, costs.shape)]))
    count = int(np.abs(total - budget).argmin())
    filled = chosen.copy()
    filled.ravel()[order[: max(count, 0 if chosen.any() else 1)]] = True
    return filled


def _cover(rank: np.ndarray, rows: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Find kernels that revive the marked rows and columns (bool ``[G]`` and ``[I]``): int ``[N, 2]``, row and column.

    Kernels that revive a row and a column at once come first, the largest first; N is the larger of both counts.
    """
    rows, columns = np.flatnonzero(rows), np.flatnonzero(columns)
    if len(rows) > len(columns):
        return _cover(rank.T, _mark(columns, rank.shape[1]), _mark(rows, rank.shape[0]))[:, ::-1]
    pairs, free = [], np.ones(len(columns), bool)
    inner = rank[np.ix_(rows, columns)]
    for row in np.argsort(-inner.max(axis=1, initial=-np.inf), kind="stable"):
        column = int(np.where(free, inner[row], -np.inf).argmax())
        free[column] = False
        pairs.append((rows[row], columns[column]))
    alone = columns[free]
    best = rank[:, alone].argmax(axis=0)
    order = np.argsort(-rank[best, alone], kind="stable")
    return np.concatenate([np.array(pairs, int).reshape(-1, 2), np.stack([best, alone], axis=1)[order]])


def _mark(indices: np.ndarray, size: int) -> np.ndarray:
    marked = np.zeros(size, bool)
    marked[indices] = True
    return marked


def _thin(chosen: np.ndarray, rank: np.ndarray, costs: np.ndarray, budget: float) -> bool:
    """Remove the smallest kernels that leave nothing dead, in place, until `budget` is met; False if it is not."""
    in_row, in_column = chosen.sum(axis=1), chosen.sum(axis=0)
    excess = costs[chosen].sum() - budget
    kept = np.argwhere(chosen)
    for row, column in kept[np.argsort(rank[chosen], kind="stable")]:
        if excess <= costs.max() / 2:
            break
        if in_row[row] > 1 and in_column[column] > 1:
            chosen[row, column] = False
            in_row[row] -= 1
            in_column[column] -= 1
            excess -= costs[row, column]
    return excess <= costs.max() / 2


def _cover_first(rank: np.ndarray, costs: np.ndarray, budget: float) -> np.ndarray:
    """Let each row and column live first, or as many as the budget buys, and spend what is left on the best kernels."""
    chosen = np.zeros(rank.shape, bool)
    cover = _cover(rank, np.ones(rank.shape[0], bool), np.ones(rank.shape[1], bool))
    affordable = np.cumsum(costs[tuple(cover.T)]) <= budget + costs.max() / 2
    chosen[tuple(cover[affordable].T)] = True
    return _fill(chosen, rank, costs, budget)


def _choose_evenly(rank: np.ndarray, count: int) -> np.ndarray:
    """Keep the `count` largest kernels of each row; dead columns take the place of those that cost least to lose."""
    chosen = np.zeros(rank.shape, bool)
    np.put_along_axis(chosen, np.argsort(-rank, axis=1, kind="stable")[:, :count], True, axis=1)
    in_column = chosen.sum(axis=0)
    for column in np.flatnonzero(in_column == 0):
        smallest = np.where(chosen & (in_column > 1), rank, np.inf)
        losses = smallest.min(axis=1) - rank[:, column]
        row = int(losses.argmin())
        if np.isinf(losses[row]):
            break
        out = int(smallest[row].argmin())
        chosen[row, [out, column]] = False, True
        in_column[[out, column]] += -1, 1
    return chosen
