"""The plugin's names of TFLite's builtin operators are the schema's."""

from __future__ import annotations

import re
from pathlib import Path

from ai_edge_litert import schema_py_generated as schema

LIST = Path(__file__).resolve().parents[2] / "delegate" / "tflite" / "abi" / "builtin_names.inc"


def test_every_operator_of_the_schema_has_its_name() -> None:
    codes = {code: name for name, code in vars(schema.BuiltinOperator).items() if isinstance(code, int)}
    listed = re.findall(r'^"(\w+)",$', LIST.read_text(), re.MULTILINE)
    assert dict(enumerate(listed)) == codes
