"""The campaign finds what it should, and a short run of it finds nothing."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from campaign import Campaign, parse
from float64 import OPERATORS, evaluate, spread
from random_network import random_network
from shrink import describe, shrink, submodel
from tflite_builder import TfliteBuilder
from trial import (
    Expected,
    Outcome,
    Plan,
    Session,
    Wrong,
    frame,
    infer,
    input_shapes,
    judge,
    make_plan,
    plain,
    resize,
    try_network,
)

from mcpruner.converter.tflite.model import operator_name, read_model

SHORT = 100  # networks of the short run, which begin at seed 0
ACCUMULATED = 1e-4


def tflite(content: bytes, inputs: list[np.ndarray]) -> list[np.ndarray]:
    interpreter = plain(content)
    resize(interpreter, [list(x.shape) for x in inputs])
    return infer(interpreter, inputs)


def operators(content: bytes) -> list[str]:
    model = read_model(content)
    return [operator_name(model, op) for op in model.subgraphs[0].operators]


def test_a_short_campaign_is_clean(tmp_path, capsys) -> None:
    seeds = ",".join(map(str, range(SHORT)))
    status = Campaign(parse(["--hours=0.5", "--jobs=2", f"--seeds={seeds}", f"--journal={tmp_path}"])).run()
    printed = capsys.readouterr().out
    assert status == 0, printed
    assert f"campaign: {SHORT} graph networks (seeds 0..{SHORT - 1}): {SHORT} clean" in printed
    results = [json.loads(line) for line in (tmp_path / "graph.jsonl").read_text().splitlines()]
    assert sorted(result["seed"] for result in results) == list(range(SHORT))
    assert sum(result["packed"] for result in results) > SHORT  # that packed layers are tried at all


def test_float64_means_what_tflite_does() -> None:
    seen = set()
    for seed in range(40):
        content = random_network(seed)
        seen.update(operators(content))
        inputs = frame(input_shapes(content), seed, 1.0)
        for found, wanted in zip(tflite(content, inputs), evaluate(content, inputs), strict=True):
            assert found.shape == wanted.shape
            np.testing.assert_allclose(found, wanted, rtol=0, atol=ACCUMULATED * max(np.abs(wanted).max(), 1e-30))
    assert not seen - set(OPERATORS)
    assert len(set(OPERATORS) - seen) < 8  # the rest comes in longer runs


def test_equal_seeds_make_equal_networks_and_plans() -> None:
    content = random_network(11)
    assert content == random_network(11)
    assert content != random_network(12)
    plan = make_plan(content, 11)
    assert plan == make_plan(content, 11) == Plan.from_json(plan.to_json())
    assert 5 <= len(operators(content)) <= 40


def difference_network() -> bytes:
    """x + 1e6 - 1e6: float32 keeps of x what 1e6 leaves of it."""
    net = TfliteBuilder()
    x = net.input((1, 4))
    far = net.add(x, net.constant(np.full((1, 4), 1e6, np.float32)))
    return net.build([net.add(far, net.constant(np.full((1, 4), -1e6, np.float32)))])


def test_cancellation_is_judged_by_float64() -> None:
    content, inputs = difference_network(), [np.array([[1, 2, 3, 4]], np.float32)]
    size = Expected([[1, 4]], inputs, tflite(content, inputs))
    outcome = Outcome(0, 0, 0, 0.0)
    judge(content, size, [size.outputs[0] + np.float32(0.0625)], "then", outcome)  # one rounding of 1e6 away
    assert (outcome.ill, outcome.error) == (1, 0.0)
    assert 0.05 < spread(content, inputs)[0] < 4
    with pytest.raises(Wrong, match=r"then at \[\[1, 4\]\]: output 0 .* of \(1, 4\) \(4 values off\): error"):
        judge(content, size, [size.outputs[0] + np.float32(20)], "then", outcome)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_value_that_is_not_finite_is_wrong(value: float) -> None:
    content, inputs = difference_network(), [np.ones((1, 4), np.float32)]
    size = Expected([[1, 4]], inputs, tflite(content, inputs))
    bad = size.outputs[0].copy()
    bad[0, 2] = value
    with pytest.raises(Wrong, match=r"output 0 \(0, 2\) of \(1, 4\)"):
        judge(content, size, [bad], "then", Outcome(0, 0, 0, 0.0))


def test_a_value_that_should_be_a_nan_may_be_any() -> None:
    content, inputs = difference_network(), [np.ones((1, 4), np.float32)]
    wanted = tflite(content, inputs)
    wanted[0][0, 1] = np.nan
    outcome = Outcome(0, 0, 0, 0.0)
    judge(content, Expected([[1, 4]], inputs, wanted), tflite(content, inputs), "then", outcome)
    assert (outcome.ill, outcome.error) == (0, 0.0)


def test_windows_that_do_not_fit_make_no_rows_in_float64() -> None:
    net = TfliteBuilder()
    weights = np.ones((4, 3, 3, 2), np.float32)
    content = net.build([net.conv(net.input((1, 4, 4, 2)), weights, padding="VALID")])
    assert evaluate(content, [np.ones((1, 2, 5, 2), np.float32)])[0].size == 0


def test_another_shape_is_wrong() -> None:
    content, inputs = difference_network(), [np.ones((1, 4), np.float32)]
    size = Expected([[1, 4]], inputs, tflite(content, inputs))
    with pytest.raises(Wrong, match=r"shape \(4,\) instead of \(1, 4\)"):
        judge(content, size, [size.outputs[0][0]], "then", Outcome(0, 0, 0, 0.0))


def test_a_size_that_xnnpack_refuses_need_not_run() -> None:
    net = TfliteBuilder()
    x = net.input((2, 6))
    content = net.build([net.fully_connected(x, np.ones((4, 6), np.float32))])
    sizes = [[[2, 6]], [[3, 5]]]  # TFLite's own kernels take two rows of the 15 values, and so does the plugin
    plans = [Plan(convert=False, sessions=[Session(backend, 1)], shapes=sizes) for backend in ("cpu", "auto")]
    assert try_network(content, plans[0], 0).taken == 2
    assert try_network(content, plans[1], 0).taken == 1  # a dense layer is left to XNNPACK


WORKER = """
import json, os, sys, time
for line in sys.stdin:
    seed = int(line)
    print(json.dumps({"seed": seed, "stage": "make"}), flush=True)
    if seed == 3:
        os.abort()
    print(json.dumps({"seed": seed, "state": "wrong" if seed == 5 else "clean", "packed": 1}), flush=True)
"""


def test_a_worker_that_dies_costs_one_seed(tmp_path, capsys) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(WORKER)
    arguments = ["--hours=0.1", "--jobs=1", "--seeds=1,2,3,4,5,6", f"--journal={tmp_path}"]
    assert Campaign(parse(arguments), worker).run() == 1
    results = {r["seed"]: r for r in map(json.loads, (tmp_path / "graph.jsonl").read_text().splitlines())}
    assert {seed: r["state"] for seed, r in results.items()} == {
        1: "clean", 2: "clean", 3: "crashed", 4: "clean", 5: "wrong", 6: "clean"
    }  # fmt: skip
    assert results[3]["why"] == "status -6 in make"
    assert "4 clean, 1 wrong, 1 crashed, 0 hung, 0 invalid; 5 layers packed" in capsys.readouterr().out


def test_a_campaign_goes_on_where_it_stopped(tmp_path) -> None:
    (tmp_path / "graph.jsonl").write_text('{"seed": 7, "state": "clean"}\n{"seed": 9, "state": "clean"}\n')
    campaign = Campaign(parse(["--first-seed=7", f"--journal={tmp_path}"]))
    assert [next(campaign.seeds) for _ in range(3)] == [8, 10, 11]


def test_shrinking_leaves_what_fails() -> None:
    content = random_network(5)
    plan = replace(make_plan(content, 5), sessions=[Session("cpu", 2), Session("auto", 1)])
    last = operators(content)[-1]

    def fails(case: tuple[bytes, Plan]) -> bool:
        small = case[0]
        tflite(small, frame(input_shapes(small), 0, 1.0))  # whatever is left must run
        return last in operators(small)

    small, small_plan = shrink((content, plan), fails)
    assert operators(small) == [last]
    assert len(small_plan.sessions) == 1
    assert len(small_plan.shapes) == 1
    assert describe(small)[0].startswith(f"{last}(")


def test_a_part_of_a_network_has_its_own_inputs_and_outputs() -> None:
    net = TfliteBuilder()
    x = net.input((1, 3))
    y = net.relu(net.relu(net.relu(x)))
    content = net.build([y])
    small, plan = submodel(content, Plan(convert=False, shapes=[[[1, 3]], [[5, 3]]]), [1])
    assert operators(small) == ["RELU"]
    assert input_shapes(small) == [[1, 3]]
    assert plan.shapes == [[[1, 3]], [[5, 3]]]
    np.testing.assert_array_equal(tflite(small, [np.array([[-1, 0, 2]], np.float32)])[0], [[0, 0, 2]])
