"""Threads that get only what the cameras leave of the processor."""

import logging
import os
import threading

log = logging.getLogger(__name__)

_NICENESS = 19


def step_back() -> None:
    """Give this thread the lowest priority: on Linux each has its own."""
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
    except OSError as error:
        log.warning("the page's threads cannot be given a low priority: %s", error)
