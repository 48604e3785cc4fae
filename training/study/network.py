"""What the study knows of a network."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from training.study.learning import Learning, Material
from training.study.store import Store

KerasModel = Any
"""A `keras.Model`; Keras carries no types."""


class Task(Protocol):
    """What a network is trained for; a frozen record, so that its text says all that it depends on."""

    @property
    def kind(self) -> str:
        """`characters`, `strips`, `texts`, `boxes`."""

    def material(self, store: Store) -> Material:
        """What it learns from."""


@dataclass(frozen=True, slots=True)
class StudyNetwork:
    """A network of the study."""

    name: str
    build: Callable[[], KerasModel]
    """Fresh weights; outputs by name; its first layer rescales pixels of 0 to 255."""
    task: Task
    learning: Learning = field(default_factory=Learning)
    begins_with: str = ""
    """Name of the network whose weights it takes over, layer by layer as far as their shapes agree."""
    for_device: Callable[[], KerasModel] | None = None
    """The same network in the form that is converted, if that is another."""

    @property
    def module(self) -> str:
        """Where its layers are written down."""
        return str(getattr(self.build, "func", self.build).__module__)
