"""The HTTP API against the real server."""

import base64
import io
import json
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge_app.__main__ import main
from edge_app.config import ListSettings, PrivacySettings, Settings
from edge_app.demo.self_test import FOLDER, known_plates
from edge_app.events.messages import WITHDRAWN
from edge_app.records import PlateDetection, Reading, StageTimes
from edge_app.stages import Stages
from edge_app.tracking.passage import Observation
from edge_app.web.desk import MOST_WAITING, BusyError, Desk
from edge_app.web.feed import MOST_READS
from tests.events.passes import event, factory, plate_pass
from tests.web.conftest import OpenSite
from tests.web.site import Site, frame, jpeg


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One for all pictures: it loads the networks once."""
    with closing(Site(tmp_path_factory.mktemp("reader"))) as opened:
        yield opened


def test_health_is_yes_or_no_and_the_status_has_the_rest(site: Site) -> None:
    good = site.ask("/healthz"), site.ask("/readyz"), site.ask("/v1/status")
    site.alive = site.ready = False
    bad = site.ask("/healthz"), site.ask("/readyz"), site.ask("/v1/status")

    assert [answer.status for answer in good] == [200, 200, 200]
    assert [answer.status for answer in bad] == [503, 503, 200]
    assert bad[2].json["alive"] is False
    assert "check `host` and `port`" in good[2].json["parts"]["broker"]["advice"]


@pytest.mark.parametrize("effort", [0, 1])
def test_a_picture_is_read_as_the_command_reads_it(effort: int, reader: Site) -> None:
    paths = [FOLDER / name for name in known_plates()]
    printed = io.StringIO()
    with redirect_stdout(printed):
        main(["read", "--json", "--effort", str(effort), *map(str, paths)])

    answers = [reader.ask(f"/v1/recognize?effort={effort}", "POST", path.read_bytes()) for path in paths]

    assert [answer.status for answer in answers] == [200] * len(paths)
    expected = [json.loads(line) for line in printed.getvalue().splitlines()]
    assert [without_time(answer.json) for answer in answers] == [without_time(line) for line in expected]
    assert any(answer.json["plates"] for answer in answers)


def without_time(answer: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in answer.items() if key not in ("elapsed_ms", "image")}


def encoded(suffix: str) -> bytes:
    image = cv2.imread(str(FOLDER / "frame-60.png"))
    assert image is not None
    done, content = cv2.imencode(suffix, image)
    assert done
    return content.tobytes()


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_jpeg_png_and_webp_are_taken(suffix: str, reader: Site) -> None:
    answer = reader.ask("/v1/recognize", "POST", encoded(suffix))

    assert answer.status == 200
    assert "MH12AB1234" in [plate["text"] for plate in answer.json["plates"]]


def bomb() -> bytes:
    """A picture of a few bytes that would fill gigabytes."""
    small = encoded(".png")
    return small[:16] + (60000).to_bytes(4, "big") * 2 + small[24:]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "no JPEG, PNG or WebP"),
        (b"GIF89a", "no JPEG, PNG or WebP"),
        (b"%PDF-1.7", "no JPEG, PNG or WebP"),
        (encoded(".jpg")[:3000], "end of this picture is missing"),
        (encoded(".png")[:-2000], "end of this picture is missing"),
        (b"\xff\xd8\xff" + b"\0" * 100, "header of this picture is damaged"),
        (bomb(), "million pixels"),
    ],
)
def test_what_is_no_picture_is_refused_with_the_reason(content: bytes, words: str, reader: Site) -> None:
    answer = reader.ask("/v1/recognize", "POST", content)

    assert answer.status == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert words in answer.json["detail"]
    assert {"type", "title", "status", "detail"} <= answer.json.keys()


@pytest.mark.parametrize(
    "path",
    ["/v1/recognize?effort=2", "/v1/recognize?effort=-1", "/v1/recognize?effort=x", "/v1/recognize?effort=%D9%A3"],
)
def test_a_wrong_number_in_the_query_is_named(path: str, site: Site) -> None:
    answer = site.ask(path, "POST", jpeg())

    assert answer.status == 400
    assert "`effort` is a whole number from 0 to 1" in answer.json["detail"]


def test_pictures_beyond_the_queue_are_told_to_come_again() -> None:
    begun, go_on = threading.Event(), threading.Event()

    def build(_: Settings) -> Stages:
        begun.set()
        go_on.wait(60)
        raise OSError("no network here")

    desk = Desk(Settings(), build)
    futures = [desk.submit(jpeg(), 0)]
    begun.wait(60)
    futures += [desk.submit(jpeg(), 0) for _ in range(MOST_WAITING)]

    with pytest.raises(BusyError):
        desk.submit(jpeg(), 0)

    desk.close()
    go_on.set()
    assert [outcome(future) for future in futures] == ["OSError", *["CancelledError"] * MOST_WAITING]


def outcome(future: "Future[Any]") -> str:
    try:
        future.result(60)
    except BaseException as error:  # noqa: BLE001 - its name is the outcome
        return type(error).__name__
    return "done"


def test_the_newest_reads_come_first_with_their_pictures(site: Site) -> None:
    first, second = event("MH12AB1234"), event("DL3CAY9052")
    site.publish(first)
    site.publish(second)

    answer = site.ask("/v1/reads").json
    picture = site.ask(f"/v1/reads/{first.event_id}/picture")
    one = site.ask("/v1/reads?limit=1").json

    assert [each["read"]["plate"]["text"] for each in answer["reads"]] == ["DL3CAY9052", "MH12AB1234"]
    assert [each["read"]["sequence"] for each in answer["reads"]] == [2, 1]
    assert answer["withheld"] is None
    assert picture.body == first.image_jpeg
    assert len(one["reads"]) == 1
    assert site.ask("/v1/reads/none/picture").status == 404


def test_what_waits_in_the_outbox_from_before_is_shown_too(open_site: OpenSite, tmp_path: Path) -> None:
    before = open_site()
    for _ in range(MOST_READS + 5):
        before.publish(event())
    before.publish(event("DL3CAY9052"))
    before.close()

    after = open_site()

    reads = after.ask("/v1/reads").json["reads"]
    assert len(reads) == MOST_READS
    assert reads[0]["read"]["plate"]["text"] == "DL3CAY9052"


def test_a_withdrawn_read_is_shown_no_more(site: Site) -> None:
    make = factory()
    early = make.make(replace(plate_pass(), vehicle=7, is_final=False))
    site.publish(early)
    withdrawal = make.withdraw("north", 7)
    assert withdrawal is not None
    assert withdrawal.message.revision == WITHDRAWN

    site.publish(withdrawal)

    assert site.ask("/v1/reads").json["reads"] == []


@pytest.mark.parametrize(
    ("privacy", "key"), [(PrivacySettings(hash=True), "hash"), (PrivacySettings(lists_only=True), "lists_only")]
)
def test_private_reads_are_withheld(privacy: PrivacySettings, key: str, open_site: OpenSite) -> None:
    site = open_site(privacy=privacy)
    site.publish(event())
    site.show()

    answer = site.ask("/v1/reads").json

    assert answer == {"reads": [], "withheld": f"[privacy] {key}"}
    assert site.ask("/v1/cameras/north/picture").status == 403
    assert site.ask("/v1/cameras/north/view").status == 403


def test_without_pictures_reads_come_without_theirs(open_site: OpenSite) -> None:
    site = open_site(privacy=PrivacySettings(no_images=True))
    site.publish(event())
    site.show()

    assert [each["has_picture"] for each in site.ask("/v1/reads").json["reads"]] == [False]
    assert "no_images" in site.ask("/v1/cameras/north/view").json["detail"]


def test_a_list_of_plates_to_ignore_keeps_whole_pictures_back(open_site: OpenSite, tmp_path: Path) -> None:
    site = open_site(lists=(ListSettings("staff", "ignore", tmp_path / "staff.csv"),))
    site.show()

    assert "the ignore list staff" in site.ask("/v1/cameras/north/picture").json["detail"]


def test_a_cameras_picture_comes_as_jpeg_no_wider_than_wished(site: Site) -> None:
    before = site.ask("/v1/cameras/north/picture")
    site.show()

    whole, small = (site.ask(f"/v1/cameras/north/picture{query}") for query in ("", "?width=160"))

    assert before.status == 503
    assert [shape(answer.body) for answer in (whole, small)] == [(240, 320), (120, 160)]
    assert site.ask("/v1/cameras/south/picture").status == 404
    assert site.ask("/v1/cameras/north/picture?width=5").status == 400


def shape(content: bytes) -> tuple[int, ...]:
    image = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    return image.shape[:2]


def test_a_lost_camera_has_no_picture(site: Site) -> None:
    site.show()

    site.window.lose("north")

    assert site.ask("/v1/cameras/north/picture").status == 503


def test_the_view_has_the_plates_of_its_picture(site: Site) -> None:
    corners = np.array([[10, 20], [110, 20], [110, 50], [10, 50]], np.float32)
    seen = frame(7)
    *_, watch = site.window.around("north", NoDetector(), NoReading())
    reading = Reading(np.zeros((24, 37), np.float32), sharpness=0.7, line_height_px=22.0)
    watch(1, Observation(seen, PlateDetection(corners, 0.9, 1), reading, [], StageTimes()))
    site.window.show(seen)

    view = site.ask("/v1/cameras/north/view?focus=1").json
    site.show(8)
    after = site.ask("/v1/cameras/north/view?after=7").json

    (plate,) = view["plates"]
    assert (plate["width_px"], plate["line_height_px"], plate["outlook"]) == (100.0, 30.0, "good")
    assert (view["width"], view["height"], view["sequence"]) == (320, 240, 7)
    assert view["sharpness"] > 0
    assert shape(base64.b64decode(view["jpeg"])) == (240, 320)
    assert (after["sequence"], after["plates"], after["sharpness"]) == (8, [], None)


class NoDetector:
    """Finds nothing."""

    def find(self, _frame: Any, /) -> list[PlateDetection]:
        """None."""
        return []


class NoReading:
    """Reads nothing."""

    def read_plate(self, _image: Any, _found: Any, _effort: int, /) -> tuple[()]:
        """None."""
        return ()


def test_events_come_as_they_happen(site: Site) -> None:
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as connection:
        connection.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while b"event: status" not in received:
            received += connection.recv(65536)
        site.publish(event())
        while b"MH12AB1234" not in received:
            received += connection.recv(65536)

    assert b"text/event-stream" in received
    (line,) = [line for line in received.split(b"\n") if line.startswith(b'data: {"schema":"edge-anpr/read/1"')]
    assert json.loads(line.removeprefix(b"data: "))["camera"] == "north"


def test_the_page_and_its_files_are_there_and_small(site: Site) -> None:
    page = site.ask("/")

    assert page.headers["content-type"].startswith("text/html")
    assert site.ask("/page.js").headers["content-type"].startswith("text/javascript")
    folder = Path(__file__).parents[2] / "edge_app" / "web" / "page"
    assert sum(path.stat().st_size for path in folder.iterdir()) < 150_000
