"""sockcheck: a socket test harness and conformance suite."""

__version__ = "0.1.0"
