"""A hand film that is nobody's, drawn from an age and a sex, with the truth about it."""

from boneage.synthetic.film import HAND, SyntheticError, SyntheticFilm, draw

__all__ = ["HAND", "SyntheticError", "SyntheticFilm", "draw"]
