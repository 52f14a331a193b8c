"""Makes the two generated sources of the cost model, for Bazel: ``python3 tools/cost_sources.py list|tables FILE...``.

``list`` makes Python of format/costs.inc, and ``tables`` makes C++ of the tables in converter/cost/data. It writes to
the standard output.
"""

import json
import re
import sys
from pathlib import Path

# What the plugin reads of a table. The samples that it was fitted to stay behind.
READ = ("format", "simd", "limits", "nanoseconds")


def python_list(path: Path) -> str:
    """The module `converter/format/costs_generated.py`."""
    rows = [
        (macro, re.findall(r"[\w.]+", arguments))
        for macro, arguments in re.findall(r"^MCPRUNER_(\w+)\((.*?)\)", path.read_text(), re.MULTILINE)
    ]
    simds = {simd: tuple(map(int, sizes)) for macro, (simd, *sizes) in rows if macro == "SIMD"}
    values = {
        **{_constant(name): json.loads(count) for macro, (name, count, *_) in rows if macro == "COUNT"},
        "VECTORS": {simd: sizes[:2] for simd, sizes in simds.items()},
        "TFLITE_TILES": {simd: sizes[2:] for simd, sizes in simds.items()},
        "TERMS": {f"{runtime} {kind}": tuple(terms) for macro, (runtime, kind, *terms) in rows if macro == "COST"},
    }
    lines = (f"{name} = {value}\n" for name, value in values.items())
    return "# Made from format/costs.inc, which says what it is.\n" + "".join(lines)


def _constant(name: str) -> str:
    """``ROW_PIXELS`` for ``RowPixels``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).upper()


def cpp_tables(paths: list[Path]) -> str:
    """The source of `ShippedTables` (delegate/cost/read_table.h): each table as the text that a file of it has."""
    rows = []
    for path in sorted(paths):
        table = json.loads(path.read_text())
        text = json.dumps({key: table[key] for key in READ if key in table})
        rows.append(f'    {{"{path.stem}", R"json({text})json"}},\n')
    return (
        "// Made from converter/cost/data.\n"
        '#include "delegate/cost/read_table.h"\n\n'
        "namespace mcpruner::cost {\n\n"
        "const ShippedTable kShippedTables[] = {\n" + "".join(rows) + "    {nullptr, nullptr},\n};\n\n"
        "}  // namespace mcpruner::cost\n"
    )


def main() -> None:
    """Write one of the two."""
    what, *files = sys.argv[1:]
    paths = [Path(file) for file in files]
    sys.stdout.write(python_list(paths[0]) if what == "list" else cpp_tables(paths))


if __name__ == "__main__":
    main()
