"""How a training goes, apart from what it needs to run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast to learn."""

    steps: int
    batch_size: int
    learning_rate: float
    seed: int = 1
    warmup_steps: int = 200
    cooldown_share: float = 0.3
    """Share of the steps, the last ones, over which the learning rate falls to zero."""
    weight_decay: float = 1e-3
    clip_norm: float = 5.0
    average_momentum: float = 0.998
    """Of the running mean of the weights, which is what is kept."""
    checkpoint_every: int = 250
