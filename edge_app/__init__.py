"""Reads number plates: `PlateRecognizer().recognize(image_bgr)` for one picture, `edge-anpr` for a camera."""

from typing import TYPE_CHECKING, Any

from edge_app.version import __version__

if TYPE_CHECKING:
    from edge_app.recognizer import PlateRecognizer
    from edge_app.records import PlateRead

__all__ = ["PlateRead", "PlateRecognizer", "__version__"]


def __getattr__(name: str) -> Any:
    """Import what is exported only when it is asked for: `edge-anpr --help` need not wait for numpy and OpenCV."""
    if name == "PlateRecognizer":
        from edge_app.recognizer import PlateRecognizer

        return PlateRecognizer
    if name == "PlateRead":
        from edge_app.records import PlateRead

        return PlateRead
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
