"""What the daemon looks after while it works: heat, and its own memory."""

import logging
import threading
from collections.abc import Callable

from edge_app.events.messages import BoardMessage
from edge_app.service.board import COOL_CELSIUS, HOT_CELSIUS, Board
from edge_app.service.memory import Memory

log = logging.getLogger(__name__)

LOOK_SECONDS = 10.0
LONGEST_REST_SECONDS = 0.5


class SelfCare:
    """Looks every ten seconds; while the board is hot, the daemon rests after each frame for as long as it took."""

    def __init__(self, clock: Callable[[], float], board: Board | None = None, memory: Memory | None = None) -> None:
        self.is_hot = False
        """The rate is lowered."""
        self._clock = clock
        self._board = board or Board()
        self._memory = memory or Memory()
        self._look_at = clock()
        self._seen = BoardMessage(celsius=None, half_rate=False, slowed=False, low_power=None)

    def look(self) -> BoardMessage:
        """Look, if it is time to; how the board was the last time.

        Raises:
            EdgeAnprError: the memory allowed to the service is nearly used up.
        """
        if self._clock() >= self._look_at:
            self._look_at = self._clock() + LOOK_SECONDS
            celsius = self._board.celsius()
            if celsius is not None:
                self._judge(celsius)
            self._seen = self._as_message(celsius)
            self._memory.check()
        return self._seen

    def rest(self, worked_seconds: float, stop: threading.Event) -> None:
        """Wait for as long as the work on a frame took, if the board is hot: half the rate, about half the heat."""
        if self.is_hot:
            stop.wait(min(worked_seconds, LONGEST_REST_SECONDS))

    def _as_message(self, celsius: float | None) -> BoardMessage:
        throttling = self._board.throttling_file()
        return BoardMessage(
            celsius=celsius,
            half_rate=self.is_hot,
            slowed=self._board.slowed_by_heat() > 0 or (throttling is not None and throttling.slowed),
            low_power=None if throttling is None else throttling.low_power,
        )

    def _judge(self, celsius: float) -> None:
        if not self.is_hot and celsius >= HOT_CELSIUS:
            self.is_hot = True
            log.warning("the board is at %.0f °C: half the rate until it has less than %.0f °C", celsius, COOL_CELSIUS)
        elif self.is_hot and celsius < COOL_CELSIUS:
            self.is_hot = False
            log.info("the board is at %.0f °C: the full rate again", celsius)
