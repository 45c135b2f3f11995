"""Folders of drawn films, as the tests of training have them."""

from tests.training.conftest import official, rich

__all__ = ["official", "rich"]
