"""Sizes and classes that fix the networks; the device learns them from `models/*.json`."""

STRIDE = 8
ALIGNER_WIDTH, ALIGNER_HEIGHT = 128, 64
READER_WIDTH, READER_HEIGHT, READER_STEPS = 256, 32, 64
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
