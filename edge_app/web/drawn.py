"""What an installer draws on the page: zones, crossing lines and the preset of one camera, in the configuration."""

import contextlib
import logging
import os
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Any

from edge_app import config
from edge_app.camera_settings import CameraSettings
from edge_app.config import CrossingLineSettings, Settings, ZoneSettings
from edge_app.configuration import source_url
from edge_app.configuration.limits import OneOf, Share, TopicLevel
from edge_app.configuration.toml_lines import blocks_of, find_lines
from edge_app.configuration.toml_text import as_toml
from edge_app.errors import ConfigurationError, EdgeAnprError

log = logging.getLogger(__name__)

PRESETS = ("auto", "day", "night_infrared")
_DIGITS = 4


class UnwritableError(EdgeAnprError):
    """The service may not write its configuration; `text` is what should stand in it."""

    def __init__(self, words: str, text: str) -> None:
        super().__init__(words)
        self.text = text


@dataclass(frozen=True, slots=True)
class Zone:
    """A zone."""

    name: TopicLevel
    polygon: tuple[tuple[Share, Share], ...]
    include: bool = True


@dataclass(frozen=True, slots=True)
class CrossingLine:
    """A crossing line."""

    name: TopicLevel
    start: tuple[Share, Share]
    end: tuple[Share, Share]
    to_right: TopicLevel = "in"
    to_left: TopicLevel = "out"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is set for one camera; a preset of null stays as it is."""

    zones: tuple[Zone, ...]
    crossing_lines: tuple[CrossingLine, ...]
    preset: Annotated[str, OneOf(PRESETS)] | None = None


def drawing_of(settings: Settings, name: str) -> Drawing:
    """What is set now; the preset only of cameras that have one."""
    own = settings.of_camera(name)
    has_preset = source_url.parse(own.camera.source).scheme == "picamera2"
    return Drawing(
        tuple(Zone(each.name, each.polygon, each.include) for each in own.zones),
        tuple(
            CrossingLine(each.name, each.start, each.end, each.to_right, each.to_left) for each in own.crossing_lines
        ),
        own.camera.preset if has_preset else None,
    )


def drawn(text: str, settings: Settings, name: str, drawing: Drawing) -> str:
    """The configuration's text with other zones, lines and preset of one camera, and everything else as it was."""
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    several = bool(settings.cameras)
    removed = [*_own(text, "zones", settings.zones, name), *_own(text, "crossing_lines", settings.crossing_lines, name)]
    blocks = [*_blocks("zones", drawing.zones, name if several else None)]
    blocks += _blocks("crossing_lines", drawing.crossing_lines, name if several else None)
    place = max((block.stop for block in removed), default=len(lines))
    gone = {number for block in removed for number in block}
    before = [line for number, line in enumerate(lines[:place]) if number not in gone]
    after = [line for number, line in enumerate(lines[place:], place) if number not in gone]
    while before and not before[-1].strip():
        before.pop()
    while after and not after[0].strip():
        after.pop(0)
    parts = ["".join(before), *blocks, "".join(after)]
    made = "\n".join(part for part in parts if part)
    return made if drawing.preset is None else _with_preset(made, settings, name, drawing.preset)


def save(path: Path, before: str, text: str) -> None:
    """Write the file, at once if its folder allows.

    Raises:
        ConfigurationError: what it says is wrong; the file stays as it is.
        UnwritableError: it may not be written.
    """
    check(path, text)
    try:
        _write(path, text)
    except OSError as error:
        words = (
            f"this service may not write {path} ({error.strerror}): put this text there by hand and reload, or let it,"
            " as docs/http.md shows"
        )
        raise UnwritableError(words, text) from error
    log.info("web: %s is saved with %d lines, it had %d", path, text.count("\n"), before.count("\n"))


def check(path: Path, text: str) -> None:
    """Raise `ConfigurationError` if the text would not do as this file."""
    with tempfile.TemporaryDirectory(prefix="edge-anpr-") as folder:
        trial = Path(folder, path.name)
        trial.write_text(text, encoding="utf-8")
        try:
            config.load(trial, starting_at=path.parent)
        except ConfigurationError as error:
            raise ConfigurationError(str(error).replace(str(trial), path.name)) from None


def restore(path: Path, ours: str, before: str) -> None:
    """Put back what was there, unless somebody has written the file since."""
    try:
        if path.read_text(encoding="utf-8") == ours:
            _write(path, before)
    except OSError as error:
        log.error("web: %s could not be put back as it was: %s", path, error)


def _write(path: Path, text: str) -> None:
    """By one rename; in place if only the file may be written. The last good configuration outlives a power cut."""
    new = path.with_name(f".{path.name}.new")
    try:
        with new.open("x", encoding="utf-8") as file:
            os.fchmod(file.fileno(), path.stat().st_mode & 0o777)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        new.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            new.unlink()
        with path.open("r+", encoding="utf-8") as file:
            file.write(text)
            file.truncate()
            file.flush()
            os.fsync(file.fileno())


def _own(text: str, section: str, tables: Sequence[ZoneSettings | CrossingLineSettings], name: str) -> list[range]:
    """The blocks of the camera's own tables."""
    blocks = blocks_of(text, section)
    if len(blocks) != len(tables):
        raise ConfigurationError(f"`{section}` is not written as [[{section}]]; change it in the file by hand")
    return [block for block, table in zip(blocks, tables, strict=True) if table.camera in (None, name)]


def _blocks(section: str, tables: Sequence[Zone | CrossingLine], camera: str | None) -> list[str]:
    made = []
    for table in tables:
        values: dict[str, Any] = {each.name: getattr(table, each.name) for each in fields(table)}
        if camera is not None:
            values["camera"] = camera
        keys = [f"{key} = {as_toml(_rounded(each))}\n" for key, each in values.items()]
        made.append("".join([f"[[{section}]]\n", *keys]))
    return made


def _rounded(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_rounded(each) for each in value]
    return round(value, _DIGITS) if isinstance(value, float) else value


def _with_preset(text: str, settings: Settings, name: str, preset: str) -> str:
    if preset == settings.of_camera(name).camera.preset:
        return text
    lines, places = text.splitlines(keepends=True), find_lines(text)
    if settings.cameras:
        index = [each.name for each in settings.cameras].index(name)
        section: tuple[str | int, ...] = ("cameras", index)
    else:
        section = ("camera",)
    line = f"preset = {as_toml(preset)}\n"
    if (place := places.get((*section, "preset"))) is not None:
        lines[place - 1] = line
    elif (place := places.get(section)) is not None:
        lines.insert(place, line)
    else:
        lines.append(f"\n[camera]\n{line}")
    return "".join(lines)


assert CameraSettings().preset in PRESETS
