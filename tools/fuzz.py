"""A campaign of random damage to the golden blobs (`make fuzz`): each must be read, or refused with one sentence.

The native reader runs under the sanitizers, so that a finding ends the process. The last blob is kept in
out/fuzz/last.mcp, and the seed is printed: the same seed makes the same blobs.
"""

import argparse
import importlib.util
import random
import time
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parent.parent
EXTREMES = (b"\x00" * 4, b"\xff" * 4, b"\xff\xff\xff\x7f", b"\x00\x00\x00\x80", b"\x01\x00\x00\x00")


def load_native(path: Path) -> ModuleType:
    """The pybind11 module of one build, wherever it lies."""
    spec = importlib.util.spec_from_file_location("_native", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def damage(blob: bytes, rng: random.Random) -> bytes:
    """One to four flipped bits, changed bytes, words of extreme value, or cuts."""
    damaged = bytearray(blob)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(max(1, len(damaged) - 4))
        choice = rng.randrange(8)
        if choice < 3:
            damaged[at] ^= 1 << rng.randrange(8)
        elif choice < 5:
            damaged[at] = rng.randrange(256)
        elif choice < 7:
            damaged[at : at + 4] = rng.choice(EXTREMES)
        elif at > 0:
            del damaged[at:]
    return bytes(damaged)


def main() -> None:
    """Run for the time that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--native", type=Path, required=True, help="the _native.so to try")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    arguments = parser.parse_args()
    native = load_native(arguments.native)
    blobs = [path.read_bytes() for path in sorted((ROOT / "tests" / "golden").glob("*.mcp"))]
    last = ROOT / "out" / "fuzz" / "last.mcp"
    last.parent.mkdir(parents=True, exist_ok=True)
    rng, tried, refused = random.Random(arguments.seed), 0, 0
    print(f"seed {arguments.seed}, {arguments.seconds:.0f} s, {len(blobs)} blobs", flush=True)
    end = time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        blob = damage(rng.choice(blobs), rng)
        last.write_bytes(blob)
        tried += 1
        try:
            native.read_layer(blob)
        except ValueError as error:
            refused += 1
            if "\n" in str(error):
                raise AssertionError(f"{last}: more than one line: {error}") from error
    print(f"{tried} damaged blobs: {refused} refused with a sentence, {tried - refused} read")


if __name__ == "__main__":
    main()
