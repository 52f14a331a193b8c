"""One network in the plugin against TFLite without it.

A session is an interpreter with one set of options. For each size of the inputs it runs four frames: NaN, the tested
one, 1e30, the tested one again. What the frames before left behind must not matter: both results must be right, and
equal bit for bit. Right is within 1e-4 of the largest value of the output in TFLite; where it is not, a float64 run
decides whether TFLite itself was as far off, or the network is so ill-conditioned that float32 cannot do better.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from ai_edge_litert import interpreter as litert
from float64 import evaluate, spread

import mcpruner
from mcpruner.converter.cost.cost_model import SHIPPED
from mcpruner.pairing import rounded_reference

TOLERANCE = 1e-4
_KNOWN_SIMD = ("avx512", "avx2", "scalar", "neon", "neon_a53")


class Wrong(Exception):  # noqa: N818 - a finding about the plugin, not an error of this program
    """The plugin or the converter did something that TFLite without it does not."""


@dataclass
class Session:
    """The plugin's options for one interpreter."""

    backend: str
    num_threads: int
    simd: str | None = None
    poison_memory: str | None = None


@dataclass
class Plan:
    """How to try a network: conversion, sessions, sizes. All of it follows from the seed, but can be cut down."""

    convert: bool
    values: str = "float32"
    target: str = "generic"
    costs: str = "shipped"  # or how cheap packed layers are said to be, so that nearly all are packed
    sessions: list[Session] = field(default_factory=list)
    shapes: list[list[list[int]]] = field(default_factory=list)  # of the inputs, after one another
    scale: float = 1.0  # of the tested frame

    def to_json(self) -> str:
        """The same as text."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Plan:
        """The plan in a text of `to_json`."""
        data = json.loads(text)
        data["sessions"] = [Session(**session) for session in data["sessions"]]
        return Plan(**data)


@cache
def simd_targets() -> list[str]:
    """Instruction sets that the plugin has on this machine."""
    found = []
    for name in _KNOWN_SIMD:
        try:
            mcpruner.load_delegate(runtime=litert, simd=name, verbosity=0)
            found.append(name)
        except ValueError:
            continue
    return found


@cache
def calibration(kind: str) -> str | None:
    """A table of costs that makes packed layers pay nearly always, with weight on one of its terms."""
    if kind == "shipped":
        return None
    table = json.loads((SHIPPED / "avx2.json").read_text())
    for kernel, terms in table["nanoseconds"].items():
        if not kernel.startswith("tflite"):
            table["nanoseconds"][kernel] = {
                term: cost * (1e-2 if term == kind else 1e-6) for term, cost in terms.items()
            }
    path = Path(tempfile.mkdtemp(prefix="mcpruner-campaign-")) / f"{kind}.json"
    path.write_text(json.dumps(table))
    return str(path)


def make_plan(content: bytes, seed: int, opencl: bool = False) -> Plan:
    """The plan of a seed for its network."""
    rng = np.random.default_rng([seed, 1])

    def choice(options: tuple, odds: tuple) -> Any:
        return options[int(rng.choice(len(options), p=np.array(odds) / sum(odds)))]

    plan = Plan(convert=rng.random() < 0.75)
    plan.values = choice(("float32", "float16", "int8"), (7, 2, 1))
    plan.target = choice(("x86-64", "generic", "hikey970-cpu", "hikey970-gpu"), (4, 2, 1, 1))
    plan.costs = choice(("shipped", "loads", "kernels", "multiply_adds"), (3, 2, 2, 2))
    plan.scale = choice((1.0, 30.0, 1e-3), (8, 1, 1))
    for _ in range(2):
        backends = ("auto", "cpu", "reference") if plan.convert else ("cpu", "reference", "auto")
        session = Session(
            choice(backends, (12, 6, 1) if plan.convert else (12, 1, 0.3)), choice((1, 2, 3, 4), (2, 2, 1, 1))
        )
        if rng.random() < 0.5:
            session.simd = simd_targets()[int(rng.integers(len(simd_targets())))]
        session.poison_memory = choice((None, "nan", "1e30"), (1, 1, 1))
        plan.sessions.append(session)
    if opencl and rng.random() < 0.02:
        plan.sessions.append(Session("opencl", 1))
    plan.shapes = _sizes(rng, input_shapes(content))
    return plan


def input_shapes(content: bytes) -> list[list[int]]:
    """Shapes of the inputs as the file has them."""
    return [[int(n) for n in detail["shape"]] for detail in plain(content).get_input_details()]


def _sizes(rng: np.random.Generator, first: list[list[int]]) -> list[list[list[int]]]:
    """The file's own sizes; then another batch, or other images, and the first ones again."""
    kind = rng.random()
    if kind < 0.6:
        return [first]
    if kind < 0.85:
        batch = int(rng.integers(1, 5))
        return [first, [[batch, *shape[1:]] for shape in first], first]
    more = [int(n) for n in rng.integers(-3, 4, 2)]
    other = [[s[0], max(1, s[1] + more[0]), max(1, s[2] + more[1]), s[3]] if len(s) == 4 else list(s) for s in first]
    return [first, other, first]


def frame(shapes: list[list[int]], seed: int, scale: float) -> list[np.ndarray]:
    """The tested inputs."""
    rng = np.random.default_rng([seed, 2])
    return [(rng.standard_normal(shape) * scale).astype(np.float32) for shape in shapes]


def plain(content: bytes) -> Any:
    """TFLite without the plugin, and without XNNPACK."""
    kind = litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
    return litert.Interpreter(model_content=content, num_threads=1, experimental_op_resolver_type=kind)


def resize(interpreter: Any, shapes: list[list[int]]) -> None:
    """Give the inputs these shapes, and allocate."""
    for detail, shape in zip(interpreter.get_input_details(), shapes, strict=True):
        interpreter.resize_tensor_input(detail["index"], shape)
    interpreter.allocate_tensors()


def infer(interpreter: Any, inputs: list[np.ndarray]) -> list[np.ndarray]:
    """Outputs of one inference."""
    for detail, array in zip(interpreter.get_input_details(), inputs, strict=True):
        interpreter.set_tensor(detail["index"], array)
    interpreter.invoke()
    return [interpreter.get_tensor(detail["index"]) for detail in interpreter.get_output_details()]


@dataclass
class Expected:
    """What TFLite computes for one size; None where it refuses the size."""

    shapes: list[list[int]]
    inputs: list[np.ndarray]
    outputs: list[np.ndarray] | None


def expect(content: bytes, plan: Plan, seed: int) -> list[Expected]:
    """TFLite's outputs for each size of the plan."""
    results = []
    for shapes in plan.shapes:
        inputs = frame(shapes, seed, plan.scale)
        try:
            interpreter = plain(content)
            resize(interpreter, shapes)
            results.append(Expected(shapes, inputs, infer(interpreter, inputs)))
        except RuntimeError:
            results.append(Expected(shapes, inputs, None))
    return results


def converted(content: bytes, plan: Plan) -> tuple[bytes, bytes, int]:
    """The converted file, the dense one that it equals, and how many layers are packed."""
    if not plan.convert:
        return content, content, 0
    try:
        packed, report = mcpruner.convert(content, plan.target, plan.values, calibration(plan.costs))
    except Exception as error:
        raise Wrong(f"convert: {type(error).__name__}: {error}") from error
    count = sum(layer.accelerated for layer in report.layers)
    if plan.values == "float32" or count == 0:
        return packed, content, count
    try:
        rounded = rounded_reference(packed, content)[0]
    except Exception as error:
        raise Wrong(f"verify: {type(error).__name__}: {error}") from error
    return packed, rounded, count


@dataclass
class Outcome:
    """Of a network that came through."""

    packed: int
    taken: int  # sizes that TFLite ran, times sessions
    ill: int  # outputs that only the float64 run could judge
    error: float  # the largest relative one of the others


def try_network(content: bytes, plan: Plan, seed: int, begin: Callable[[str], None] = lambda stage: None) -> Outcome:
    """Convert and run a network as planned; `Wrong` where the plugin differs from TFLite.

    `begin` is told of each stage before it starts, so that a process that dies in it leaves a trace.
    """
    begin("convert")
    packed, reference, count = converted(content, plan)
    begin("TFLite")
    expected = expect(reference, plan, seed)
    outcome = Outcome(count, 0, 0, 0.0)
    if expected[0].outputs is None:
        raise RuntimeError("TFLite without the plugin does not run this network")
    for session in plan.sessions:
        begin(json.dumps(asdict(session)))
        try:
            _run_session(packed, reference, session, expected, outcome)
        except Wrong as error:
            raise Wrong(f"{json.dumps(asdict(session))}: {error}") from error
    return outcome


def _run_session(packed: bytes, reference: bytes, session: Session, expected: list[Expected], outcome: Outcome) -> None:
    delegate = mcpruner.load_delegate(runtime=litert, verbosity=0, **asdict(session))
    try:
        interpreter = litert.Interpreter(
            model_content=packed, experimental_delegates=[delegate], num_threads=session.num_threads
        )
    except Exception as error:
        raise Wrong(f"load: {error}") from error
    for size in expected:
        if size.outputs is None:
            continue
        try:
            resize(interpreter, size.shapes)
        except RuntimeError as error:
            if as_it_comes(reference, size) is None:
                return  # nor does TFLite as it comes, and the interpreter cannot be used again
            raise Wrong(f"resize to {size.shapes}: {error}") from error
        _run_frames(interpreter, reference, size, outcome)
        outcome.taken += 1


def as_it_comes(reference: bytes, size: Expected) -> list[np.ndarray] | None:
    """Outputs of TFLite as it comes, resized from the file's own sizes; None where XNNPACK refuses the new ones."""
    interpreter = litert.Interpreter(model_content=reference, num_threads=1)
    try:
        interpreter.allocate_tensors()
        resize(interpreter, size.shapes)
        return infer(interpreter, size.inputs)
    except RuntimeError:
        return None


def _run_frames(interpreter: Any, reference: bytes, size: Expected, outcome: Outcome) -> None:
    try:
        infer(interpreter, [np.full_like(x, np.nan) for x in size.inputs])
        after_nan = infer(interpreter, size.inputs)
        infer(interpreter, [np.full_like(x, 1e30) for x in size.inputs])
        after_large = infer(interpreter, size.inputs)
    except RuntimeError as error:
        raise Wrong(f"invoke at {size.shapes}: {error}") from error
    judge(reference, size, after_nan, "after NaN", outcome)
    for a, b in zip(after_nan, after_large, strict=True):
        if not np.array_equal(a, b, equal_nan=True):
            judge(reference, size, after_large, "after 1e30", outcome)
            raise Wrong(f"at {size.shapes}: not the same after 1e30 as after NaN, by {np.abs(a - b).max():.3g}")


def judge(reference: bytes, size: Expected, outputs: list[np.ndarray], when: str, outcome: Outcome) -> None:
    """Raise `Wrong` unless the outputs are TFLite's, or as near to float64's as float32 gets."""
    suspects = []
    for i, (found, wanted) in enumerate(zip(outputs, size.outputs, strict=True)):
        if found.size == wanted.size == 0:
            continue  # where a window does not fit, TFLite's pools make rows empty as well as columns
        if found.shape != wanted.shape:
            # XNNPACK makes a row where no window of a pool fits, of what lies behind the input, or refuses the size. A
            # pool that the plugin leaves alone is as wrong as without it.
            default = as_it_comes(reference, size) if wanted.size == 0 else size.outputs
            if default is not None and found.shape != default[i].shape:
                raise Wrong(f"{when}: output {i} has shape {found.shape} instead of {wanted.shape}")
            continue
        error = relative_error(found, wanted)
        if error > TOLERANCE:
            suspects.append((i, error))
        else:
            outcome.error = max(outcome.error, error)
    if not suspects:
        return
    exact, spreads = evaluate(reference, size.inputs), spread(reference, size.inputs)
    for i, error in suspects:
        own, tflite = (relative_error(v[i], exact[i]) for v in (outputs, size.outputs))
        width = spreads[i] / max(float(np.abs(exact[i]).max(initial=0.0)), 1e-30)
        # What the plugin leaves is run by XNNPACK, whose LOGISTIC and GELU are not exact where they are nearly 0.
        default = as_it_comes(reference, size) if own > max(TOLERANCE, 4 * width) else None
        if default is not None and relative_error(outputs[i], default[i]) <= TOLERANCE:
            own = 0.0
        if own > max(TOLERANCE, 4 * width):
            raise Wrong(
                f"{when} at {size.shapes}: output {i} {found_at(outputs[i], exact[i])}: error {error:.3g} beside "
                f"TFLite; beside float64 {own:.3g} (TFLite {tflite:.3g}, float32 may have {width:.3g})"
            )
        outcome.ill += 1


def relative_error(found: np.ndarray, wanted: np.ndarray) -> float:
    """Largest difference over the largest value; infinite where what should be a number or infinite is not.

    Where a NaN is wanted (the mean of an image of no pixels), anything is right: weights that are zero may spread it or
    not.
    """
    if wanted.size == 0:
        return 0.0
    with np.errstate(invalid="ignore", over="ignore"):
        same = (found == wanted) | np.isnan(wanted)
        difference = np.where(same, 0.0, np.abs(found.astype(np.float64) - wanted))
    largest = np.abs(wanted[np.isfinite(wanted)]).max(initial=0.0)
    return float(np.nan_to_num(difference, nan=np.inf, posinf=np.inf).max() / max(float(largest), 1e-30))


def found_at(found: np.ndarray, exact: np.ndarray) -> str:
    """Where the outputs differ most, and in how many places."""
    difference = np.nan_to_num(np.abs(found.astype(np.float64) - exact), nan=np.inf)
    where = np.unravel_index(int(difference.argmax()), found.shape)
    bad = int((difference > TOLERANCE * max(float(np.abs(exact).max()), 1e-30)).sum())
    return f"{tuple(int(i) for i in where)} of {found.shape} ({bad} values off)"
