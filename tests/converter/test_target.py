"""Targets are found by name and hold sensible parameters."""

import pytest

from mcpruner.converter.target import TARGETS, Target, get_target


def test_names():
    assert list(TARGETS) == ["hikey970-cpu", "hikey970-gpu", "x86-64", "generic"]


@pytest.mark.parametrize("name", TARGETS)
def test_parameters_fit_the_format(name):
    target = get_target(name)
    assert target.name == name
    assert target.group_size in (1, 2, 4, 8, 16)
    assert 1 <= target.pattern_size <= 9


def test_a_target_passes_through():
    own = Target("own", group_size=8, pattern_size=5)
    assert get_target(own) is own


def test_unknown_name_lists_the_names():
    with pytest.raises(
        ValueError, match="^Unknown target 'arm': use one of hikey970-cpu, hikey970-gpu, x86-64, generic.$"
    ):
        get_target("arm")
