"""Frame slot: what goes in and what comes out."""

import threading

from edge_app.capture.frame_slot import FairTurns, FrameSlot
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


def test_several_cameras_are_served_in_turn_with_their_newest_frames() -> None:
    changed = threading.Condition()
    slots = [FrameSlot(changed) for _ in range(3)]
    turns = FairTurns(slots, changed)

    served = []
    for second in range(6):
        for slot in (slots[0], slots[2]):  # faster than anybody takes their frames
            slot.put(frame_at(second, view()))
        if second == 3:
            slots[1].put(frame_at(second, view()))
        taken = turns.take(0)
        assert taken is not None
        served.append((taken[0], int(taken[1].monotonic_ns / 1e9)))

    assert served == [(0, 0), (2, 1), (0, 2), (1, 3), (2, 4), (0, 5)]


def test_whoever_waits_for_any_camera_gets_the_first_frame_and_notices_the_end() -> None:
    changed = threading.Condition()
    slots = [FrameSlot(changed) for _ in range(2)]
    turns = FairTurns(slots, changed)
    late = threading.Timer(0.05, slots[1].put, [frame_at(1, view())])

    late.start()
    taken = turns.take(30)
    for slot in slots:
        slot.end()

    assert taken is not None
    assert taken[0] == 1
    assert turns.take(30) is None
    assert turns.ended
