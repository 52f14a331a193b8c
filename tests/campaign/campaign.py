"""Random networks in the plugin against TFLite without it, for as long as one likes (`make campaign`).

    parent ── seeds ──> worker process (one per core) ── a line per stage and per seed ──> parent ── journal.jsonl

A worker that dies or hangs costs one seed: the parent notes it with the stage it was in and starts another worker
behind it. The journal is read at the start, and the seeds that stand in it are not tried again, so a campaign goes on
where it was stopped. A seed that failed is tried alone by ``--seeds N``, and made small by ``shrink.py N``.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import os
import random
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from dataclasses import asdict
from itertools import count, islice
from pathlib import Path
from typing import Any, TextIO

ROOT = Path(__file__).resolve().parents[2]
BATCH = 100  # seeds of one worker process
PATIENCE = 600  # seconds without a line after which a worker is taken to hang
FAILURES = ("wrong", "crashed", "hung", "invalid")


def make(kind: str, seed: int) -> bytes:
    """The network of a seed."""
    if kind == "keras":
        from keras_network import keras_network

        return keras_network(seed)
    from random_network import random_network

    return random_network(seed)


def try_seed(kind: str, seed: int, opencl: bool) -> dict[str, Any]:
    """What came of one seed, as it will stand in the journal."""
    from trial import Wrong, make_plan, try_network

    def begin(stage: str) -> None:
        print(json.dumps({"seed": seed, "stage": stage}), flush=True)

    begin("make")
    start, plan = time.monotonic(), None
    try:
        content = make(kind, seed)
        plan = make_plan(content, seed, opencl)
        result = {"state": "clean", **asdict(try_network(content, plan, seed, begin))}
    except Wrong as error:
        result = {"state": "wrong", "why": str(error)}
    except Exception:
        result = {"state": "invalid", "why": traceback.format_exc(limit=-3)}
    if result["state"] != "clean" and plan is not None:
        result["plan"] = asdict(plan)
    return {"seed": seed, **result, "seconds": round(time.monotonic() - start, 3)}


def work(arguments: argparse.Namespace) -> None:
    """A worker: seeds from stdin, lines to stdout."""
    faulthandler.enable()
    for line in sys.stdin:
        if time.time() > arguments.until:
            break
        print(json.dumps(try_seed(arguments.kind, int(line), arguments.opencl)), flush=True)


class Campaign:
    """The parent's side: hands out seeds, writes the journal, counts."""

    def __init__(self, arguments: argparse.Namespace, worker: Path = Path(__file__)) -> None:
        self.arguments, self.worker = arguments, worker
        self.until = time.time() + 3600 * arguments.hours
        self.lock = threading.Lock()
        self.counts: Counter[str] = Counter()
        self.failed: list[int] = []
        self.tried: list[int] = []
        arguments.journal.mkdir(parents=True, exist_ok=True)
        path = arguments.journal / f"{arguments.kind}.jsonl"
        self.done = {json.loads(line)["seed"] for line in path.read_text().splitlines()} if path.exists() else set()
        self.journal = path.open("a")
        self.errors = (arguments.journal / f"{arguments.kind}.stderr").open("a")
        wanted = [int(s) for s in arguments.seeds.split(",")] if arguments.seeds else count(arguments.first_seed)
        self.seeds = (seed for seed in wanted if arguments.seeds or seed not in self.done)

    def note(self, result: dict[str, Any]) -> None:
        """Write a result down and count it."""
        with self.lock:
            self.journal.write(json.dumps(result) + "\n")
            self.journal.flush()
            self.tried.append(result["seed"])
            self.counts[result["state"]] += 1
            for key in ("packed", "taken", "ill"):
                self.counts[key] += result.get(key, 0)
            if result["state"] in FAILURES:
                self.failed.append(result["seed"])
                print(f"seed {result['seed']} {result['state']}: {result.get('why', '')}", flush=True)

    def feed(self) -> None:
        """One of the parent's threads: batches of seeds until the time or the seeds are over."""
        while time.time() < self.until:
            with self.lock:
                batch = list(islice(self.seeds, BATCH))
            if not batch:
                break
            while batch and time.time() < self.until:
                batch = self.run_worker(batch)

    def run_worker(self, batch: list[int]) -> list[int]:
        """Run a worker over a batch; the seeds that it left behind when it died."""
        command = [
            sys.executable,
            str(self.worker),
            "--worker",
            f"--kind={self.arguments.kind}",
            f"--until={self.until}",
        ]
        command += ["--opencl"] if self.arguments.opencl else []
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.errors, text=True
        ) as worker:
            worker.stdin.write("".join(f"{seed}\n" for seed in batch))
            worker.stdin.close()
            finished, stage, hung = self.listen(worker)
        left = [seed for seed in batch if seed not in finished]
        if worker.returncode == 0 or not left:
            return []
        state = "hung" if hung else "crashed"
        self.note({"seed": left[0], "state": state, "why": f"status {worker.returncode} in {stage}", "stage": stage})
        return left[1:]

    def listen(self, worker: subprocess.Popen) -> tuple[set[int], str, bool]:
        """Take a worker's lines until it ends: the seeds that it finished, its last stage, whether it hung."""
        finished, stage, hung = set(), "start", threading.Event()

        def end() -> None:
            hung.set()
            worker.kill()

        lines: TextIO = worker.stdout
        while True:
            patience = threading.Timer(PATIENCE, end)
            patience.start()
            line = lines.readline()
            patience.cancel()
            if not line:
                return finished, stage, hung.is_set()
            result = json.loads(line)
            if "state" in result:
                finished.add(result["seed"])
                self.note(result)
            else:
                stage = result["stage"]

    def run(self) -> int:
        """The whole campaign; the exit status."""
        threads = [threading.Thread(target=self.feed) for _ in range(self.arguments.jobs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        print(self.summary(), flush=True)
        return 1 if self.failed or not self.tried else 0

    def summary(self) -> str:
        """The line of counts."""
        c, kind = self.counts, self.arguments.kind
        seeds = f"{min(self.tried, default=0)}..{max(self.tried, default=0)}"
        failures = ", ".join(f"{c[state]} {state}" for state in FAILURES)
        failed = f"; seeds that failed: {' '.join(map(str, sorted(self.failed)))}" if self.failed else ""
        return (
            f"campaign: {len(self.tried)} {kind} networks (seeds {seeds}): {c['clean']} clean, {failures}; "
            f"{c['packed']} layers packed, {c['taken']} sessions and sizes, {c['ill']} outputs left to float64{failed}"
        )


def parse(arguments: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("graph", "keras"), default="graph", help="how the networks are made")
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--first-seed", type=int, default=random.SystemRandom().randrange(10**9))
    parser.add_argument("--seeds", help="these alone, with commas between them, also if the journal has them")
    parser.add_argument(
        "--journal", type=Path, default=ROOT / "out" / "campaign", help="folder of what came of each seed"
    )
    parser.add_argument("--opencl", action="store_true", help="some sessions on the OpenCL device")
    parser.add_argument("--worker", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--until", type=float, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def main() -> int:
    """Parent or worker."""
    arguments = parse(sys.argv[1:])
    sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "campaign")]
    if arguments.worker:
        work(arguments)
        return 0
    print(f"campaign: first seed {arguments.first_seed}, {arguments.hours} h, {arguments.jobs} jobs", flush=True)
    return Campaign(arguments).run()


if __name__ == "__main__":
    sys.exit(main())
