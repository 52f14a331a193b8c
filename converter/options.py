"""The knobs of pruning, once: what every way to prune is told, in Python and on the command line.

    prune(model, "x86-64", density=0.25)  ──┐
    Pruner, PruningCallback, ...            ├── takes_options ──> knobs ──> PruningOptions: checked, in every stage
    mcpruner prune --density 0.25           ┘

A new knob is a field of `PruningOptions`: with it, all of them have the keyword, and its default. A field that says how
argparse is to read it is an option of ``mcpruner prune`` as well.
"""

import functools
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from numbers import Integral, Real
from typing import Any, Literal

from mcpruner.converter.target import Target, get_target

# With 4 of 9 positions, 8 patterns keep nearly the saliency that all 126 do (docs/masks.md).
_PATTERNS_OF_ONE_SIZE = 8

Share = float | Mapping[str, float]


def pattern_size(text: str) -> int | str:
    """``"auto"``, ``"any"`` or a number, for argparse, whose messages have the name of this function."""
    return text if text in ("auto", "any") else int(text)


def _knob(default: Any, **argument: Any) -> Any:
    """A field with a default, and what argparse is told of it."""
    return field(default=default, metadata=argument)


@dataclass(frozen=True)
class PruningOptions:
    """What is pruned how far, and what masks look like; ``prune(model, **options.given())`` prunes by them.

    Attributes
    ----------
    target
        Hardware it is for, by name (`mcpruner.converter.target.TARGETS`).
    density
        Share of weights kept in each prunable layer, above 0 and at most 1: a number, a plan (`mcpruner.allocate`),
        or a mapping of layer-name globs to numbers, of which the layer's own label counts, else the first that matches
        (no match: the layer is left as it is). It is met to the nearest kernel of pattern size x group size weights; 1
        leaves a layer as it is.
    sparsity
        1 - density, given instead of it.
    pattern_size
        Positions that a kept 3x3 kernel keeps, 1..9; other kernel sizes keep as large a part. "auto": what the target
        prefers (4), more where the density is above 4/9. "any": each kernel as many as they are worth. An integer is an
        upper bound for the density too.
    num_patterns
        Most patterns in a layer's library. None: 8, or with a pattern size of "any" as many as the layer has a use for.
    scope
        Globs; only layers that one of them matches are pruned.
    balance
        Keep the same number of kernels in every filter group, for equal work per thread at some loss of magnitude.
    search
        Search for the filter groups that keep most (`mcpruner.converter.mask.permute`), for some seconds per million
        weights.
    saliency
        What weights are worth, at least 0, for layers by label (`mcpruner.first_order_saliency` measures it); other
        layers go by magnitude.

    Raises
    ------
    ValueError
        A knob is out of range, whatever the model; the message is one sentence.
    """

    target: str | Target = _knob("generic", help="hardware it is for (default: generic)")
    density: Share | None = None
    sparsity: Share | None = None
    pattern_size: int | Literal["auto", "any"] = _knob(
        "auto",
        type=pattern_size,
        metavar="N",
        help="positions that a 3x3 kernel keeps: 1 to 9, auto (the target's; default), or any (what they are worth)",
    )
    num_patterns: int | None = _knob(
        None, type=int, metavar="N", help="patterns in a layer's library (default: 8; no limit with --pattern-size any)"
    )
    scope: str | Iterable[str] | None = _knob(
        None, action="append", metavar="GLOB", help="prune only layers whose name matches; may be repeated"
    )
    balance: bool = _knob(False, action="store_true", help="keep the same number of kernels in every filter group")
    search: bool = _knob(False, action="store_true", help="search for the filter groups that keep most: slower")
    saliency: Mapping[str, Any] | None = field(default=None, compare=False)  # arrays have no single truth value

    def __post_init__(self) -> None:
        get_target(self.target)
        if self.pattern_size != "any" and not (_is_int(self.positions) and 1 <= self.positions <= 9):
            raise ValueError(
                "Expected a pattern_size of 1 to 9 positions (of a 3x3 kernel), 'auto' or 'any', got "
                f"{self.positions!r}."
            )
        if self.pattern_size == "any" and self.balance:
            raise ValueError("balance keeps equally many kernels in each group, which pattern_size 'any' cannot.")
        if self.num_patterns is not None and not (_is_int(self.num_patterns) and self.num_patterns >= 1):
            raise ValueError(f"Expected num_patterns as an integer of at least 1, got {self.num_patterns!r}.")
        _check_globs("density", self.globs)
        if not isinstance(self.saliency, Mapping | None):
            raise ValueError(f"Expected saliency as a mapping of labels to arrays, got {self.saliency!r}.")
        self._keep_own_copies()

    def _keep_own_copies(self) -> None:
        """Hold what the caller may change later, or what can be read only once, in objects of its own."""
        if self.scope is not None:
            if not isinstance(self.scope, str | Iterable) or isinstance(self.scope, bytes):
                raise ValueError(f"Expected scope as a glob or several, got {self.scope!r}.")
            globs = (self.scope,) if isinstance(self.scope, str) else tuple(self.scope)
            _check_globs("scope", globs)
            object.__setattr__(self, "scope", globs)
        for name in ("density", "sparsity", "saliency"):
            if isinstance(given := getattr(self, name), Mapping):
                object.__setattr__(self, name, dict(given))

    @property
    def hardware(self) -> Target:
        """The target itself."""
        return get_target(self.target)

    @property
    def group_size(self) -> int:
        """Filters that share patterns."""
        return self.hardware.group_size

    @property
    def positions(self) -> int | None:
        """Positions that a kept 3x3 kernel keeps where the density does not need more; None: any number."""
        if self.pattern_size == "any":
            return None
        return self.hardware.pattern_size if self.pattern_size == "auto" else self.pattern_size

    @property
    def library_size(self) -> int:
        """Most patterns in a layer's library, `sys.maxsize` where there is no limit."""
        if self.num_patterns is not None:
            return self.num_patterns
        return sys.maxsize if self.positions is None else _PATTERNS_OF_ONE_SIZE

    @property
    def globs(self) -> dict[str, float]:
        """Layer-name globs to densities."""
        return resolve_density(self.density, self.sparsity)

    def given(self) -> dict[str, Any]:
        """The knobs that are not at their defaults, by name: keywords that make the same options again."""
        return {knob.name: value for knob in KNOBS if (value := getattr(self, knob.name)) is not knob.default}


KNOBS = fields(PruningOptions)


def takes_options(without: Iterable[str] = ()) -> Callable[[Callable], Callable]:
    """Let ``**knobs`` of a function be the fields of `PruningOptions`, but those that it does without.

    Callers and `help` see them as parameters with their defaults, behind the positional ones that the function has
    itself. The function gets those that a caller gave.
    """

    def decorate(function: Callable) -> Callable:
        spelled = _spelled_out(inspect.signature(function), set(without))

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            try:
                arguments = spelled.bind(*args, **kwargs).arguments
            except TypeError as error:
                raise TypeError(f"{function.__qualname__}(): {error}") from None
            return function(**arguments)

        call.__signature__ = spelled
        return call

    return decorate


def _spelled_out(signature: inspect.Signature, without: set[str]) -> inspect.Signature:
    """The signature with knobs in the place of ``**knobs``, in front of what is keyword-only."""
    own = [each for each in signature.parameters.values() if each.kind is not inspect.Parameter.VAR_KEYWORD]
    without = without.union(each.name for each in own)
    positional = inspect.Parameter.POSITIONAL_OR_KEYWORD
    knobs = [
        inspect.Parameter(knob.name, positional, default=knob.default, annotation=knob.type)
        for knob in KNOBS
        if knob.name not in without
    ]
    return signature.replace(parameters=sorted([*own, *knobs], key=lambda each: each.kind))


def resolve_density(density: Share | None, sparsity: Share | None) -> dict[str, float]:
    """Globs to densities in 0..1 (0 excluded), from what the user gave as exactly one of `density` and `sparsity`.

    Raises
    ------
    ValueError
        Both or neither are given, a mapping is empty, or a value is no number or out of range.
    """
    if (density is None) == (sparsity is None):
        given = "neither" if density is None else "both"
        raise ValueError(f"Expected one of density and sparsity (sparsity = 1 - density), got {given}.")
    name, share = ("density", density) if sparsity is None else ("sparsity", sparsity)
    globs = dict(share) if isinstance(share, Mapping) else {"*": share}
    if not globs:
        raise ValueError(
            f"Expected {name} as a number or a mapping of layer-name globs to numbers, got an empty mapping."
        )
    return {glob: _density_of(name, glob, value) for glob, value in globs.items()}


def _density_of(name: str, glob: str, value: float) -> float:
    where = "" if glob == "*" else f" for {glob!r}"
    bounds = "above 0 and at most 1" if name == "density" else "at least 0 and below 1"
    number = float(value) if isinstance(value, Real) and not isinstance(value, bool) else float("nan")
    density = number if name == "density" else 1.0 - number
    if not 0.0 < density <= 1.0:
        raise ValueError(f"Expected a {name} {bounds}{where}, got {value!r}.")
    return density


def _check_globs(option: str, globs: Iterable[Any]) -> None:
    for glob in globs:
        if not isinstance(glob, str):
            raise ValueError(f"Expected globs of {option} as text, got {glob!r}.")


def _is_int(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
