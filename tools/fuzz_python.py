"""A campaign of broken graphs (`make fuzz-python`): each must be refused with one sentence, or read, by every reader.

The seed is printed; the same seed makes the same graphs. The last graph is kept in out/fuzz/last.tflite.
"""

import argparse
import random
import sys
import time
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from graph_damage import break_graph, sample_models  # noqa: E402
from python_readers import READERS, outcome  # noqa: E402


def main() -> None:
    """Run for the time that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    last = ROOT / "out" / "fuzz" / "last.tflite"
    last.parent.mkdir(parents=True, exist_ok=True)
    models, rng = sample_models(), np.random.default_rng(arguments.seed)
    print(f"seed {arguments.seed}, {arguments.seconds:.0f} s, {len(models)} models", flush=True)
    tried, refused = 0, 0
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        broken = break_graph(models[rng.integers(len(models))], rng)
        if broken is None:
            continue
        last.write_bytes(broken)
        tried += 1
        refused += "refused" in {outcome(reader, broken) for reader in READERS}
    print(f"{tried} broken graphs: {refused} refused with a sentence, {tried - refused} read")


if __name__ == "__main__":
    main()
