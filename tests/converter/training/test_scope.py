"""Globs to densities: what matches, what is refused and in which words."""

import numpy as np
import pytest

from mcpruner.converter.training.scope import assign_density, resolve_density

PATHS = ["conv1", "body/conv2", "body/conv3", "fc1"]


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
    ("globs", "scope", "expected"),
    [
        ({"*": 0.2}, None, dict.fromkeys(PATHS, 0.2)),
        ({"fc*": 0.1, "*": 0.2}, None, {"conv1": 0.2, "body/conv2": 0.2, "body/conv3": 0.2, "fc1": 0.1}),
        ({"*": 0.2, "fc*": 0.1}, None, dict.fromkeys(PATHS, 0.2)),
        ({"conv?": 0.3}, None, {"conv1": 0.3, "body/conv2": 0.3, "body/conv3": 0.3}),
        ({"body/*": 0.3}, None, {"body/conv2": 0.3, "body/conv3": 0.3}),
        ({"*": 0.2}, "conv*", {"conv1": 0.2, "body/conv2": 0.2, "body/conv3": 0.2}),
        ({"*": 0.2}, ["conv1", "fc1"], {"conv1": 0.2, "fc1": 0.2}),
        ({"fc1": 1.0, "*": 0.2}, ["conv1", "fc1"], {"conv1": 0.2, "fc1": 1.0}),
    ],
)
def test_who_matches(globs, scope, expected):
    assert assign_density(PATHS, globs, scope) == expected


def test_a_layers_own_label_counts_before_globs():
    """A plan's labels are taken for the layers that they are of, where one is another layer's name as well."""
    paths = ["conv", "body/conv", "body/conv#1", "step[0]"]
    plan = dict(zip(paths, (0.1, 0.2, 0.3, 0.4), strict=True))
    assert assign_density(paths, plan) == plan
    assert assign_density(paths, {"*": 0.5, "body/conv": 0.2}) == {**dict.fromkeys(paths, 0.5), "body/conv": 0.2}
    assert assign_density(paths, {"conv": 0.1}, ["step[0]", "body/conv"]) == {"body/conv": 0.1, "body/conv#1": 0.1}


@pytest.mark.parametrize(
    ("globs", "scope", "option"), [({"dense*": 0.1}, None, "density"), ({"*": 0.1}, ["dense*"], "scope")]
)
def test_a_glob_without_a_layer(globs, scope, option):
    layers = "conv1, body/conv2, body/conv3, fc1"
    message = f"^The glob 'dense\\*' of {option} matches no layer; the prunable layers are {layers}.$"
    with pytest.raises(ValueError, match=message):
        assign_density(PATHS, globs, scope)


def test_a_glob_for_a_layer_that_is_left_out():
    message = r"^The glob 'logits' of density matches only layers that are not pruned: logits \(the classifier\).$"
    with pytest.raises(ValueError, match=message):
        assign_density(PATHS, {"logits": 0.1, "*": 0.2}, None, {"logits": "the classifier"})


def test_density_and_scope_without_a_common_layer():
    with pytest.raises(
        ValueError, match="^No layer is left to prune: the globs of density and scope share none of conv1"
    ):
        assign_density(PATHS, {"fc*": 0.1}, ["conv1"])


def test_an_empty_scope():
    with pytest.raises(ValueError, match="^No layer is left to prune"):
        assign_density(PATHS, {"*": 0.1}, [])


def test_long_lists_are_cut():
    paths = [f"conv{i}" for i in range(20)]
    with pytest.raises(ValueError, match="are conv0, .*, conv7 and 12 more.$"):
        assign_density(paths, {"fc": 0.1})
