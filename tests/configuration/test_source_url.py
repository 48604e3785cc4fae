"""SourceUrl: the parts of a source's URL, and what is wrong with one that will not do."""

from pathlib import Path

import pytest

from edge_app.configuration.source_url import FORMS, SourceUrl, parse, starting_at
from edge_app.errors import ConfigurationError
from edge_app.printable import without_secrets


@pytest.mark.parametrize(("scheme", "form"), FORMS.items())
def test_every_form_shown_is_understood(scheme: str, form: str) -> None:
    assert parse(form).scheme == scheme


@pytest.mark.parametrize(
    ("url", "parsed"),
    [
        ("file:clip.mp4?loop=1&speed=2", SourceUrl("file", "clip.mp4", loop=True, speed=2.0)),
        ("file:///srv/clip.mp4", SourceUrl("file", "/srv/clip.mp4")),
        ("file:/srv/why?/clip.mp4?speed=1", SourceUrl("file", "/srv/why?/clip.mp4", speed=1.0)),
        ("images:/srv/why?", SourceUrl("images", "/srv/why?")),
        ("rtsp://user:word@[::1]:8554/stream", SourceUrl("rtsp", "rtsp://user:word@[::1]:8554/stream")),
    ],
)
def test_a_url_is_taken_apart(url: str, parsed: SourceUrl) -> None:
    assert parse(url) == parsed


@pytest.mark.parametrize("url", ["", "clip.mp4", "ftp://camera/video", "FILE:clip.mp4", ":"])
def test_an_unknown_url_is_refused_with_the_forms_that_are_known(url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse(url)

    assert all(form in str(refusal.value) for form in FORMS.values())


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("file:", "cut short"),
        ("file:?loop=1", "cut short"),
        ("picamera2:front", "picamera2:0"),
        ("rtsp://", "no host"),
        ("rtsp:///stream", "no host"),
        ("rtsp://[::1/stream", "a bracket is not closed"),
        ("rtsp://camera:99999/stream", "the port is no number from 1 to 65535"),
        ("rtsp://camera:0/stream", "the port is no number"),
        ("rtsp:camera/stream", "no host"),
        ("file:a.mp4?pace=1", "unknown option 'pace'"),
        ("file:a.mp4?speed=fast", "not a number"),
        ("file:a.mp4?speed=-1", "zero or more"),
        ("file:a.mp4?speed=nan", "zero or more"),
    ],
)
def test_a_url_that_is_half_right_is_refused_with_what_is_missing(url: str, complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=complaint):
        parse(url)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://user:s3cret@camera:99999/stream",
        "rtsp://user:s3cret#9@192.0.2.7/stream",
        "rtsp://user:7#s3cret@192.0.2.7/stream",
        "rtsp://user:s3cret/9@192.0.2.7/stream",
        "rtsp://user:s3cret?9@192.0.2.7/stream",
        "rtsp://user:s3cret@[::1/stream",
        "rtsp://user:s3cret@/stream",
        "rtsp://user:s3cret@camera\N{FULLWIDTH COLON}1/stream",
        "s3cret:word@192.0.2.7/stream",
        "htp://user:s3cret@camera/stream",
        "rtsp:user:s3cret@camera/stream",
        "rtsp://camera:x/stream?password=s3cret",
        "file:clip.mp4?loop=1&password=s3cret",
    ],
)
def test_a_password_in_a_wrong_address_is_not_shown(url: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        parse(url)

    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtsp://user:s3cret@camera/stream", "rtsp://camera/…"),
        ("rtsp://user:12/s3cret@camera:8554/stream", "rtsp://camera:8554/…"),
        ("rtsp://camera/user=admin_password=s3cret_channel=1", "rtsp://camera/…"),
        ("rtsp://camera/s3cret/live?channel=1", "rtsp://camera/…"),
        ("http://[::1]:8080/s3cret/video", "http://[::1]:8080/…"),
        ("https://camera?s3cret", "https://camera/…"),
        ("HTTP://camera#s3cret", "HTTP://camera/…"),
        ("rtsp://camera", "rtsp://camera"),
        ("rtsp://camera/", "rtsp://camera/"),
        ("401 at rtsp://camera/s3cret/live, try again", "401 at rtsp://camera/… try again"),
        ("file:///srv/clip.mp4", "file:///srv/clip.mp4"),
        ("images://pictures/of/today", "images://pictures/of/today"),
        ("file:clip.mp4?loop=1&speed=0.5", "file:clip.mp4?loop=1&speed=0.5"),
        ("gst:rtspsrc location=rtsp://camera user-id=a user-pw = s3cret ! decodebin", "gst:rtspsrc ! decodebin"),
        ('gst:souphttpsrc cookies="id=s3cret ! x=s3cret" ! s3c=ret', "gst:souphttpsrc ! … ! …"),
        ("v4l2:/dev/video0", "v4l2:/dev/video0"),
    ],
)
def test_a_source_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert without_secrets(url) == shown


@pytest.mark.parametrize(
    ("url", "absolute"),
    [
        ("file:clip.mp4?loop=1", "file:/etc/edge-anpr/clip.mp4?loop=1"),
        ("file:/srv/clip.mp4", "file:/srv/clip.mp4"),
        ("images:pictures", "images:/etc/edge-anpr/pictures"),
        ("v4l2:0", "v4l2:0"),
    ],
)
def test_only_a_relative_path_starts_at_the_folder(url: str, absolute: str) -> None:
    assert starting_at(Path("/etc/edge-anpr"), url) == absolute
