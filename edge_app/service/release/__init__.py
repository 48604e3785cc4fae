"""Whole releases beside each other: unpacked, tried, switched to, and gone back from. The standard library alone.

The same modules come in a bundle as `installer.pyz`, for a device on which nothing is installed yet.
"""
