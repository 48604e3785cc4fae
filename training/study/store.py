"""Where a study keeps what it made, by what that depends on: nothing is made twice, nothing stale is used."""

import ast
import hashlib
import json
from dataclasses import asdict, dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from training.study.plates import Plates, make_plates
from training.study.roads import Roads, make_roads
from training.study.setting import Setting

_OURS = ("training.", "converters.")
_COUNTED = "training.study.setting"
"""Of this module only the setting that is used counts: another one may change."""
_MEASURED_ONLY = ("tested", "distorted")
"""Counts that no training depends on."""


@dataclass(frozen=True, slots=True)
class Store:
    """The folder of a study."""

    folder: Path
    setting: Setting
    seed: int

    def place(self, what: str, *depends_on: Any, modules: tuple[str, ...]) -> Path:
        """The folder of one thing; another one if the setting, the seed or the code of `modules` changes."""
        facts = [self.seed, *depends_on, *(code_of(module) for module in modules)]
        key = hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()[:12]
        folder = self.folder / what / key
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def plates(self) -> Plates:
        """The plates of the study."""
        count = self.setting.plates
        return make_plates(self.place("plates", count, modules=("training.study.plates",)), count, self.seed)

    def roads(self) -> Roads:
        """The pictures of roads of the study."""
        count = self.setting.scenes
        return make_roads(self.place("roads", count, modules=("training.study.roads",)), count, self.seed)

    def counts(self) -> dict[str, Any]:
        """The setting without its name."""
        return {name: value for name, value in asdict(self.setting).items() if name != "name"}

    def learned_from(self) -> dict[str, Any]:
        """What trainings depend on."""
        return {name: value for name, value in self.counts().items() if name not in _MEASURED_ONLY}


@cache
def code_of(module: str) -> str:
    """The sha256 of a module's code and of all of ours that it imports; comments and docstrings count for nothing."""
    found: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        path = _file_of(name)
        if name in found or path is None or name == _COUNTED:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        waiting += _imports(tree)
        found[name] = ast.dump(_without_docstrings(tree))
    return hashlib.sha256(json.dumps(sorted(found.items())).encode()).hexdigest()


def _file_of(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:  # a name within a module
        return None
    return Path(spec.origin) if spec and spec.origin else None


def _imports(tree: ast.Module) -> list[str]:
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        elif isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
    return [name for name in names if name.startswith(_OURS)]


def _without_docstrings(tree: ast.Module) -> ast.Module:
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [  # type: ignore[attr-defined]
                each for each in body if not (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
            ]
    return tree
