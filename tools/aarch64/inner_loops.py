"""The inner loops of the convolution kernels for NEON, read from the plugin's disassembly.

`inner_loops` finds them, with their instructions per multiply-add and whether sums leave their registers; `table` adds
what llvm-mca says of them for a Cortex-A73.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

_LINE = re.compile(r"^\s*([0-9a-f]+):\s+(\S+)\s*(.*?)(?:\s*//.*)?$")
_BRANCH = re.compile(r"^(b|b\.\w+|cbn?z|tbn?z)$")
_TILE = re.compile(r"neon::.*Tile<(\d+), (\d+),")
MCA = "llvm-mca-19"
FMA_PIPES = 2  # of a Cortex-A73


@dataclass(frozen=True)
class Loop:
    """One inner loop: the function it is in, `filters` x `vectors` of its tile, its instructions as text."""

    function: str
    filters: int
    vectors: int
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
        """Vector registers written to or read from the stack."""
        return sum(bool(re.match(r"(?:ld|st)u?[rp]\s+[qdv]\d.*\[(?:sp|x29)", text)) for text in self.instructions)


def is_tile(function: str) -> bool:
    """Whether a function is a convolution kernel for NEON."""
    return bool(_TILE.search(function)) or "neon::ConvTile(" in function


def _functions(library: Path) -> dict[str, list[tuple[int, str, str]]]:
    """(address, mnemonic, operands) of each instruction of each tile function."""
    command = ["aarch64-linux-gnu-objdump", "-d", "-C", "--no-show-raw-insn", library]
    found: dict[str, list[tuple[int, str, str]]] = {}
    function = ""
    for line in subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines():
        if header := re.match(r"^[0-9a-f]+ <(.*)>:$", line):
            function = header[1]
        elif is_tile(function) and (match := _LINE.match(line)):
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
    """Every innermost loop with multiply-adds, of every tile function; `library` must have its symbols."""
    loops = []
    for function, code in _functions(library).items():
        tile = _TILE.search(function)
        inner: list[tuple[int, int]] = []
        for first, last in _back_edges(code):
            if all(not (first <= a and b <= last) for a, b in inner):
                inner.append((first, last))
        for first, last in inner:
            text = tuple(f"{mnemonic}\t{operands}" for _, mnemonic, operands in code[first : last + 1])
            filters, vectors = (int(tile[1]), int(tile[2])) if tile else (0, 0)
            loop = Loop(function, filters, vectors, text)
            if loop.fmla:
                loops.append(loop)
    return loops


def mca_cycles(loop: Loop) -> float:
    """Cycles of one turn on a Cortex-A73 whose loads all hit L1, as llvm-mca has it."""
    text = "\n".join(re.sub(r"\b[0-9a-f]+ <.*>", "1b", line) for line in loop.instructions)
    command = [MCA, "-mtriple=aarch64", "-mcpu=cortex-a73", "-iterations=100"]
    done = subprocess.run(command, input=f"1:\n{text}\n", capture_output=True, text=True, check=True)
    return int(re.search(r"Total Cycles:\s+(\d+)", done.stdout)[1]) / 100


def table(library: Path) -> str:
    """The loops of full tiles as Markdown."""
    with_mca = shutil.which(MCA) is not None
    lines = ["| tile | FMLA | instructions | per FMLA | spills | cycles (llvm-mca) | FMLA / 2 |", "|---" * 7 + "|"]
    for loop in sorted(inner_loops(library), key=lambda loop: (-loop.filters, -loop.vectors, -loop.fmla)):
        cycles = f"{mca_cycles(loop):.1f}" if with_mca else f"needs {MCA}"
        cells = [f"{loop.filters} x {loop.vectors}", loop.fmla, len(loop.instructions), f"{loop.per_fmla:.2f}"]
        lines.append("| " + " | ".join(map(str, [*cells, loop.spills, cycles, loop.fmla / FMA_PIPES])) + " |")
    return "\n".join(lines)
