"""Which filters share a group: a permutation that puts filters with equal or similar masks side by side.

The filters of a group share one pattern for each input channel, so a group pays for the union of its filters' masks:

    filter  0  1  2  3  4  5          permutation        0  2  4  5 | 1  3
    mask    A  B  A  B  A  a     ->   group              A  A  A  a | B  B      (a: differs from A in few positions)

Equal masks are found exactly. What does not fill a group of its own is clustered greedily by Jaccard distance, on
masks packed to 64 positions a word. Everything else keeps its order: a dense layer gets the identity.

Before there is a mask, `group_by_saliency` groups filters that would like to keep the same positions.
"""

import numpy as np

from mcpruner.converter.format.limits_generated import MAX_CHANNELS

# Distances are taken on so many words of 64 positions at most. Wider masks are sampled evenly: a distance between
# filters of more than 8192 positions does not gain from more of them.
_MAX_WORDS = 128
# Saliencies are compared on so many positions at most, which are sampled evenly likewise.
_MAX_POSITIONS = 8192


def filter_permutation(mask: np.ndarray, group_size: int) -> np.ndarray:
    """Permute filters so that the filters of each group of `group_size` agree.

    Filters with equal masks land in the same group wherever they fit in one. Ties keep the lower filter first. If
    `group_size` does not divide the number of filters, the incomplete group comes last.

    Parameters
    ----------
    mask
        bool or any number type, ``[O, ...]`` (OHWI, or ``[O, I]`` of a dense layer); non-zero is kept.
    group_size
        Filters per group, at least 1.

    Returns
    -------
    numpy.ndarray
        uint16 ``[O]``, ``permutation[packed filter] = original filter``.

    Raises
    ------
    ValueError
        `mask` has no filters, more than 65,535 of them, or fewer than two dimensions; `group_size` is below 1.
    """
    mask = np.asarray(mask) != 0
    if mask.ndim < 2 or not 1 <= mask.shape[0] <= MAX_CHANNELS:
        raise ValueError(f"Expected a mask of [O, ...] with 1 to {MAX_CHANNELS} filters, got shape {list(mask.shape)}.")
    if group_size < 1:
        raise ValueError(f"Expected a group_size of at least 1, got {group_size}.")
    flat = mask.reshape(mask.shape[0], -1)
    groups, rest = _split_equal(flat, group_size)
    groups += _cluster(_pack_bits(flat), rest, group_size)
    groups = [sorted(group) for group in groups]
    partial = [group for group in groups if len(group) < group_size]
    groups = sorted(group for group in groups if len(group) == group_size)
    return np.array([filter_ for group in groups + partial for filter_ in group], np.uint16)


def group_by_saliency(saliency: np.ndarray, group_size: int, density: float) -> np.ndarray:
    """Permute filters so that those of a group have their most salient weights at the same places.

    Greedy: the first free filter starts a group, then the one whose saliency overlaps most with the group's joins.
    Only what stands out counts: saliency above the level that `density` would cut at.

    Parameters
    ----------
    saliency
        float ``[O, ...]``, at least 0.
    group_size
        Filters per group, at least 1. The last group may have fewer.
    density
        Share of the weights that will be kept, 0..1.

    Returns
    -------
    numpy.ndarray
        intp ``[O]``, ``permutation[grouped filter] = original filter``.
    """
    flat = saliency.reshape(len(saliency), -1)
    flat = flat[:, :: -(-flat.shape[1] // _MAX_POSITIONS)]
    salient = np.maximum(flat - np.quantile(flat, 1.0 - density, method="lower"), 0.0, dtype=np.float32)
    overlap = salient @ salient.T
    free = np.ones(len(flat), bool)
    order: list[int] = []
    while len(order) < len(flat):
        if len(order) % group_size == 0:
            nearest, shared = int(free.argmax()), np.zeros(len(flat), np.float32)
        else:
            nearest = int(np.where(free, shared, -1.0).argmax())
        free[nearest] = False
        shared += overlap[nearest]
        order.append(nearest)
    return np.array(order)


def _split_equal(flat: np.ndarray, group_size: int) -> tuple[list[list[int]], list[list[int]]]:
    """Cut classes of equal masks into full groups and the classes' remainders (each below `group_size`)."""
    keys = np.packbits(flat, axis=1)
    classes: dict[bytes, list[int]] = {}
    for index, key in enumerate(keys):
        classes.setdefault(key.tobytes(), []).append(index)
    groups, rest = [], []
    for members in classes.values():
        full = len(members) // group_size * group_size
        groups += [members[i : i + group_size] for i in range(0, full, group_size)]
        if full < len(members):
            rest.append(members[full:])
    return groups, rest


def _pack_bits(flat: np.ndarray) -> np.ndarray:
    """Pack bool ``[O, N]`` to uint64 ``[O, words]``, with at most `_MAX_WORDS` words spread evenly over N."""
    packed = np.packbits(flat, axis=1)
    packed = np.pad(packed, ((0, 0), (0, -packed.shape[1] % 8))).view(np.uint64)
    if packed.shape[1] > _MAX_WORDS:
        packed = packed[:, np.linspace(0, packed.shape[1] - 1, _MAX_WORDS).astype(int)]
    return np.ascontiguousarray(packed)


def _cluster(words: np.ndarray, rest: list[list[int]], group_size: int) -> list[list[int]]:
    """Fill groups greedily: the largest class starts one, then the nearest class that fits whole joins.

    Only where no class fits whole is one split, the nearest. `rest` holds classes of equal masks in order of their
    first filter.
    """
    rest = sorted(rest, key=lambda members: -len(members))
    masks = words[[members[0] for members in rest]]
    counts = np.bitwise_count(masks).sum(axis=1, dtype=np.int64)
    sizes = np.array([len(members) for members in rest], np.int64)
    groups = []
    while sizes.any():
        first = int(np.flatnonzero(sizes)[0])
        group, union = [], np.zeros(words.shape[1], np.uint64)
        nearest = first
        while True:
            taken = rest[nearest][: group_size - len(group)]
            rest[nearest] = rest[nearest][len(taken) :]
            sizes[nearest] -= len(taken)
            group += taken
            union = union | masks[nearest]
            free = group_size - len(group)
            fits = np.flatnonzero((sizes > 0) & (sizes <= free))
            candidates = fits if fits.size else np.flatnonzero(sizes)
            if free == 0 or candidates.size == 0:
                break
            nearest = int(candidates[_jaccard(masks[candidates], counts[candidates], union).argmin()])
        groups.append(group)
    return groups


def _jaccard(masks: np.ndarray, counts: np.ndarray, union: np.ndarray) -> np.ndarray:
    """Jaccard distance of each mask to `union`, float64 ``[N]``; 0 between empty masks."""
    shared = np.bitwise_count(masks & union).sum(axis=1, dtype=np.int64)
    total = counts + int(np.bitwise_count(union).sum(dtype=np.int64)) - shared
    return 1.0 - np.where(total == 0, 1.0, shared / np.maximum(total, 1))
