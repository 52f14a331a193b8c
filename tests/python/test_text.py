"""Text tables."""

from mcpruner.text import table


def test_numbers_stand_right_and_words_left() -> None:
    text = table(["layer", "ms", "note"], [["conv1", "1.25", "a"], ["fc", 10, ""]])
    assert text.splitlines() == ["layer    ms  note", "conv1  1.25  a", "fc       10"]


def test_empty_table_is_its_headers() -> None:
    assert table(["layer", "ms"], []) == "layer  ms"
