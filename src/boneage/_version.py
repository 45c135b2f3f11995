"""The version of this installation, told to everything that is written."""

__version__ = "0.1.0"
