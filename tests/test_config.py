"""The settings: the shipped file is true, and every error of a wrong file is reported."""

import re
from pathlib import Path

import pytest

from edge_app import config
from edge_app.camera_settings import keys_without_effect, shutter_microseconds
from edge_app.config import CameraSettings, Settings
from edge_app.errors import ConfigurationError, UsageError

DEFAULT = Path(__file__).parent.parent / "config" / "default.toml"


def loaded(folder: Path, content: str) -> Settings:
    (folder / "config.toml").write_text(content)
    return config.load(folder / "config.toml")


def errors(folder: Path, content: str) -> list[str]:
    """The messages on a wrong file, line by line, without its path."""
    with pytest.raises(ConfigurationError) as refused:
        loaded(folder, content)
    return str(refused.value).replace(f"{folder / 'config.toml'}:", "").split("\n")


def test_the_shipped_file_sets_what_holds_without_one() -> None:
    assert config.load(DEFAULT) == Settings()


def test_the_shipped_file_is_what_the_settings_say() -> None:
    remedy = "edge-anpr check-config --defaults >config/default.toml"

    assert DEFAULT.read_text(encoding="utf-8") == config.default_toml(), remedy


def test_what_the_shipped_file_has_commented_out_may_be_set_as_it_is_shown(tmp_path: Path) -> None:
    shown = re.sub(r"^# (?=\w+ = |\[\[(?!cameras))", "", DEFAULT.read_text(), flags=re.MULTILINE)
    shown = shown.replace('name = "camera"', 'name = "north"')

    settings = loaded(tmp_path, re.sub(r"(?m)^(tls|hash|enabled) = false", r"\1 = true", shown))

    assert [zone.name for zone in settings.zones] == ["gate"]
    assert [each.kind for each in settings.lists] == ["allow"]
    assert settings.mqtt.username == "gate"
    assert settings.models.directory == Path("/opt/edge-anpr/models")


TWO_CAMERAS = """
[[cameras]]
name = "north"
source = "file:north.mp4"
[[cameras]]
name = "yard"
source = "rtsp://yard/main"
width = 1280
"""


def test_several_cameras_have_their_own_sources_zones_and_lines(tmp_path: Path) -> None:
    lines = LINE.format("gate", "[0, 0.5]", "[1, 0.5]") + "camera = 'yard'\n"
    zones = "".join(ZONE.format("gate", TRIANGLE) + f"camera = '{name}'\n" for name in ("north", "yard"))

    settings = loaded(tmp_path, TWO_CAMERAS + zones + lines)

    north, yard = (settings.of_camera(name) for name in ("north", "yard"))
    assert [each.name for each in settings.every_camera] == ["north", "yard"]
    assert (north.camera.source, yard.camera.width) == (f"file:{tmp_path / 'north.mp4'}", 1280)
    assert [[zone.camera for zone in each.zones] for each in (north, yard)] == [["north"], ["yard"]]
    assert [len(each.crossing_lines) for each in (north, yard)] == [0, 1]
    assert settings.of_camera(None) == north
    with pytest.raises(UsageError, match='no camera "south" in the configuration; take one of: north, yard'):
        settings.of_camera("south")


def test_a_camera_alone_has_every_zone(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "[camera]\nname = 'north'\n" + ZONE.format("gate", TRIANGLE))

    assert settings.of_camera(None).zones == settings.zones != ()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            TWO_CAMERAS.replace("yard", "cmd", 1),
            '6: [[cameras]] name: "cmd" is a part of the device\'s own topics; give',
        ),
        (TWO_CAMERAS.replace("yard", "north", 1), '6: [[cameras]] name: a camera is called "north" already; give an'),
        ("[camera]\nname = 'a'\n" + TWO_CAMERAS, "1: [camera]: a file has either [camera] or [[cameras]]; write [[cam"),
        (TWO_CAMERAS + "[[zones]]\nname='a'\npolygon=[[0,0],[1,0],[1,1]]", "9: [[zones]]: there are several cameras;"),
        ("[[zones]]\nname='a'\ncamera='b'\npolygon=[[0,0],[1,0],[1,1]]", '3: [[zones]] camera: there is no camera "b"'),
    ],
)
def test_cameras_that_cannot_be_told_apart_are_reported(tmp_path: Path, content: str, complaint: str) -> None:
    (message,) = errors(tmp_path, content)

    assert message.startswith(complaint)


@pytest.mark.parametrize(
    "source",
    [
        "picamera2:0",
        "v4l2:/dev/video0",
        "rtsp://host/path",
        "https://host/a?b=c",
        "gst:a ! b",
        "file:/srv/clip.mp4?loop=1",
        "images:/srv",
    ],
)
def test_every_kind_of_source_may_be_set(tmp_path: Path, source: str) -> None:
    settings = loaded(tmp_path, f'[camera]\nsource = "{source}"\n')

    assert settings.camera == CameraSettings(source=source)


def test_relative_paths_start_at_the_folder_of_the_file(tmp_path: Path) -> None:
    settings = loaded(
        tmp_path,
        '[device]\nstate_directory = "state"\n[camera]\nsource = "file:clip.mp4?loop=1"\n'
        '[mqtt]\nusername = "gate"\npassword_file = "../secret"\n',
    )

    assert settings.camera.source == f"file:{tmp_path / 'clip.mp4'}?loop=1"
    assert settings.device.state_directory == tmp_path / "state"
    assert settings.mqtt.password_file == tmp_path / ".." / "secret"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("[device]\nname = 'a/b'", '2: [device] name: "a/b" will not do; give 1 to 64 letters, digits, `-` or `_`'),
        ("[camera]\nsource = 'ftp://x'", "2: [camera] source: 'ftp:' is no kind of source; give one of picamera2:0"),
        ("[camera]\nsource = 'file:x?lopp=1'", "2: [camera] source: 'file:x?lopp=1': unknown option 'lopp'; known are"),
        ("[camera]\nsource = 'picamera2:front'", "2: [camera] source: 'picamera2:front' names no camera by its number"),
        (
            "[camera]\nsource = 'rtsp://[::1/x'",
            "2: [camera] source: the address of the camera is wrong (a bracket is not",
        ),
        ("[camera]\nwidth = 63", "2: [camera] width: 63 is out of range; give a number from 64 to 16384"),
        ("[detection]\nconfidence = 1", "2: [detection] confidence: 1.0 is out of range; give a number from 0.01"),
        ("[mqtt]\nhots = 'a'", "2: [mqtt] hots: there is no such key; did you mean `host`?"),
        ("[camera]\ntopic_prefix = 1", "2: [camera] topic_prefix: there is no such key; it belongs in [mqtt]"),
        ("[mqqt]", "1: [mqqt]: there is no such section; did you mean `mqtt`?"),
        ("[mqtt]\nhost = ''", '2: [mqtt] host: "" will not do, for there is no host in it; give a host'),
        ("[mqtt]\ntopic_prefix = '/a'", '2: [mqtt] topic_prefix: "/a" will not do; give levels divided by `/`'),
        ("[mqtt]\ntopic_prefix = 'a/'", '2: [mqtt] topic_prefix: "a/" will not do'),
        ("[mqtt]\ntopic_prefix = '$SYS'", '2: [mqtt] topic_prefix: "$SYS" will not do'),
        ('[mqtt]\ntopic_prefix = "a\\u0000b"', "2: [mqtt] topic_prefix:"),
        ("[mqtt]\nusername = ''", '2: [mqtt] username: "" will not do; give a name, or remove the key'),
        ("[mqtt]\ntopic_prefix = 'a/+'", '2: [mqtt] topic_prefix: "a/+" will not do'),
        ("[log]\nlevel = 'loud'", '2: [log] level: "loud" is not known; choose one of: debug, info, warning, error'),
        ("[motion]\nthreshold = 1.1", "2: [motion] threshold: 1.1 is out of range; give a number from 0 to 1"),
        ("zones = 1", "1: [zones]: 1 is not a list; write [[zones]] before each"),
    ],
)
def test_a_wrong_setting_is_reported_with_its_line_and_the_remedy(tmp_path: Path, content: str, complaint: str) -> None:
    (message,) = errors(tmp_path, content)

    assert message.startswith(complaint)


def test_several_errors_are_reported_at_once(tmp_path: Path) -> None:
    messages = errors(tmp_path, "[mqtt]\nport = 0\nhots = 'a'\n[log]\nlevel = 1\n[recognition]\nformats = ['xx']\n")

    assert [line.split(": ")[:2] for line in messages] == [
        ["2", "[mqtt] port"],
        ["3", "[mqtt] hots"],
        ["5", "[log] level"],
        ["7", "[recognition] formats item 1"],
    ]


def test_a_country_without_formats_is_reported_with_those_there_are(tmp_path: Path) -> None:
    (message,) = errors(tmp_path, "[recognition]\nformats = [\n  'in',\n  'atlantis',\n]\n")

    assert message == '2: [recognition] formats item 2: no formats of "atlantis" are shipped; take some of: in'


LINE = "[[crossing_lines]]\nname = '{}'\nstart = {}\nend = {}\n"


def test_zones_whose_edges_cross_are_reported(tmp_path: Path) -> None:
    bow_tie = ZONE.format("gate", "[0, 0], [1, 1], [1, 0], [0, 1]")
    flat = ZONE.format("gate", "[0, 0], [0.5, 0.5], [1, 1]")
    star = ZONE.format("gate", "[0.5, 0], [0.7, 0.5], [1, 0.5], [0.7, 0.7], [0.5, 1], [0.3, 0.7], [0, 0.5]")

    assert len(loaded(tmp_path, star).zones) == 1
    assert errors(tmp_path, bow_tie) == [
        "3: [[zones]] polygon: its edges cross, or meet in one point; give the points in order around the zone"
    ]
    assert errors(tmp_path, flat) == [
        "3: [[zones]] polygon: its points lie on one line, so that nothing is in it; move one"
    ]


def test_an_item_that_cannot_be_made_hides_no_error_of_the_others(tmp_path: Path) -> None:
    square, bow_tie = "[0, 0], [1, 0], [1, 1], [0, 1]", "[0, 0], [1, 1], [1, 0], [0, 1]"
    unmade = "[[zones]]\nname = 'yard'\n"

    messages = errors(tmp_path, unmade + ZONE.format("gate", square) + ZONE.format("gate", bow_tie))

    assert [line.partition(";")[0] for line in messages] == [
        "1: [[zones]]: `polygon` is missing",
        '7: [[zones]] name: a zone is called "gate" already',
        "8: [[zones]] polygon: its edges cross, or meet in one point",
    ]


def test_lines_need_two_places_two_labels_and_names_of_their_own(tmp_path: Path) -> None:
    line = LINE.format("gate", "[0.1, 0.5]", "[0.9, 0.5]")

    (set_line,) = loaded(tmp_path, line).crossing_lines
    assert (set_line.start, set_line.to_right, set_line.to_left) == ((0.1, 0.5), "in", "out")
    assert errors(tmp_path, 2 * line) == [
        '6: [[crossing_lines]] name: a line is called "gate" already; give another name'
    ]
    assert errors(tmp_path, LINE.format("gate", "[0, 0]", "[0, 0]")) == [
        "4: [[crossing_lines]] end: start and end are the same point; give another"
    ]
    assert errors(tmp_path, line + "to_left = 'in'\n") == [
        "5: [[crossing_lines]] to_left: both directions are called the same; give another label"
    ]


ZONE = "[[zones]]\nname = '{}'\npolygon = [{}]\n"
TRIANGLE = "[0, 0], [1, 0], [1, 1]"


def test_zones_need_three_points_on_the_picture_and_names_of_their_own(tmp_path: Path) -> None:
    few = ZONE.format("gate", "[0, 0], [1, 0]")
    outside = ZONE.format("gate", "[0, 0], [1, 0], [1, 640]")

    assert len(loaded(tmp_path, ZONE.format("gate", TRIANGLE) + ZONE.format("kerb", TRIANGLE)).zones) == 2
    assert errors(tmp_path, ZONE.format("kerb", TRIANGLE) + few) == [
        "6: [[zones]] polygon: a polygon has three points at least; add more"
    ]
    assert errors(tmp_path, outside) == [
        "3: [[zones]] polygon item 3 item 2: 640.0 is out of range; give a number from 0 to 1"
    ]
    assert errors(tmp_path, 2 * ZONE.format("gate", TRIANGLE)) == [
        '5: [[zones]] name: a zone is called "gate" already; give another name'
    ]


@pytest.mark.parametrize(
    "content",
    [
        "host = 'localhost'\nusername = 'gate'\npassword_file = 'secret'",
        "host = '127.0.0.2'\nusername = 'gate'\npassword_file = 'secret'",
        "host = 'broker'\nusername = 'gate'\npassword_file = 'secret'\ntls = true",
        "host = 'broker'\nusername = 'gate'\npassword_file = 'secret'\nallow_plaintext_password = true",
        "tls = true\nca_file = 'ca.pem'\ncertificate_file = 'device.pem'\nkey_file = 'device.key'",
    ],
)
def test_secrets_may_travel_if_nobody_listens(tmp_path: Path, content: str) -> None:
    assert loaded(tmp_path, f"[mqtt]\n{content}\n")


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (
            "host = 'broker'\nusername = 'gate'\npassword_file = 'secret'",
            '4: [mqtt] password_file: the password would cross the network to "broker" in clear text; set `tls = true`',
        ),
        ("password_file = 'secret'", "2: [mqtt] password_file: a password goes with a user; set `username` too"),
        ("ca_file = 'ca.pem'", "2: [mqtt] ca_file: this is used with TLS only; set `tls = true`, or remove the key"),
        ("tls = true\nkey_file = 'a'", "3: [mqtt] key_file: `certificate_file` and `key_file` go together; give both"),
        ("tls = true\ncertificate_file = 'a'", "3: [mqtt] certificate_file: `certificate_file` and `key_file` go"),
    ],
)
def test_settings_of_the_broker_that_disagree_are_reported(tmp_path: Path, content: str, complaint: str) -> None:
    (message,) = errors(tmp_path, f"[mqtt]\n{content}\n")

    assert message.startswith(complaint)


LIST = "[[lists]]\nname = 'residents'\nkind = '{}'\nfile = 'residents.csv'\n"


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (LIST.format("white"), '3: [[lists]] kind: "white" is not known; choose one of: allow, deny, watch, ignore'),
        (2 * LIST.format("allow"), '6: [[lists]] name: a list is called "residents" already; give another name'),
        (
            LIST.format("watch") + "[hook]\nprogram = '/bin/true'\n",
            "6: [hook] program: it would never run: no list in [[lists]] is of a kind in `kinds`; add one",
        ),
        ("[hook]\nkinds = ['ignore']\n", '2: [hook] kinds item 1: "ignore" is not known; choose one of: allow'),
        ("[privacy]\nlists_only = true\n", "2: [privacy] lists_only: there is no list: nothing would ever be sent"),
        ("[privacy]\nkey_days = 1\n", "2: [privacy] key_days: this is used by the hash only; set `hash = true`"),
    ],
)
def test_settings_of_lists_and_privacy_that_disagree_are_reported(tmp_path: Path, content: str, complaint: str) -> None:
    (message,) = errors(tmp_path, content)

    assert message.startswith(complaint)


@pytest.mark.parametrize("key", ["hash", "no_images"])
def test_no_picture_is_taken_if_a_plate_may_not_be_shown(tmp_path: Path, key: str) -> None:
    assert loaded(tmp_path, "").takes_pictures
    assert not loaded(tmp_path, f"[privacy]\n{key} = true\n[mqtt]\nimages = true\n").takes_pictures


@pytest.mark.parametrize("example", sorted((DEFAULT.parent / "examples").glob("*.toml")), ids=lambda path: path.stem)
def test_every_example_is_correct_and_each_key_in_it_has_an_effect(example: Path) -> None:
    settings = config.load(example)

    assert [list(keys_without_effect(camera)) for camera in settings.every_camera] == [[]] * len(settings.every_camera)


def test_a_key_that_a_source_does_not_have_is_named(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "[camera]\nsource = 'rtsp://host/x'\nwidth = 640\ngain = 2.0\nrtsp_transport = 'udp'\n")

    assert list(keys_without_effect(settings.camera)) == ["width", "gain"]


@pytest.mark.parametrize(
    ("kmh", "pixels_per_metre", "degrees", "microseconds"),
    [(60, 1000, 90, 120), (60, 1000, 30, 240), (30, 1000, 90, 240), (60, 100, 90, 300)],
)
def test_the_shutter_follows_from_speed_scale_and_angle(
    kmh: float, pixels_per_metre: float, degrees: float, microseconds: int
) -> None:
    assert shutter_microseconds(kmh, pixels_per_metre, degrees) == microseconds


def test_settings_of_a_camera_that_disagree_are_reported(tmp_path: Path) -> None:
    content = "[camera]\nspeed_kmh = 60.0\nnight_below_lux = 30.0\nregion = [0.6, 0, 0.5, 1]\n"

    assert [line.partition(";")[0] for line in errors(tmp_path, content)] == [
        "2: [camera] speed_kmh: `speed_kmh` and `pixels_per_metre` go together",
        "3: [camera] night_below_lux: the night must begin in less light than the day",
        "4: [camera] region: it reaches beyond the sensor: left + width and top + height are at most 1",
    ]
