"""A radiograph of nobody's hand, drawn from an age and a sex, with its true regions."""

from boneage.synthetic.film import HAND, SyntheticError, SyntheticFilm, draw

__all__ = ["HAND", "SyntheticError", "SyntheticFilm", "draw"]
