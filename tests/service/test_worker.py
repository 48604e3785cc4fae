"""A thread's death is noticed by who asks."""

import threading

import pytest

from edge_app.errors import EdgeAnprError, SourceError
from edge_app.service.worker import Worker


def died_of(error: Exception) -> Worker:
    def body() -> None:
        raise error

    worker = Worker("camera", body)
    worker.start()
    worker.join(5)
    return worker


def test_an_error_of_ours_is_raised_as_it_is() -> None:
    error = SourceError("the camera is gone")

    with pytest.raises(SourceError) as raised:
        died_of(error).check()

    assert raised.value is error


def test_any_other_error_is_raised_with_the_name_of_the_thread() -> None:
    error = ZeroDivisionError("by zero")

    with pytest.raises(EdgeAnprError, match=r"the camera thread died: ZeroDivisionError\('by zero'\)") as raised:
        died_of(error).check()

    assert raised.value.__cause__ is error


def test_a_thread_that_works_or_has_done_its_work_is_no_error() -> None:
    done = threading.Event()
    worker = Worker("camera", lambda: assert_true(done.wait(5)))

    worker.check()
    worker.start()
    worker.check()
    done.set()
    worker.join(5)

    worker.check()
    assert not worker.is_alive()


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    assert Worker("camera", lambda: None).daemon


def assert_true(value: bool) -> None:
    assert value
