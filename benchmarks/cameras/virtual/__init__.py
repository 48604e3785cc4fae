"""The real picamera2 on a camera of libcamera that exists in software only."""
