"""Frame slot: what goes in and what comes out."""

import threading

from edge_app.capture.frame_slot import FrameSlot
from tests.capture.pictures import frame_at, view


def test_a_newer_frame_takes_the_place_of_one_nobody_took() -> None:
    slot = FrameSlot()
    older, newer = frame_at(0, view()), frame_at(1, view())

    slot.put(older)
    slot.put(newer)

    assert slot.take(0) is newer
    assert slot.take(0) is None
    assert slot.dropped == 1


def test_a_recording_waits_until_its_last_frame_was_taken() -> None:
    slot = FrameSlot()
    frames = [frame_at(second, view()) for second in range(20)]

    def play() -> None:
        for frame in frames:
            slot.put_when_free(frame)
        slot.end()

    player = threading.Thread(target=play)
    player.start()
    taken = []
    while not slot.ended:
        frame = slot.take(1)
        taken += [frame] if frame else []
    player.join()

    assert taken == frames
    assert slot.dropped == 0


def test_the_end_frees_whoever_waits() -> None:
    slot = FrameSlot()
    slot.put(frame_at(0, view()))
    waiting = threading.Thread(target=slot.put_when_free, args=(frame_at(1, view()),))
    waiting.start()

    slot.end()
    waiting.join(5)

    assert not waiting.is_alive()
    assert not slot.ended
    assert slot.take(0) is not None
    assert slot.ended
