"""Writes the demo's clip as pictures for the virtual camera: 0.jpg, 1.jpg, … of 1280 × 720."""

import sys
from pathlib import Path

import cv2

CLIP = Path(__file__).parents[3] / "edge_app" / "demo" / "clip.mp4"


def main(folder: Path) -> None:
    """Write them."""
    capture, number = cv2.VideoCapture(str(CLIP)), 0
    while (read := capture.read())[0]:
        cv2.imwrite(str(folder / f"{number}.jpg"), read[1], [cv2.IMWRITE_JPEG_QUALITY, 92])
        number += 1


if __name__ == "__main__":
    main(Path(sys.argv[1]))
