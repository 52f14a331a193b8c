"""Makes the network of a seed that failed small: operators go, sessions go, sizes go, while it still fails.

    shrink.py SEED ─> out/campaign/SEED.tflite, SEED.json (the plan), and the operators that are left, printed

Each attempt is a process of its own, since the failure may be a crash. Where an operator goes, its result becomes an
input. The failure counts as the same if it is of the same sort (wrong, or ended by a signal).
"""

from __future__ import annotations

import argparse
import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "campaign")]

from trial import Plan, Wrong, plain, resize, try_network  # noqa: E402

from mcpruner.converter.tflite.drop_unused import Use, drop_unused  # noqa: E402
from mcpruner.converter.tflite.model import operator_name, read_model, write_model  # noqa: E402

Case = tuple[bytes, Plan]
WRONG = 3  # exit status of an attempt that was wrong; signals have their own


def submodel(content: bytes, plan: Plan, kept: list[int]) -> Case:
    """The operators with these numbers; what they read of others becomes an input, what nobody reads an output."""
    model = read_model(content)
    graph, before = model.subgraphs[0], Use.of(model)
    graph.operators = [graph.operators[i] for i in kept]
    made = dict.fromkeys(t for op in graph.operators for t in op.outputs)
    needed = dict.fromkeys(t for op in graph.operators for t in op.inputs if t >= 0 and t not in made)
    shapes = [_all_shapes(content, given) for given in plan.shapes]
    needed = [t for t in needed if graph.tensors[t].buffer == 0]
    read = {t for op in graph.operators for t in op.inputs}
    outputs = [t for t in graph.outputs if t in made]
    graph.outputs = outputs + [t for t in made if t not in read and t not in outputs]
    graph.inputs = needed
    sizes = [[found[t] for t in needed] for found in shapes if found is not None]
    drop_unused(model, before)
    return write_model(model), replace(plan, shapes=sizes)


def _all_shapes(content: bytes, inputs: list[list[int]]) -> dict[int, list[int]] | None:
    """Shape of every tensor at these sizes of the inputs; None where TFLite refuses them."""
    interpreter = plain(content)
    try:
        resize(interpreter, inputs)
    except RuntimeError:
        return None
    return {detail["index"]: [int(n) for n in detail["shape"]] for detail in interpreter.get_tensor_details()}


def outcome(case: Case, seed: int, folder: Path) -> int:
    """Exit status of an attempt: 0 clean, WRONG, the negative number of a signal; 1 for what no runtime runs."""
    path = folder / "attempt"
    path.with_suffix(".tflite").write_bytes(case[0])
    path.with_suffix(".json").write_text(case[1].to_json())
    command = [sys.executable, __file__, str(seed), "--attempt", str(path)]
    return subprocess.run(command, capture_output=True, timeout=600).returncode


def attempt(path: Path, seed: int) -> int:
    """The child's side."""
    plan = Plan.from_json(path.with_suffix(".json").read_text())
    try:
        try_network(path.with_suffix(".tflite").read_bytes(), plan, seed)
    except Wrong as error:
        print(error)
        return WRONG
    return 0


def shrink(case: Case, fails: Callable[[Case], bool]) -> Case:
    """The smallest case found for which `fails` holds, by leaving out ever smaller runs of operators."""
    case = _fewer_runs(case, fails)
    number = len(read_model(case[0]).subgraphs[0].operators)
    step = max(1, number // 2)
    while step:
        start = 0
        while start < number and number > 1:
            kept = [i for i in range(number) if not start <= i < start + step]
            smaller = submodel(*case, kept) if kept else None
            if smaller is not None and smaller[1].shapes and fails(smaller):
                case, number = smaller, len(kept)
            else:
                start += step
        step //= 2
    return _fewer_runs(case, fails)


def _fewer_runs(case: Case, fails: Callable[[Case], bool]) -> Case:
    """One session, fewer sizes, one thread, no conversion and no instruction set, each where it still fails so."""
    content, plan = case
    plans: list[Callable[[Plan], Plan]] = [
        *(lambda p, s=session: replace(p, sessions=[s]) for session in plan.sessions),
        lambda p: replace(p, shapes=p.shapes[:1]),
        lambda p: replace(p, shapes=p.shapes[1:2] or p.shapes),
        lambda p: replace(p, shapes=p.shapes[:2]),
        lambda p: replace(p, convert=False),
        lambda p: replace(p, values="float32"),
        lambda p: replace(p, costs="shipped"),
        lambda p: replace(p, sessions=[replace(s, num_threads=1) for s in p.sessions]),
        lambda p: replace(p, sessions=[replace(s, simd=None) for s in p.sessions]),
        lambda p: replace(p, scale=1.0),
    ]
    for change in plans:
        smaller = change(copy.deepcopy(plan))
        if smaller != plan and fails((content, smaller)):
            plan = smaller
    return content, plan


def describe(content: bytes) -> list[str]:
    """A line for each operator: name, shapes, options."""
    model = read_model(content)
    graph = model.subgraphs[0]

    def tensor(index: int) -> str:
        return f"{index}{list(graph.tensors[index].shape)}" if index >= 0 else "-"

    def options(table: Any) -> str:
        return ", ".join(f"{k}={v}" for k, v in vars(table).items() if v is not None) if table else ""

    return [
        f"{operator_name(model, op)}({', '.join(map(tensor, op.inputs))}) -> {', '.join(map(tensor, op.outputs))}"
        f"  {options(op.builtinOptions)}"
        for op in graph.operators
    ]


def main() -> int:
    """Shrink the case of a seed, or try one case."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("seed", type=int)
    parser.add_argument("--kind", choices=("graph", "keras"), default="graph")
    parser.add_argument("--folder", type=Path, default=ROOT / "out" / "campaign")
    parser.add_argument("--opencl", action="store_true")
    parser.add_argument("--attempt", type=Path, help="a case to try: this path with .tflite and .json behind it")
    arguments = parser.parse_args()
    if arguments.attempt:
        return attempt(arguments.attempt, arguments.seed)
    from campaign import make
    from trial import make_plan

    content = make(arguments.kind, arguments.seed)
    case = content, make_plan(content, arguments.seed, arguments.opencl)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    status = outcome(case, arguments.seed, arguments.folder)
    if status in (0, 1):
        print(f"seed {arguments.seed} does not fail")
        return 1
    case = shrink(case, lambda smaller: outcome(smaller, arguments.seed, arguments.folder) == status)
    path = arguments.folder / str(arguments.seed)
    path.with_suffix(".tflite").write_bytes(case[0])
    path.with_suffix(".json").write_text(case[1].to_json())
    print(*describe(case[0]), case[1].to_json(), f"status {status}; {path}.tflite", sep="\n")
    if status == WRONG:
        attempt(path, arguments.seed)
    return 0


if __name__ == "__main__":
    sys.exit(main())
