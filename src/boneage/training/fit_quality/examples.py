"""Images that the quality check is fitted on, as the attention network sees them.

Each film gives a few, each refused image two; chance is seeded by its name,
so that the same films give the same examples in any order.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from operator import itemgetter
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film, evenly
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import ImageMetadata, Pixels, Radiograph, Sex
from boneage.errors import FilmError
from boneage.imaging.collimation import analysed, exposed_field, whole_image
from boneage.imaging.perturbations import random_of, tilted, tilted_on_black
from boneage.inference.assessor import Assessor
from boneage.inference.metal import metal_likelihood
from boneage.inference.networks import features_as_oriented
from boneage.inference.side import lead_marker, side_of
from boneage.quality.burned_in_text import letters_in_a_row
from boneage.quality.classifier import HAND, MIRRORED, ORIENTATIONS, UPRIGHT
from boneage.quality.image_quality import ImageQuality, quality_of
from boneage.quality.side import SideEvidence
from boneage.reading import read
from boneage.storage.parallel import Journal, default_workers, resumed
from boneage.synthetic import draw
from boneage.training.fit_quality.pictures import PIECES, oriented, resaved, small, two_hands
from boneage.training.fit_quality.refusal_images import RefusalImage

FILMS = "films"
"""The source of labelled films."""
DRAWN = "drawn"
"""The source of hands that the program draws itself."""
DRAWN_FILMS, FILMS_A_DRAWN_ONE = 48, 20
"""So many hands that the program draws, but never more than one for so many films."""
DRAWN_SIZES_PX = ((1500, 1150), (830, 650), (1000, 800), (1250, 950))
"""Heights and widths."""
FIRST_SEED = 1000
"""No other film that the program draws, its example among them, has such a seed."""
TILT_DEGREES = 50.0
"""Films are tilted by up to this, either way; further, they have another orientation."""
HAND_TILT_DEGREES = 30.0
"""A hand tilted by less is a hand that is read."""
JITTER_DEGREES = 8.0
FUSED_MONTHS = {Sex.MALE: 216.0, Sex.FEMALE: 204.0}
"""Labels from which all growth plates of the hand and wrist are fused (Greulich and Pyle)."""
OPEN_MONTHS = (150.0, 186.0)
"""Labels at which those of the wrist are open, while the hand looks nearly mature."""
IMMATURE_MONTHS = 192.0
"""16 years: next to no younger hand may count as mature."""
MOST_IMMATURE = 2000
EVERY = 25
"""Images after which progress is reported."""

Features = npt.NDArray[np.float32]
Report = Callable[[str], None]
Task: TypeAlias = tuple[str, Callable[[], list["Example"]]]
"""A name, and what makes the examples of that name."""


class FeatureExtractor(Protocol):
    """From pixels to features."""

    def __call__(self, pixels: Pixels, *, mirror: bool = False) -> Features:
        """Features of an image, and with ``mirror`` of its mirror image; (views, width)."""
        ...


@dataclass(frozen=True, eq=False)
class Example:
    """One image."""

    features: Features
    """Shape (views, width): of the image and of its mirror image."""
    group: str
    """Near-copies, and everything made from one film, share it."""
    source: str
    plain: bool = False
    """Whether it is an original film or image, not one made of it."""
    name: str = ""
    kind: str | None = None
    """What it shows; None: not to be learned."""
    orientation_class: int | None = None
    """A place in ``ORIENTATIONS``; None: it has no up and down."""
    degrees: float | None = None
    """How far the hand is turned clockwise; None: unknown."""
    fused: bool | None = None
    """Whether all growth plates are fused, by the label; None: not to be learned."""
    immature: bool | None = None
    """Whether the label is under 16 years, of a plain film for the check of maturity."""
    quality: ImageQuality | None = None
    """Of plain images, as the following."""
    orientation: Orientation | None = None
    film_size: tuple[int, int] = (0, 0)
    letters: int | None = None
    """In a row, on the whole film."""
    side: SideEvidence | None = None
    metal: float = 0.0

    @property
    def is_film(self) -> bool:
        """Whether it is an original labelled film."""
        return self.plain and self.is_labelled

    @property
    def is_labelled(self) -> bool:
        """Whether it is a labelled film, or was made of one."""
        return self.source == FILMS

    @property
    def is_image(self) -> bool:
        """Whether it is an original image of the catalogue."""
        return self.plain and not self.is_labelled

    def mirrored(self) -> Example:
        """The example seen in the mirror, where it has both views."""
        place, degrees = self.orientation_class, self.degrees
        return replace(
            self,
            features=self.features[::-1],
            orientation_class=None if place is None else MIRRORED[place],
            degrees=None if degrees is None else -degrees,
        )


def examples_of_film(
    film: Film, other: Film, number: int, extract: FeatureExtractor
) -> list[Example]:
    """Examples of one film: as it is, resaved, tilted, turned, in pieces, beside the ``other``.

    ``number``, its place, decides what is made of it.
    """
    random = random_of(film.id)
    radiograph = read(film.path)
    plain = _plain(radiograph, extract)
    base = replace(plain, group=film.id, source=FILMS, name=film.id, kind=HAND, plain=False)
    made = [replace(base, plain=True, orientation_class=UPRIGHT, degrees=0.0)]
    pixels = small(whole_image(radiograph))

    def add(changed: Pixels, **metadata: Any) -> None:
        made.append(replace(base, features=extract(resaved(changed, random)), **metadata))

    degrees = float(random.uniform(-1, 1) * TILT_DEGREES)
    kind = HAND if abs(degrees) < HAND_TILT_DEGREES else None
    add(tilted(pixels, degrees), degrees=degrees, kind=kind, orientation_class=UPRIGHT)
    add(tilted_on_black(pixels, -degrees), degrees=-degrees, kind=kind, orientation_class=UPRIGHT)
    add(tilted(pixels, float(random.normal(0, JITTER_DEGREES))), orientation_class=UPRIGHT)
    for place, (quarters, inverted) in enumerate(ORIENTATIONS):
        if place != UPRIGHT:
            jittered = tilted(pixels, float(random.normal(0, JITTER_DEGREES)))
            turned = oriented(jittered, quarters, inverted=inverted)
            add(turned, kind=None, orientation_class=place)
    turn = number % (len(PIECES) + 1)
    if turn < len(PIECES):
        add(list(PIECES.values())[turn](pixels, random), kind="part")
    else:
        add(two_hands(pixels, small(read(other.path).pixels), random), kind="several")
    return made


def examples_of_maturity(film: Film, extract: FeatureExtractor) -> list[Example]:
    """Examples of one film for the check of fused growth plates, as it is and resaved.

    Nothing else is learned of them.
    """
    radiograph = film.radiograph()
    image = whole_image(radiograph)
    inside = analysed(radiograph, exposed_field(radiograph, image))
    base = Example(
        extract(inside, mirror=True),
        group=film.id,
        source=FILMS,
        name=film.id,
        fused=fused(film),
        immature=film.age_months < IMMATURE_MONTHS,
    )
    if base.fused is None:
        return [base]
    again = extract(resaved(small(image), random_of(f"maturity {film.id}")), mirror=True)
    return [base, replace(base, features=again, immature=None)]


def fused(film: Film) -> bool | None:
    """Whether all growth plates are fused at the age of the label; None: it does not tell."""
    if film.age_months >= FUSED_MONTHS[film.sex]:
        return True
    return False if OPEN_MONTHS[0] <= film.age_months <= OPEN_MONTHS[1] else None


def for_maturity(films: Sequence[Film]) -> list[Film]:
    """All films with fused growth plates, and some of the immature ones."""
    others = [film for film in films if film.age_months < IMMATURE_MONTHS]
    return [*(film for film in films if fused(film)), *evenly(others, MOST_IMMATURE)]


def examples_of_drawn(number: int, extract: FeatureExtractor) -> list[Example]:
    """Examples of a hand that the program draws, as it is and tilted a little.

    Its examples and demonstrations are such hands; without any among the hands, a quality check
    may take them for anything. They are labelled as hands, and upright; no limit is set on them.
    """
    name = f"{DRAWN} {number}"
    random = random_of(name)
    height, width = DRAWN_SIZES_PX[number % len(DRAWN_SIZES_PX)]
    sex = tuple(Sex)[number // len(DRAWN_SIZES_PX) % len(Sex)]
    months = float(random.uniform(24, 204))
    film = draw(months, sex, height=height, width=width, seed=FIRST_SEED + number)
    pixels = film.radiograph.pixels
    jittered = tilted(small(pixels), float(random.normal(0, JITTER_DEGREES)))
    metadata: dict[str, Any] = {"name": name, "kind": HAND, "orientation_class": UPRIGHT}
    return [
        Example(extract(view), group=name, source=DRAWN, **metadata)
        for view in (pixels, resaved(jittered, random))
    ]


def examples_of_image(image: RefusalImage, extract: FeatureExtractor) -> list[Example]:
    """Examples of one refused image: as it is, and resaved in a chance orientation."""
    random = random_of(image.name)
    radiograph = read(image.path)
    metadata: dict[str, Any] = {"group": image.group, "source": image.source, "kind": image.kind}
    base = replace(_plain(radiograph, extract), name=image.name, **metadata)
    pixels = small(whole_image(radiograph))
    quarters = int(random.integers(4)) if image.kind != HAND else 0
    turned = oriented(pixels, quarters, inverted=bool(random.random() < 0.15))
    return [base, replace(base, features=extract(resaved(turned, random)), plain=False)]


def collect(
    assessor: Assessor,
    films: Sequence[Film],
    images: Sequence[RefusalImage],
    maturity: Sequence[Film],
    folder: Path,
    report: Report,
) -> list[Example]:
    """Make all examples; those that an earlier, interrupted run made are not made again.

    ``folder`` gets a journal that belongs to these weights; ``report`` gets progress in sentences.
    """
    extract = extractor_of(assessor)

    def tasks() -> Iterator[Task]:
        for number, film in enumerate(films):
            make = partial(examples_of_film, film, films[number - 1], number, extract)
            yield f"film {film.id}", make
        for image in images:
            yield f"image {image.name}", partial(examples_of_image, image, extract)
        for film in maturity:
            yield f"maturity {film.id}", partial(examples_of_maturity, film, extract)
        for number in range(min(DRAWN_FILMS, len(films) // FILMS_A_DRAWN_ONE)):
            yield f"{DRAWN} {number}", partial(examples_of_drawn, number, extract)

    def work(task: Task, noted: Any) -> list[Example]:
        if noted is not None:
            return msgspec.convert(noted, list[Example], dec_hook=_array)
        try:
            return task[1]()
        except FilmError as error:  # it is refused before any quality check
            report(f"left out: {error}")
            return []

    def note(made: list[Example]) -> Any:
        return msgspec.to_builtins(made, enc_hook=_plain_array)

    weights = assessor.weights.manifest.networks["attention"].sha256
    every, workers = list(tasks()), default_workers()
    with Journal(folder / f"examples-{weights[:12]}.jsonl", {"attention": weights}) as journal:
        results = resumed(work, every, journal, workers, key=itemgetter(0), to_record=note)
        found: list[Example] = []
        for done, made in enumerate(results, 1):
            found += made
            if done % EVERY == 0:
                report(f"{done} of {len(every)} images done")
        return found


def _plain_array(array: Features) -> Any:
    half = array.astype(np.float16)
    return [half.shape, base64.b64encode(half.tobytes()).decode()]


def _array(_: type, value: Any) -> Features:
    shape, text = value
    half = np.frombuffer(base64.b64decode(text), np.float16)
    return half.reshape(shape).astype(np.float32)


def extractor_of(assessor: Assessor) -> FeatureExtractor:
    """The whole hand's feature, as an assessor computes it."""

    def extract(pixels: Pixels, *, mirror: bool = False) -> Features:
        film = Radiograph(np.ascontiguousarray(pixels), ImageMetadata("drawn", 8))
        whole = Orientation.of_whole(film.height, film.width)
        found = features_as_oriented(assessor.weights, film, whole, mirror=mirror)
        return found.astype(np.float16).astype(np.float32)  # as the journal holds it

    return extract


def _plain(radiograph: Radiograph, extract: FeatureExtractor) -> Example:
    """The example of an original image."""
    image = whole_image(radiograph)
    orientation = exposed_field(radiograph, image)
    inside = analysed(radiograph, orientation)
    return Example(
        extract(inside, mirror=True),
        *("", ""),
        plain=True,
        quality=quality_of(radiograph, orientation, inside),
        orientation=orientation,
        film_size=(radiograph.height, radiograph.width),
        letters=letters_in_a_row(image),
        side=side_of(image, inside, orientation, lead_marker(image)),
        metal=metal_likelihood(image),
    )


def plain_film(assessor: Assessor, film: Film) -> Example:
    """The example of an original labelled film, to judge it."""
    plain = _plain(read(film.path), extractor_of(assessor))
    return replace(plain, group=film.id, source=FILMS, name=film.id, kind=HAND)
