"""The inner loops of the convolution kernels for NEON, read from the plugin's disassembly.

`inner_loops` finds them, with their instructions per multiply-add and whether sums leave their registers; `table` adds
what llvm-mca says of them. Usage: ``python inner_loops.py [PLUGIN]``, which prints the table, for the plugin of this
tree if none is named; it must have its symbols.
"""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

_INSTRUCTION = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*?)(?:\s*//.*)?$")
_BRANCH = re.compile(r"^(b|b\.\w+|cbn?z|tbn?z)$")
_KERNEL = re.compile(r"(neon\w*)::(?:ConvTile\(|.*\bTile<(\d+), (\d+), (\w+),)")
MCA = "llvm-mca-19"
# Schedule -> the core it is for. Both start one multiply-add of 128 bits in a cycle.
CORES = {"neon": "cortex-a73", "neon_a53": "cortex-a53"}
OUT_OF_ORDER = "neon"


@dataclass(frozen=True)
class Loop:
    """One inner loop.

    Attributes
    ----------
    schedule
        A key of `CORES`.
    filters, vectors
        Size of its tile; 0 where the compiler put a small tile into the kernel's entry.
    two_rows
        Whether a vector is half a row's and half the next one's, which takes two loads.
    instructions
        Their text, in order.
    """

    schedule: str
    filters: int
    vectors: int
    two_rows: bool
    instructions: tuple[str, ...]

    @property
    def fmla(self) -> int:
        """Vector multiply-adds."""
        return sum(text.startswith("fmla") for text in self.instructions)

    @property
    def per_fmla(self) -> float:
        """Instructions per multiply-add."""
        return len(self.instructions) / self.fmla

    @property
    def spills(self) -> int:
        """Instructions that write a register to the stack or read it from there."""
        return sum(bool(re.match(r"(?:ld|st)\S*\s.*\[(?:sp|x29)\b", text)) for text in self.instructions)


def is_tile(function: str) -> bool:
    """Whether a function is a convolution kernel for NEON."""
    return bool(_KERNEL.search(function))


def _functions(library: Path) -> dict[str, list[tuple[int, str, str]]]:
    """(address, mnemonic, operands) of each instruction of each tile function."""
    command = ["aarch64-linux-gnu-objdump", "-d", "-C", "--no-show-raw-insn", library]
    found: dict[str, list[tuple[int, str, str]]] = {}
    function = ""
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if header := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            function = header[1]
        elif is_tile(function) and (match := _INSTRUCTION.match(line)):
            found.setdefault(function, []).append((int(match[1], 16), match[2], match[3]))
    return found


def _back_edges(code: list[tuple[int, str, str]]) -> list[tuple[int, int]]:
    """(first, last) index of each loop, smallest first."""
    index = {address: i for i, (address, _, _) in enumerate(code)}
    edges = set()
    for last, (address, mnemonic, operands) in enumerate(code):
        target = re.search(r"\b([0-9a-f]+) <", operands)
        if _BRANCH.match(mnemonic) and target and int(target[1], 16) <= address and int(target[1], 16) in index:
            edges.add((index[int(target[1], 16)], last))
    return sorted(edges, key=lambda edge: edge[1] - edge[0])


def inner_loops(library: Path) -> list[Loop]:
    """Every innermost loop with multiply-adds of every tile function, by schedule and falling size."""
    loops = []
    for function, code in _functions(library).items():
        schedule, filters, vectors, two_rows = _KERNEL.search(function).groups(default="0")
        inner: list[tuple[int, int]] = []
        for first, last in _back_edges(code):
            if all(not (first <= a and b <= last) for a, b in inner):
                inner.append((first, last))
        for first, last in inner:
            text = tuple(f"{mnemonic}\t{operands}" for _, mnemonic, operands in code[first : last + 1])
            loop = Loop(schedule, int(filters), int(vectors), two_rows == "true", text)
            if loop.fmla:
                loops.append(loop)
    return sorted(loops, key=lambda loop: (loop.schedule, -loop.filters, -loop.vectors, loop.two_rows, -loop.fmla))


def mca_cycles(loop: Loop) -> float:
    """Cycles of one turn on an out-of-order core, as llvm-mca has it: every load hits L1.

    Its model of in-order cores is of no use here: an instruction waits there until all before it have written their
    results, ten cycles for a multiply-add, as no real core does.
    """
    text = "\n".join(re.sub(r"\b[0-9a-f]+ <.*>", "turn", line) for line in loop.instructions)
    command = [MCA, "-mtriple=aarch64", f"-mcpu={CORES[loop.schedule]}", "-iterations=100"]
    done = subprocess.run(command, input=f"turn:\n{text}\n", capture_output=True, text=True, check=True)
    return int(re.search(r"Total Cycles:\s+(\d+)", done.stdout)[1]) / 100


def table(loops: list[Loop]) -> str:
    """Loops as Markdown."""
    lines = ["| core | tile | FMLA | instructions | per FMLA | spills | cycles (llvm-mca) |", "|---" * 7 + "|"]
    for loop in loops:
        tile = f"{loop.filters} x {loop.vectors}{' two rows' * loop.two_rows}" if loop.filters else "small"
        cycles = f"{mca_cycles(loop):.1f}" if loop.schedule == OUT_OF_ORDER else ""
        cells = [CORES[loop.schedule], tile, loop.fmla, len(loop.instructions), f"{loop.per_fmla:.2f}", loop.spills]
        lines.append("| " + " | ".join(map(str, [*cells, cycles])) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    from count import build

    print(table(inner_loops(Path(sys.argv[1]) if len(sys.argv) > 1 else build()[0])))
