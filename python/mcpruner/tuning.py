"""Which partitions of a model the plugin should take on this machine, measured instead of predicted.

    without the plugin ──┬── nothing taken                      each choice against the model without the plugin,
                         ├── what auto takes by prediction      in turns, in one process
                         ├── each partition alone
                         └── all that are faster alone          the fastest of these is kept

Each choice is made by the file that the plugin will read later (`mcpruner.tuning_file`), in a folder that goes when all
is measured. So what is timed is what an app gets.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mcpruner.compare import output_errors, run
from mcpruner.converter.tflite.dense_layer import shorten
from mcpruner.converter.tflite.densify import densify
from mcpruner.converter.tflite.pack_by_plan import packed_content
from mcpruner.inputs import Feed
from mcpruner.machine import birth_certificate
from mcpruner.runtime import Interpreter, find_runtime
from mcpruner.timing import BUSY, quoted, runs_for, speedup, take_turns, twice_timed_block
from mcpruner.tuning_file import Decision, read_decisions, write_decisions
from mcpruner.verification import TOLERANCE

Choice = frozenset[str]  # keys of the partitions that are taken
_SECONDS = 3.0  # for each choice, where nobody says how many runs


@dataclass(frozen=True)
class _Timed:
    """One choice: how many times as fast as the model without the plugin, and milliseconds of both."""

    speedup: float
    ms: float
    without_ms: float


class _Contest:
    """Times choices of partitions in turns with the model without the plugin, each once."""

    def __init__(
        self,
        content: bytes,
        folder: Path,
        options: dict[str, Any],
        feed: Feed,
        runs: int | None,
        tick: Callable[[], None],
    ) -> None:
        self._content, self._folder, self._options, self._runs, self._tick = content, folder, options, runs, tick
        dense = densify(packed_content(content))
        self._plain = find_runtime().interpreter(model_content=dense, num_threads=options["num_threads"])
        self._inputs = next(feed.batches(self._plain, samples=1))
        self._timed: dict[Choice, _Timed] = {}
        run(self._plain, self._inputs)
        # Without a file of decisions, auto goes by prediction; with `tune`, the report has all keys.
        self.report = self._interpreter(tune=True).report()
        # The plugin numbers subgraphs as the runtime shows them, the main one first. No other is timed.
        found = [decision for decision in self.report["decisions"] if decision["key"] and decision["subgraph"] == 0]
        found.sort(key=lambda decision: decision["nodes"][0])
        # Partitions of one key are equal, and decided of together.
        self.partitions: dict[str, list[dict[str, Any]]] = {}
        for decision in found:
            self.partitions.setdefault(decision["key"], []).append(decision)

    def choice(self, report: dict[str, Any]) -> Choice:
        """The partitions that a plugin took which can be decided of."""
        return frozenset(d["key"] for d in report["decisions"] if d["taken"] and d["key"] in self.partitions)

    def time(self, choice: Choice) -> _Timed:
        """Check and time a choice.

        Raises
        ------
        RuntimeError
            The outputs differ, the plugin did not take what it was to take, or the turns disagree.
        """
        if choice not in self._timed:
            self._timed[choice] = self._time(choice)
            self._tick()
        return self._timed[choice]

    def _interpreter(self, tune: bool = False) -> Interpreter:
        interpreter = Interpreter(model_content=self._content, cache_dir=self._folder, tune=tune, **self._options)
        run(interpreter, self._inputs)
        return interpreter

    def _time(self, choice: Choice) -> _Timed:
        place = self.report["tuning"]
        takes = {key: key in choice for key in self.partitions}
        takes |= {place["model"]: bool(choice)} if place["model"] else {}
        decisions = {key: Decision(take, 1, 1, "2000-01-01") for key, take in takes.items()}
        write_decisions(self._folder / Path(place["file"]).name, place["machine"], decisions)
        plugin = self._interpreter()
        report = plugin.report()
        if self.choice(report) != choice:
            raise RuntimeError(
                "The plugin cut the model into other partitions when some were left: it cannot be tuned."
            )
        (errors,) = output_errors([plugin], [self._plain], [self._inputs])
        worst = max((error.relative for error in errors), default=0.0)
        if not worst <= TOLERANCE:
            raise RuntimeError(
                f"The plugin's outputs are {worst:.1e} of the largest magnitude from those without it, more than "
                f"{TOLERANCE:.0e}: nothing was kept, mcpruner verify says more."
            )
        blocks = [twice_timed_block(interpreter.invoke) for interpreter in (plugin, self._plain)]
        runs = self._runs or runs_for(_SECONDS, sum(block(1)[0, 0] for block in blocks))
        # On several threads, the processor's time says how much was done and not how soon.
        ours, theirs = take_turns(blocks, runs)[:, :, 1 if self._options["num_threads"] == 1 else 0]
        found = speedup(ours, theirs)
        if quoted(found) == BUSY:
            raise RuntimeError("The machine was busy: turns disagree by more than 2x. Nothing was kept, try again.")
        if not report["partitions"]:
            found["speedup"] = 1.0  # It is the model without the plugin.
        return _Timed(found["speedup"], float(np.median(ours)), float(np.median(theirs)))


def tune(
    content: bytes,
    cache_dir: str | Path,
    *,
    num_threads: int = 1,
    costs: str | Path | None = None,
    runs: int | None = None,
    inputs: np.ndarray | None = None,
    shapes: Any = None,
    tick: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Measure which partitions the plugin should take, and keep that for backend ``auto`` with this `cache_dir`.

    Partitions with layers that `convert` packed are always taken, since nothing else runs them. Of subgraphs, the main
    one alone is measured.

    Parameters
    ----------
    content
        A ``.tflite``, converted or not.
    cache_dir
        An existing folder. Decisions on other models in it stay.
    num_threads, costs
        The plugin's options. Decisions hold for this number of threads; other `costs` may make other partitions.
    runs
        Timed runs of each choice, made up to whole blocks; None: as many as fit into 3 seconds.
    inputs, shapes
        What to run, as for `mcpruner.verify`; the first batch of it is timed.
    tick
        Called after each choice, for a spinner.

    Returns
    -------
    dict
        What `birth_certificate` says, ``runtime``, ``num_threads``, ``clock`` (``"processor"`` for one thread, else
        ``"wall"``), ``without_ms``, ``auto_speedup``, ``kept_speedup``; ``file`` with the decisions (None where there
        were none to make) and ``partitions``: for each that could be decided of (equal ones are one) ``key``, ``name``
        (of its first operator), ``operators``, ``layers``, ``predicted_speedup`` and ``measured_speedup`` (of the
        model, with this partition alone), ``predicted`` and ``taken``. Speed-ups are beside the model without the
        plugin.

    Raises
    ------
    ValueError
        The file is damaged, an option is refused, or the inputs do not fit.
    RuntimeError
        The outputs differ, or the turns disagree, so that nothing was kept.
    FileNotFoundError, ImportError
        The plugin, or a runtime, is missing.
    """
    origin, runtime = birth_certificate(), find_runtime()
    options = {"num_threads": num_threads, "costs": costs}
    with tempfile.TemporaryDirectory(prefix="mcpruner-tune-") as name:
        place = _copy_cache(content, cache_dir, Path(name), options)
        contest = _Contest(content, Path(name), options, Feed(inputs, shapes=shapes), runs, tick)
        auto, none = contest.choice(contest.report), contest.time(frozenset())
        alone = {key: contest.time(frozenset([key])) for key in contest.partitions}
        faster = frozenset(key for key, timed in alone.items() if timed.speedup > none.speedup)
        choices = [auto, faster, frozenset(), *(frozenset([key]) for key in alone)]
        kept = max(choices, key=lambda choice: contest.time(choice).speedup)
        best, predicted = contest.time(kept), contest.time(auto)
    date = origin["date"][:10]
    decisions = {key: _decision(key in kept, timed, none, date) for key, timed in alone.items()}
    if decisions and place["model"]:  # which nothing would look at
        decisions[place["model"]] = _decision(bool(kept), best, none, date)
    return {
        **origin,
        "runtime": f"{runtime.name} {runtime.version}",
        "num_threads": num_threads,
        "clock": "processor" if num_threads == 1 else "wall",
        "without_ms": best.without_ms,
        "auto_speedup": predicted.speedup,
        "kept_speedup": best.speedup,
        "file": _keep(Path(place["file"]), place["machine"], decisions) if decisions else None,
        "partitions": [
            {
                **_describe(equals, contest.report["nodes"]),
                "measured_speedup": alone[key].speedup / none.speedup,
                "predicted": key in auto,
                "taken": key in kept,
            }
            for key, equals in contest.partitions.items()
        ],
    }


def _copy_cache(content: bytes, cache_dir: str | Path, folder: Path, options: dict[str, Any]) -> dict[str, Any]:
    """Copy what the plugin keeps in its cache, but for decisions; returns the plugin's word on where these belong."""
    # Where auto may choose a GPU, its tiles are measured first. The folder goes to the plugin as it was given, so that
    # it refuses what it refuses from an app: of an empty text, a Path would make the working folder.
    interpreter = Interpreter(model_content=content, cache_dir=cache_dir, tune=True, **options)
    interpreter.allocate_tensors()
    place = interpreter.report()["tuning"]
    for file in Path(cache_dir).glob("mcpruner-*.bin"):
        if file.name != Path(place["file"]).name:
            shutil.copy(file, folder)
    return place


def _decision(take: bool, timed: _Timed, none: _Timed, date: str) -> Decision:
    # Both were timed at other moments, so the ratio counts.
    plugin_ns = max(1, round(timed.ms * 1e6))
    return Decision(take, max(1, round(plugin_ns * timed.speedup / none.speedup)), plugin_ns, date)


def _keep(path: Path, machine: str, decisions: dict[str, Decision]) -> str:
    """Add decisions to those on other models; returns the file."""
    write_decisions(path, machine, read_decisions(path, machine) | decisions)
    return str(path)


def _describe(equals: list[dict[str, Any]], nodes: list[dict[str, Any]]) -> dict[str, Any]:
    """What partitions of one key are together."""
    main = {node["node"]: node for node in nodes if node["subgraph"] == 0}
    members = [main[number] for partition in equals for number in partition["nodes"]]
    total = sum(node["tflite_nanoseconds"] for node in main.values())
    saved = sum(partition["tflite_nanoseconds"] - partition["plugin_nanoseconds"] for partition in equals)
    return {
        "key": equals[0]["key"],
        "name": shorten(members[0]["name"]),
        "operators": len(members),
        "layers": sum(node["packed_at_load"] or bool(node["packing_reason"]) for node in members),
        "predicted_speedup": total / (total - saved),
    }
