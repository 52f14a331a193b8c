"""How density falls while a model trains."""

from dataclasses import dataclass

from mcpruner.converter.training.arguments import check_number, check_steps

# Removed weights have this weight decay until `end_step`, added to their straight-through gradients. This number and
# the next one are those of the recipe that 170 trainings of ResNet-18 and VGG-16 in PyTorch found (docs/pruning.md).
REMOVED_DECAY = 2e-3
# After this share of the way from `begin_step` to `end_step`, filters stay in their groups.
REGROUPED = 0.27


@dataclass(frozen=True)
class PolynomialSchedule:
    """Density falls from `initial_density` to the final one along a polynomial, fast at first (Zhu and Gupta, 2017).

        density = final + (initial - final) * (1 - (step - begin) / (end - begin)) ^ power

    Attributes
    ----------
    begin_step, end_step
        Optimizer steps of the first and of the last choice of masks, 0 <= begin_step < end_step.
    frequency
        Steps between choices of masks, at least 1.
    power
        Exponent, above 0; 1 is a straight line.
    initial_density
        Density at `begin_step`, above 0 and at most 1.
    """

    begin_step: int
    end_step: int
    frequency: int = 100
    power: float = 3.0
    initial_density: float = 1.0

    def __post_init__(self) -> None:
        for name in ("begin_step", "end_step", "frequency"):
            check_steps(name, getattr(self, name))
        for name in ("power", "initial_density"):
            check_number(name, getattr(self, name))
        if not 0 <= self.begin_step < self.end_step:
            raise ValueError(f"Expected 0 <= begin_step < end_step, got {self.begin_step} and {self.end_step}.")
        if self.frequency < 1:
            raise ValueError(f"Expected a frequency of at least 1 step, got {self.frequency}.")
        if not self.power > 0:
            raise ValueError(f"Expected a power above 0, got {self.power}.")
        if not 0 < self.initial_density <= 1:
            raise ValueError(f"Expected an initial_density above 0 and at most 1, got {self.initial_density}.")

    def is_due(self, step: int) -> bool:
        """Whether masks are chosen after optimizer step number `step` (the first is 1; 0 is before it)."""
        if not self.begin_step <= step <= self.end_step:
            return False
        return step == self.end_step or (step - self.begin_step) % self.frequency == 0

    def regroups(self, step: int) -> bool:
        """Whether the choice of masks at `step` is the one that groups filters for the last time."""
        last = self.begin_step + REGROUPED * (self.end_step - self.begin_step)
        return step - self.frequency < last <= step

    def density(self, step: int, final: float) -> float:
        """Density at `step` of a layer that ends at `final`; never below `final`."""
        progress = min(max((step - self.begin_step) / (self.end_step - self.begin_step), 0.0), 1.0)
        return final + max(self.initial_density - final, 0.0) * (1.0 - progress) ** self.power
