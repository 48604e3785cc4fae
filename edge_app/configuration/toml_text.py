"""Values as TOML writes them."""

import json
from pathlib import Path


def as_toml(value: object) -> str:
    """One line of TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {as_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    return json.dumps(str(value), ensure_ascii=False) if isinstance(value, str | Path) else str(value)
