"""The version of this installation, written into every output."""

__version__ = "0.1.0"
