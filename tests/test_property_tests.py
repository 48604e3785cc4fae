"""A property test depends on nothing but its own seed."""

import importlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

CONSTANTS = range(918_273_645, 918_273_695)


def test_no_constant_of_a_loaded_module_is_among_the_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "constants_of_its_own.py").write_text(f"NUMBERS = {list(CONSTANTS)}\n")
    monkeypatch.syspath_prepend(tmp_path)
    importlib.import_module("constants_of_its_own")
    drawn = set()

    @settings(max_examples=400)
    @given(st.integers())
    def draw(number: int) -> None:
        drawn.add(abs(number))

    draw()

    assert not drawn & set(CONSTANTS)
