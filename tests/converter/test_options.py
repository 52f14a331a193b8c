"""The knobs of pruning: one list, which all that takes them spells out, and one place that checks them."""

import inspect
import sys
from typing import Any

import numpy as np
import pytest

import mcpruner
from mcpruner.cli.main import parser
from mcpruner.converter.options import KNOBS, PruningOptions, resolve_density, takes_options
from mcpruner.converter.target import TARGETS

NAMES = [knob.name for knob in KNOBS]


@pytest.mark.parametrize(
    ("function", "first", "without", "last"),
    [
        (mcpruner.prune, ["model"], set(), []),
        (mcpruner.prune_post_training, ["model", "calibration_data"], {"saliency"}, []),
        (mcpruner.Pruner, ["model", "schedule"], {"saliency"}, ["removed", "optimizer", "choose"]),
    ],
)
def test_every_way_to_prune_spells_the_knobs_out(function, first, without, last) -> None:
    parameters = inspect.signature(function).parameters
    assert list(parameters) == [*first, *(name for name in NAMES if name not in without), *last]
    assert all(parameters[knob.name].default is knob.default for knob in KNOBS if knob.name not in without)


def test_the_callback_has_its_schedule_among_them() -> None:
    parameters = inspect.signature(mcpruner.PruningCallback).parameters
    schedule = ["begin_step", "end_step", "frequency", "power", "initial_density"]
    assert list(parameters)[:7] == ["target", "density", *schedule]
    assert set(parameters) == {*NAMES, *schedule, "removed"} - {"saliency"}


def test_the_command_line_has_those_that_say_how() -> None:
    """With the same defaults, so that an option that is not given changes nothing."""
    args = parser().parse_args(["prune", "a.keras", "-o", "b.keras", "--density", "0.5"])
    read = [knob for knob in KNOBS if knob.metadata]
    assert {knob.name for knob in read} == set(NAMES) - {"density", "sparsity", "saliency"}
    assert all(getattr(args, knob.name) is knob.default for knob in read)


@takes_options(without=["search"])
def _function(first, second=2, *, own=3, **knobs):
    """What it does."""
    return first, second, own, knobs


def test_knobs_come_by_name_or_place() -> None:
    assert _function(1) == (1, 2, 3, {})
    assert _function(1, 2, "x86-64", 0.5, own=4) == (1, 2, 4, {"target": "x86-64", "density": 0.5})
    assert _function(1, balance=True) == (1, 2, 3, {"balance": True})
    assert _function.__doc__ == "What it does."


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"^_function\(\): missing a required argument: 'first'$"),
        ({"first": 1, "search": True}, r"^_function\(\): got an unexpected keyword argument 'search'$"),
        ({"first": 1, "bogus": 1}, r"^_function\(\): got an unexpected keyword argument 'bogus'$"),
    ],
)
def test_what_a_function_does_not_take_is_refused_by_its_name(arguments, message) -> None:
    with pytest.raises(TypeError, match=message):
        _function(**arguments)


def test_options_follow_the_target() -> None:
    options = PruningOptions("x86-64", density={"fc*": 0.1, "*": 0.2})
    assert (options.hardware, options.group_size) == (TARGETS["x86-64"], TARGETS["x86-64"].group_size)
    assert options.positions == TARGETS["x86-64"].pattern_size
    assert options.globs == {"fc*": 0.1, "*": 0.2}
    assert PruningOptions(density=0.5, pattern_size=3).positions == 3
    assert PruningOptions(density=0.5, pattern_size="any").positions is None


def test_given_knobs_make_the_same_options() -> None:
    options = PruningOptions("x86-64", sparsity=0.5, balance=True)
    assert options.given() == {"target": "x86-64", "sparsity": 0.5, "balance": True}
    assert PruningOptions(**options.given()) == options


def test_a_scope_can_be_read_again() -> None:
    options = PruningOptions(density=0.5, scope=iter(["conv", "fc"]))
    assert options.scope == ("conv", "fc")


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"target": "arm"}, "^Unknown target 'arm'"),
        ({"target": "arm", "pattern_size": 3}, "^Unknown target 'arm'"),
        ({"pattern_size": 10}, "^Expected a pattern_size of 1 to 9 positions .*, 'auto' or 'any', got 10.$"),
        ({"pattern_size": True}, "^Expected a pattern_size of 1 to 9 positions .*, 'auto' or 'any', got True.$"),
        ({"pattern_size": "any", "balance": True}, "^balance keeps equally many kernels in each group"),
        ({"num_patterns": True}, "^Expected num_patterns as an integer of at least 1, got True.$"),
        ({"saliency": 5}, "^Expected saliency as a mapping of labels to arrays, got 5.$"),
    ],
)
def test_knobs_out_of_range(knobs, message) -> None:
    with pytest.raises(ValueError, match=message):
        PruningOptions(density=0.5, **knobs)


@pytest.mark.parametrize("value", [0.178, 1, 1.0, np.float32(0.25), 1e-6])
def test_a_number_is_for_all(value):
    assert resolve_density(value, None) == {"*": float(value)}


def test_sparsity_is_the_rest():
    assert resolve_density(None, 0.75) == {"*": 0.25}
    assert resolve_density(None, {"a": 0.0, "*": 0.5}) == {"a": 1.0, "*": 0.5}


@pytest.mark.parametrize("value", [0, 0.0, -0.1, 1.001, float("nan"), float("inf"), "0.5", None, True, [0.5]])
def test_bad_density(value):
    with pytest.raises(ValueError, match="^Expected a density above 0 and at most 1 for 'fc', got "):
        resolve_density({"fc": value}, None)


@pytest.mark.parametrize("value", [1, 1.0, -0.1, float("nan"), 80])
def test_bad_sparsity(value):
    with pytest.raises(ValueError, match=f"^Expected a sparsity at least 0 and below 1, got {value}.$"):
        resolve_density(None, value)


@pytest.mark.parametrize(("density", "sparsity", "given"), [(None, None, "neither"), (0.5, 0.5, "both")])
def test_exactly_one(density, sparsity, given):
    message = rf"^Expected one of density and sparsity \(sparsity = 1 - density\), got {given}.$"
    with pytest.raises(ValueError, match=message):
        resolve_density(density, sparsity)


def test_empty_mapping():
    with pytest.raises(ValueError, match="^Expected density as a number or a mapping .* got an empty mapping.$"):
        resolve_density({}, None)


@pytest.mark.parametrize(
    ("knobs", "message"),
    [
        ({"density": {1: 0.5}}, "^Expected globs of density as text, got 1.$"),
        ({"density": 0.5, "scope": 3}, "^Expected scope as a glob or several, got 3.$"),
        ({"density": 0.5, "scope": [b"c"]}, "^Expected globs of scope as text, got b'c'.$"),
        ({"density": 0.5, "target": ["x86-64"]}, r"^Unknown target \['x86-64'\]: use one of "),
    ],
)
def test_the_callback_refuses_knobs_of_other_types_where_it_is_made(knobs: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mcpruner.PruningCallback(**knobs)


def test_options_keep_mappings_of_their_own() -> None:
    densities, saliency = {"a": 0.5}, {"a": np.ones(3)}
    options = PruningOptions(density=densities, saliency=saliency)
    densities["a"] = 9
    saliency.clear()
    assert options.globs == {"a": 0.5} and list(options.saliency) == ["a"]
    assert options == PruningOptions(density={"a": 0.5})


def test_a_chooser_is_a_function() -> None:
    with pytest.raises(ValueError, match="^Expected choose as a function that chooses masks, got None.$"):
        mcpruner.Pruner(None, mcpruner.PolynomialSchedule(0, 1), density=0.5, choose=None)


@pytest.mark.parametrize(
    ("knobs", "size"),
    [
        ({}, 8),
        ({"pattern_size": 3}, 8),
        ({"pattern_size": "any"}, sys.maxsize),
        ({"pattern_size": "any", "num_patterns": 32}, 32),
    ],
)
def test_only_patterns_of_any_size_are_without_limit(knobs: dict[str, Any], size: int) -> None:
    assert PruningOptions(density=0.5, **knobs).library_size == size
