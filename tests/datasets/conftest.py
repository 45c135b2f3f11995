"""Folders of drawn films in both layouts."""

from tests.training.conftest import official, rich

__all__ = ["official", "rich"]
