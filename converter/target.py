"""Hardware targets as data: what pruning and packing need to know of the machine that will run the model.

A target says how weights should be grouped, never how a kernel is tuned: files made for one target run on all.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """Parameters of one kind of hardware.

    Attributes
    ----------
    name
        What users write: ``target="hikey970-cpu"``.
    group_size
        Filters that share one kernel pattern for each input channel, one of 1, 2, 4, 8, 16.
    pattern_size
        Positions that a pattern of a 3x3 kernel keeps at densities up to ``pattern_size / 9``, 1..9.
    costs
        Shipped table of `cost_model` by which `convert` predicts speed; a calibration takes its place.
    """

    name: str
    group_size: int
    pattern_size: int
    costs: str = "avx2"


_ALL = (
    # In the Kirin 970 the four Cortex-A73 do the work (the A53 are a quarter as fast), and a NEON register holds four
    # floats.
    Target("hikey970-cpu", group_size=4, pattern_size=4, costs="a73"),
    # On the Mali-G72 MP12 a work-item loads four filters as one float4.
    Target("hikey970-gpu", group_size=4, pattern_size=4, costs="a73"),
    # AVX2 is the common ground. The vector runs along the image's width, so the group need not fill it.
    Target("x86-64", group_size=4, pattern_size=4, costs="avx512"),
    # Every engine of ours can run this well; speed is predicted for AVX2, which stands between the others.
    Target("generic", group_size=4, pattern_size=4),
)

TARGETS: dict[str, Target] = {target.name: target for target in _ALL}


def get_target(name: str | Target) -> Target:
    """Look a target up by its name; a `Target` comes back as it is.

    Raises
    ------
    ValueError
        The name is unknown; the message lists the names there are.
    """
    if isinstance(name, Target):
        return name
    if not isinstance(name, str) or name not in TARGETS:
        raise ValueError(f"Unknown target {name!r}: use one of {', '.join(TARGETS)}.")
    return TARGETS[name]
