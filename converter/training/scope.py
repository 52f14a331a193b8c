"""Which layers are pruned how far: layer-name globs to densities.

    density=0.178                              every prunable layer
    density={"fc*": 0.1, "*": 0.178}           a layer's own label counts, else the first glob that matches it; no
                                               match: left dense
    density=0.178, scope=["stage3/*", "fc"]    only layers that a glob of the scope matches, too

A glob is matched against a layer's name and against its path, which holds the names of the models around it. Layers
of equal paths have labels with a number beside ("block/conv#2"); a glob without it matches all of them.
"""

import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase


def assign_density(
    paths: Sequence[str],
    globs: Mapping[str, float],
    scope: tuple[str, ...] | None = None,
    left_out: Mapping[str, str] | None = None,
) -> dict[str, float]:
    """Give each layer that is to be pruned its density.

    Parameters
    ----------
    paths
        Labels of the prunable layers: names, or paths such as ``body/conv1``.
    globs
        Globs to densities (`PruningOptions.globs`). One that is the layer's label counts, else the first that matches.
    scope
        Globs; a layer that none of them matches is left dense. With None all layers are in scope.
    left_out
        Layers that are not prunable to the reason, for the message about a glob that matches only such.

    Returns
    -------
    dict
        Path to density, for layers in scope that a glob matches; a density of 1 leaves the layer as it is.

    Raises
    ------
    ValueError
        A glob matches no prunable layer, or no layer is left.
    """
    for option, patterns in (("density", globs), ("scope", scope or [])):
        for glob in patterns:
            _check_match(option, glob, paths, left_out or {})
    chosen = {}
    for path in paths:
        # A plan has the labels of all layers, and that of one may be the name of another inside a nested model.
        glob = path if path in globs else next((glob for glob in globs if _matches(path, glob)), None)
        if glob is not None and (scope is None or any(_matches(path, pattern) for pattern in scope)):
            chosen[path] = globs[glob]
    if not chosen:
        raise ValueError(f"No layer is left to prune: the globs of density and scope share none of {_listed(paths)}.")
    return chosen


def _matches(path: str, glob: str) -> bool:
    paths = [path, re.sub(r"#\d+$", "", path)]
    names = [*paths, *(each.rpartition("/")[2] for each in paths)]
    return any(name == glob or fnmatchcase(name, glob) for name in names)  # a name may be "conv[0]"


def _check_match(option: str, glob: str, paths: Sequence[str], left_out: Mapping[str, str]) -> None:
    if any(_matches(path, glob) for path in paths):
        return
    reasons = [f"{path} ({reason})" for path, reason in left_out.items() if _matches(path, glob)]
    if reasons:
        raise ValueError(f"The glob {glob!r} of {option} matches only layers that are not pruned: {_listed(reasons)}.")
    raise ValueError(f"The glob {glob!r} of {option} matches no layer; the prunable layers are {_listed(paths)}.")


def _listed(items: Sequence[str], most: int = 8) -> str:
    """At most `most` items, then how many more there are."""
    more = f" and {len(items) - most} more" if len(items) > most else ""
    return ", ".join(items[:most]) + more
