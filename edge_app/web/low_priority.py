"""Threads that get only what the cameras leave of the processor."""

import logging
import os
import threading

log = logging.getLogger(__name__)

_LOWEST = 19


def step_back(levels: int) -> None:
    """Lower this thread's priority by so many levels of niceness: on Linux each has its own; ten are a tenth."""
    thread = threading.get_native_id()
    try:
        os.setpriority(os.PRIO_PROCESS, thread, min(_LOWEST, os.getpriority(os.PRIO_PROCESS, thread) + levels))
    except OSError as error:
        log.warning("the page's threads cannot be given a low priority: %s", error)
