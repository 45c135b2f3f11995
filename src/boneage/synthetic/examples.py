"""The drawn hands that a newcomer sees first: a girl's and a boy's.

``tools/choose_examples.py`` chose them among many, by how the weights that ship read them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO

from boneage.domain.radiograph import Sex
from boneage.storage.typed import shipped_toml
from boneage.synthetic.film import SyntheticFilm, draw, write_dicom, write_png

CHILDREN = {Sex.FEMALE: "girl", Sex.MALE: "boy"}


@dataclass(frozen=True)
class Example:
    """A hand that can be drawn again."""

    sex: Sex
    age_months: int
    seed: int

    @property
    def file_name(self) -> str:
        """Without a suffix."""
        return f"synthetic_hand_{CHILDREN[self.sex]}"

    def draw(self) -> SyntheticFilm:
        """Draw it."""
        return draw(self.age_months, self.sex, seed=self.seed)

    def dicom(self) -> bytes:
        """Draw it, as a DICOM file that states sex and dates."""
        file = BytesIO()
        write_dicom(self.draw(), file)
        return file.getvalue()

    def write_png(self, file: BinaryIO) -> None:
        """Draw it into a file."""
        write_png(self.draw(), file)


EXAMPLES: Mapping[Sex, Example] = {
    sex: Example(sex, **shipped_toml("boneage.synthetic", "examples.toml")[sex.value])
    for sex in CHILDREN
}
