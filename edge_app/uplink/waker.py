"""Wakes a thread that waits for the network."""

import contextlib
import os


class Waker:
    """A counter in the kernel (eventfd(2)) that a thread can wait for together with its sockets."""

    def __init__(self) -> None:
        self._descriptor = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)

    def wake(self) -> None:
        """Wake the waiting thread; from any thread."""
        os.eventfd_write(self._descriptor, 1)

    def fileno(self) -> int:
        """What to wait for: readable once woken."""
        return self._descriptor

    def clear(self) -> None:
        """Be ready to be woken again."""
        with contextlib.suppress(BlockingIOError):
            os.eventfd_read(self._descriptor)

    def __del__(self) -> None:
        os.close(self._descriptor)
