"""What `benchmarks/run.py` does beside measuring."""

import pytest
import run


def result(name: str, *noise: float) -> dict:
    return {"name": name, "results": [{"against_median_ms": 10 * each, "against_min_ms": 10.0} for each in noise]}


@pytest.mark.parametrize(
    ("results", "chosen", "tries"),
    [
        ([result("quiet", 1.01, 1.03)], "quiet", 1),
        ([result("noisy", 1.5), result("quiet", 1.02)], "quiet", 2),
        ([result("a", 1.2), result("b", 1.01, 1.1), result("c", 1.3)], "b", 3),
        ([result("wrong outputs")], "wrong outputs", 1),
    ],
)
def test_the_dense_model_tells_which_try_was_quiet(results: list[dict], chosen: str, tries: int) -> None:
    measured = iter(results)
    kept = run.quietest(lambda: next(measured), tries=3)
    assert (kept["name"], kept["tries"]) == (chosen, tries)
