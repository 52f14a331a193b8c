"""Globs to densities: what matches, what is refused and in which words."""

import pytest

from mcpruner.converter.training.scope import assign_density

PATHS = ["conv1", "body/conv2", "body/conv3", "fc1"]


@pytest.mark.parametrize(
    ("globs", "scope", "expected"),
    [
        ({"*": 0.2}, None, dict.fromkeys(PATHS, 0.2)),
        ({"fc*": 0.1, "*": 0.2}, None, {"conv1": 0.2, "body/conv2": 0.2, "body/conv3": 0.2, "fc1": 0.1}),
        ({"*": 0.2, "fc*": 0.1}, None, dict.fromkeys(PATHS, 0.2)),
        ({"conv?": 0.3}, None, {"conv1": 0.3, "body/conv2": 0.3, "body/conv3": 0.3}),
        ({"body/*": 0.3}, None, {"body/conv2": 0.3, "body/conv3": 0.3}),
        ({"*": 0.2}, ("conv*",), {"conv1": 0.2, "body/conv2": 0.2, "body/conv3": 0.2}),
        ({"*": 0.2}, ("conv1", "fc1"), {"conv1": 0.2, "fc1": 0.2}),
        ({"fc1": 1.0, "*": 0.2}, ("conv1", "fc1"), {"conv1": 0.2, "fc1": 1.0}),
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
    assert assign_density(paths, {"conv": 0.1}, ("step[0]", "body/conv")) == {"body/conv": 0.1, "body/conv#1": 0.1}


@pytest.mark.parametrize(
    ("globs", "scope", "option"), [({"dense*": 0.1}, None, "density"), ({"*": 0.1}, ("dense*",), "scope")]
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
        assign_density(PATHS, {"fc*": 0.1}, ("conv1",))


def test_an_empty_scope():
    with pytest.raises(ValueError, match="^No layer is left to prune"):
        assign_density(PATHS, {"*": 0.1}, ())


def test_long_lists_are_cut():
    paths = [f"conv{i}" for i in range(20)]
    with pytest.raises(ValueError, match="are conv0, .*, conv7 and 12 more.$"):
        assign_density(paths, {"fc": 0.1})
