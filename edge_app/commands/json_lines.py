"""A file of JSON documents, one a line, that a command writes as it goes."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from edge_app.errors import EdgeAnprError, UsageError


class JsonLinesFile:
    """Opened at once, so that a wrong path is an error before the work begins: `UsageError`, and `EdgeAnprError` later.

    With `append`, the file keeps its content.
    """

    def __init__(self, path: Path, append: bool = False) -> None:
        self._path = path
        try:
            self._file = path.open("ab" if append else "wb", buffering=0)  # 0: a reader always finds whole lines
        except OSError as error:
            raise UsageError(self._failure(error)) from error

    def write(self, documents: Iterable[Mapping[str, Any]]) -> None:
        """Add a line for each."""
        lines = "".join(json.dumps(document, ensure_ascii=False) + "\n" for document in documents)
        left = memoryview(lines.encode())
        try:
            while left:  # a disk that is nearly full takes a part, and fails only at the next write
                left = left[self._file.write(left) :]
        except OSError as error:
            raise EdgeAnprError(self._failure(error)) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _failure(self, error: OSError) -> str:
        return f"{self._path}: cannot be written ({error.strerror}); give another path, or free some space"
