"""What was read in a picture, as JSON: of `edge-anpr read --json` and of the HTTP API."""

from collections.abc import Sequence
from typing import Any

from edge_app.recognition.plate_colours import category_of
from edge_app.records import ImageBgr, PlateRead


def image_as_json(image_bgr: ImageBgr, elapsed_ms: float, reads: Sequence[PlateRead]) -> dict[str, Any]:
    """One picture and its plates."""
    height, width = image_bgr.shape[:2]
    return {
        "width": width,
        "height": height,
        "elapsed_ms": round(elapsed_ms, 1),
        "plates": [plate_as_json(read) for read in reads],
    }


def plate_as_json(read: PlateRead) -> dict[str, Any]:
    """One plate; pixels of the image as given."""
    plate, detection = read.plate, read.detection
    return {
        "text": plate.text,
        "confidence": round(plate.confidence, 4),
        "detection_confidence": round(detection.confidence, 4),
        "box": [round(value, 1) for value in detection.box_px],
        "corners": [[round(float(value), 1) for value in corner] for corner in detection.corners_px],
        "lines": detection.lines,
        "colours": {"background": read.colours.background, "characters": read.colours.characters},
        "category": category_of(read.colours, plate.country, plate.format),
        "country": plate.country,
        "format": plate.format,
        "valid": plate.valid,
        "characters": [{"value": each.value, "confidence": round(each.confidence, 4)} for each in plate.characters],
        "candidates": [
            {"text": each.text, "confidence": round(each.confidence, 4), "valid": each.valid}
            for each in plate.candidates
        ],
    }
