"""Text tables for terminals, logs and pipes alike."""

from collections.abc import Sequence
from typing import Any


def table(headers: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Text columns, as wide as their content: numbers to the right, words to the left.

    >>> print(table(["layer", "ms"], [["conv1", "1.25"], ["fc", "0.5"]]))
    layer    ms
    conv1  1.25
    fc      0.5
    """
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(headers, *cells, strict=True)]
    right = [bool(cells) and all(_is_number(row[i]) for row in cells) for i in range(len(headers))]

    def line(row: Sequence[str]) -> str:
        padded = (c.rjust(w) if r else c.ljust(w) for c, w, r in zip(row, widths, right, strict=True))
        return "  ".join(padded).rstrip()

    return "\n".join(line(row) for row in [list(headers), *cells])


def _is_number(cell: str) -> bool:
    return cell in ("", "-") or cell.lstrip("-+")[:1].isdigit() or cell in ("inf", "nan")
