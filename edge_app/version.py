"""The version of the program: its one source, also for the package. The models have versions of their own."""

__version__ = "0.1.0"
