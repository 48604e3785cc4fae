"""Archives whose bytes depend on their contents alone: no time, no owner, no order of a file system."""

import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from edge_app.service.release.manifest import PackedFile

_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


def contents_of(folder: Path) -> tuple[dict[str, PackedFile], dict[str, str]]:
    """The files below a folder, and its links, by path."""
    files, links = {}, {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            links[name] = str(path.readlink())
        elif path.is_file():
            content = path.read_bytes()
            is_executable = bool(path.stat().st_mode & 0o100)
            files[name] = PackedFile(hashlib.sha256(content).hexdigest(), len(content), is_executable)
    return files, links


def write_payload(folder: Path, files: Mapping[str, PackedFile], out: Path, compression: int) -> None:
    """A compressed archive of these files."""
    with (
        out.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", compresslevel=compression, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive,
    ):
        for name, facts in sorted(files.items()):
            with (folder / name).open("rb") as content:
                archive.addfile(_member(name, facts.bytes, 0o755 if facts.executable else 0o644), content)


def write_outer(members: Iterable[tuple[str, Path | bytes]], out: Path) -> None:
    """An archive of members in the order given: the small ones first, so that they are found at once."""
    with tarfile.open(out, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members:
            if isinstance(content, bytes):
                archive.addfile(_member(name, len(content), 0o644), io.BytesIO(content))
            else:
                with content.open("rb") as file:
                    archive.addfile(_member(name, content.stat().st_size, 0o644), file)


def write_zipapp(files: Mapping[str, bytes], out: Path) -> None:
    """A program that Python runs from one file."""
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_TIME), content, zipfile.ZIP_DEFLATED)


def _member(name: str, size: int, mode: int) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.mode = size, mode
    return member
