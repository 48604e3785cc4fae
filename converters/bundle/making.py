"""Make a bundle: collect, list, pack, sign."""

import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from converters.bundle import archive, packages, sbom, signing
from converters.bundle.sources import Sources
from edge_app.errors import ModelError
from edge_app.service.release.bundle import PAYLOAD, SIGNATURE, SUMS
from edge_app.service.release.manifest import MANIFEST, MODELS, MODELS_FOLDER, RELEASE, Manifest
from edge_app.version import __version__

ARCHITECTURES = ("aarch64", "x86_64")
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
INSTALLER, INSTALL_SCRIPT, SBOM = "installer.pyz", "install.sh", "sbom.cdx.json"

_UNITS = ("edge-anpr.service", "edge-anpr-watch.service", "edge-anpr-rescue.service", "jetson.conf")
_STANDALONE = (
    "__init__",
    "__main__",
    "errors",
    "journal",
    "printable",
    "version",
    "commands/__init__",
    "commands/release",
    "service/__init__",
)
"""Modules of edge_app that the installer takes along beside `service/release/`; none needs more than Python."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a bundle is for."""

    architecture: str
    python: str

    def __str__(self) -> str:
        return f"{self.architecture}-python{self.python}"


def make_release(sources: Sources, target: Target, out: Path, key: Path | None, record: bool = True) -> Path:
    """A bundle of a whole release; `record`: with the outputs that this machine's networks give."""
    with tempfile.TemporaryDirectory(prefix="edge-anpr-bundle-") as scratch:
        folder = Path(scratch, "release")
        name = "device-3.10.txt" if target.python == "3.10" else "device.txt"
        installed = packages.install(sources.root / "requirements" / name, *_fields(target), folder)
        _copy_program(sources, folder, target.python)
        models = _copy_models(sources.root / "models", folder / MODELS_FOLDER, record)
        (folder / SBOM).write_bytes(sbom.as_json(sources, installed, models, str(target)))
        carried = {
            INSTALL_SCRIPT: (sources.root / "systemd/install.sh").read_bytes(),
            INSTALLER: _installer(sources, Path(scratch, INSTALLER)),
            SBOM: (folder / SBOM).read_bytes(),
        }
        return pack(sources, folder, RELEASE, target, carried, out, key)


def make_models(sources: Sources, out: Path, key: Path | None) -> Path:
    """A bundle of the models alone."""
    with tempfile.TemporaryDirectory(prefix="edge-anpr-bundle-") as scratch:
        folder = Path(scratch, "models")
        _copy_models(sources.root / "models", folder / MODELS_FOLDER, record=True)
        return pack(sources, folder, MODELS, None, {}, out, key)


def _fields(target: Target) -> tuple[str, str]:
    return target.architecture, target.python


def _copy_program(sources: Sources, folder: Path, python: str) -> None:
    for name in sources.files:
        source = sources.root / name
        if source.is_file() and not source.is_symlink() and not name.startswith("edge_app/models"):
            _copy(source, folder / "site" / name)
    (folder / "site/edge_app/models").symlink_to(Path("../..", MODELS_FOLDER))
    _copy(sources.root / "systemd/launcher.py", folder / "bin/edge-anpr", executable=True)
    for unit in _UNITS:
        _copy(sources.root / "systemd" / unit, folder / "systemd" / unit)
    _copy(sources.root / "config/default.toml", folder / "config/default.toml")
    for name in ("LICENSE", "README.md"):
        _copy(sources.root / name, folder / name)
    (folder / "python-version").write_text(f"{python}\n", encoding="utf-8")


def _copy_models(models: Path, into: Path, record: bool) -> dict[str, str]:
    """The networks and their manifests, and what they give on the known pictures; the sha256 of each network."""
    networks = sorted(models.glob("*.tflite"))
    for network in networks:
        manifest = json.loads(network.with_suffix(".json").read_text(encoding="utf-8"))
        if not manifest.get("scores"):
            raise ModelError(f"{network}: its manifest has no scores: pass the parity gate first (./build.sh convert)")
        _copy(network, into / network.name)
        _copy(network.with_suffix(".json"), into / f"{network.stem}.json")
    if record:
        _record(into)
    return {network.name: hashlib.sha256(network.read_bytes()).hexdigest() for network in networks}


def _record(models: Path) -> None:
    """Note what the networks give here, provided that they read the known plates."""
    from edge_app.config import ModelSettings, Settings
    from edge_app.demo import self_test
    from edge_app.recognizer import PlateRecognizer
    from edge_app.stages import load_networks, stages_around

    settings = Settings(models=ModelSettings(directory=models))
    networks = load_networks(settings)
    if wrong := list(self_test.misread(PlateRecognizer(stages_around(*networks, settings)))):
        raise ModelError(f"these models would not pass the device's self-test: {'; '.join(wrong)}")
    outputs = json.dumps(self_test.outputs_of(networks), indent=1, sort_keys=True)
    (models / self_test.RECORDED).write_text(f"{outputs}\n", encoding="utf-8")


def _installer(sources: Sources, path: Path) -> bytes:
    names = [name for name in sources.files if name.startswith("edge_app/service/release/") and name.endswith(".py")]
    names += [f"edge_app/{module}.py" for module in _STANDALONE]
    files = {name: (sources.root / name).read_bytes() for name in names}
    files["__main__.py"] = b"import sys\n\nfrom edge_app.__main__ import main\n\nsys.exit(main())\n"
    archive.write_zipapp(files, path)
    return path.read_bytes()


def pack(
    sources: Sources,
    folder: Path,
    kind: str,
    target: Target | None,
    carried: dict[str, bytes],
    out: Path,
    key: Path | None,
    compression: int = 6,
) -> Path:
    """A bundle of what lies below `folder`; `carried` lies beside the payload."""
    files, links = archive.contents_of(folder)
    payload = folder.parent / PAYLOAD
    archive.write_payload(folder, files, payload, compression)
    sums = {name: hashlib.sha256(content).hexdigest() for name, content in carried.items()}
    with payload.open("rb") as content:
        sums[PAYLOAD] = _sha256_of(content.read())
    manifest = Manifest(
        kind=kind,
        version=__version__,
        commit=sources.commit,
        made_at=sources.made_at,
        architecture=target.architecture if target else None,
        python=target.python if target else None,
        carried=sums,
        files=files,
        links=links,
        sha256="",
    ).as_json()
    members: list[tuple[str, Path | bytes]] = [(MANIFEST, manifest)]
    if key is not None:
        members.append((SIGNATURE, signing.sign(manifest, key)))
    members += carried.items()
    lines = [f"{_sha256_of(content)}  {name}\n" for name, content in members if isinstance(content, bytes)]
    members.append((SUMS, "".join([*lines, f"{sums[PAYLOAD]}  {PAYLOAD}\n"]).encode()))
    members.append((PAYLOAD, payload))
    name = Manifest.parse(manifest).name
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"edge-anpr-{name}-{target or MODELS}.tar"
    unfinished = path.with_suffix(".part")
    archive.write_outer(members, unfinished)
    return unfinished.replace(path)


def _sha256_of(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _copy(source: Path, target: Path, executable: bool = False) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o755 if executable else 0o644)
