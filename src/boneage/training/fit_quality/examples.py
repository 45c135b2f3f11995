"""Pictures that the gate is fitted on, as the attention network sees them.

Each film gives a few, each refused image two; chance is seeded by its name,
so that the same films give the same examples in any order.
"""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.datasets.films import Film
from boneage.domain.assessment import Box
from boneage.domain.radiograph import Facts, Pixels, Radiograph, Sex
from boneage.domain.stance import Stance, Tilt, whole_film
from boneage.errors import FilmError
from boneage.imaging.framing import analysed, exposed_field, whole_image
from boneage.inference.assessor import Assessor
from boneage.quality.burnt_text import letters_in_a_row
from boneage.quality.gate import HAND, LYING, MIRRORED, UPRIGHT
from boneage.quality.image_quality import ImageQuality, quality_of
from boneage.reading import read
from boneage.storage.files import atomically
from boneage.storage.many import default_workers, in_parallel
from boneage.synthetic import draw
from boneage.training.fit_quality.refusal_images import RefusalImage
from boneage.training.fit_quality.spoiling import (
    PIECES,
    Random,
    laid,
    resaved,
    small,
    tilted,
    tilted_on_black,
    two_hands,
)

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
"""Films are tilted by up to this, either way; further, they lie another way."""
HAND_TILT_DEGREES = 30.0
"""A hand tilted by less is a hand that is read."""
JITTER_DEGREES = 8.0
EVERY = 25
"""Films after which what is done is saved."""

Features = npt.NDArray[np.float32]


Task: TypeAlias = tuple[str, Callable[[], list["Example"]]]
"""A name, and what makes the examples of that name."""


class Look(Protocol):
    """From pixels to features."""

    def __call__(self, pixels: Pixels, *, mirror: bool = False) -> Features:
        """Look at a picture, and with ``mirror`` at its mirror image; (views, width)."""
        ...


@dataclass(frozen=True, eq=False)
class Example:
    """One picture."""

    features: Features
    """Shape (views, width): of the picture and of its mirror image."""
    group: str
    """Near-copies, and everything made from one film, share it."""
    source: str
    plain: bool = False
    """Whether it is a film or an image as it came."""
    name: str = ""
    kind: str | None = None
    """What it shows; None: say nothing of it."""
    lying: int | None = None
    """How it lies, as a place in ``LYING``; None: it has no up and down."""
    degrees: float | None = None
    """How far the hand is turned clockwise; None: unknown."""
    quality: ImageQuality | None = None
    """Of plain pictures, as the following."""
    stance: Stance | None = None
    film_size: tuple[int, int] = (0, 0)
    letters: int | None = None
    """In a row, on the whole film."""


def examples_of_film(film: Film, other: Film, number: int, look: Look) -> list[Example]:
    """Look at one film: as it is, resaved, tilted, turned, in pieces, beside another.

    Parameters
    ----------
    film : Film
    other : Film
        One to lay beside it.
    number : int
        Its place, which says what is made of it.
    look : callable
        From pixels to features.
    """
    random = random_of(film.id)
    radiograph = read(film.path)
    plain = _plain(radiograph, look)
    base = replace(plain, group=film.id, source=FILMS, name=film.id, kind=HAND, plain=False)
    made = [replace(base, plain=True, lying=UPRIGHT, degrees=0.0)]
    pixels = small(whole_image(radiograph))

    def add(changed: Pixels, **facts: object) -> None:
        features = look(resaved(changed, random))
        made.append(replace(base, features=features, **facts))  # type: ignore[arg-type]

    degrees = float(random.uniform(-1, 1) * TILT_DEGREES)
    kind = HAND if abs(degrees) < HAND_TILT_DEGREES else None
    add(tilted(pixels, degrees), degrees=degrees, kind=kind, lying=UPRIGHT)
    add(tilted_on_black(pixels, -degrees), degrees=-degrees, kind=kind, lying=UPRIGHT)
    add(tilted(pixels, float(random.normal(0, JITTER_DEGREES))), lying=UPRIGHT)
    for lying, (quarters, inverted) in enumerate(LYING):
        if lying != UPRIGHT:
            a_little = tilted(pixels, float(random.normal(0, JITTER_DEGREES)))
            add(laid(a_little, quarters, inverted=inverted), kind=None, lying=lying)
    turn = number % (len(PIECES) + 1)
    if turn < len(PIECES):
        add(list(PIECES.values())[turn](pixels, random), kind="part")
    else:
        add(two_hands(pixels, small(read(other.path).pixels), random), kind="several")
    return made


def examples_of_drawn(number: int, look: Look) -> list[Example]:
    """Look at a hand that the program draws, as it is and tilted a little.

    Its examples and demonstrations are such hands; without any among the hands, a gate calls
    them what it likes. They say that they are hands, and upright; no limit is set on them.
    """
    name = f"{DRAWN} {number}"
    random = random_of(name)
    height, width = DRAWN_SIZES_PX[number % len(DRAWN_SIZES_PX)]
    film = draw(
        float(random.uniform(24, 204)),
        tuple(Sex)[number // len(DRAWN_SIZES_PX) % len(Sex)],
        height=height,
        width=width,
        seed=FIRST_SEED + number,
    )
    pixels = small(film.radiograph.pixels)
    tilt = tilted(pixels, float(random.normal(0, JITTER_DEGREES)))
    return [
        Example(look(seen), group=name, source=DRAWN, name=name, kind=HAND, lying=UPRIGHT)
        for seen in (film.radiograph.pixels, resaved(tilt, random))
    ]


def examples_of_image(image: RefusalImage, look: Look) -> list[Example]:
    """Look at one refused image: as it is, and resaved in a chance position."""
    random = random_of(image.name)
    radiograph = read(image.path)
    facts = {"group": image.group, "source": image.source, "kind": image.kind}
    base = replace(_plain(radiograph, look), name=image.name, **facts)  # type: ignore[arg-type]
    pixels = small(whole_image(radiograph))
    quarters = int(random.integers(4)) if image.kind != HAND else 0
    film_laid = laid(pixels, quarters, inverted=bool(random.random() < 0.15))
    return [
        base,
        replace(base, features=look(resaved(film_laid, random)), plain=False),
    ]


def collect(
    assessor: Assessor,
    films: Sequence[Film],
    images: Sequence[RefusalImage],
    kept: Path,
    say: Callable[[str], None],
) -> list[Example]:
    """Look at all pictures; what an earlier, interrupted run has done is not done again.

    Parameters
    ----------
    assessor : Assessor
    films, images : sequences of Film and RefusalImage
    kept : Path
        A file of arrays, made when missing; it belongs to these weights.
    say : callable
        Told in sentences what goes on.
    """
    done = _restored(kept, _recipe(assessor))
    look = _looker(assessor)

    def work() -> Iterator[Task]:
        for number, film in enumerate(films):
            other = films[number - 1]
            yield (
                f"film {film.id}",
                partial(examples_of_film, film, other, number, look),
            )
        for image in images:
            yield f"image {image.name}", partial(examples_of_image, image, look)
        for number in range(min(DRAWN_FILMS, len(films) // FILMS_A_DRAWN_ONE)):
            yield f"{DRAWN} {number}", partial(examples_of_drawn, number, look)

    missing = [task for task in work() if task[0] not in done]
    for new, (key, made) in enumerate(in_parallel(_attempt, missing, default_workers()), 1):
        if isinstance(made, FilmError):  # it is refused before any gate sees it
            say(f"not looked at: {made}")
        done[key] = [] if isinstance(made, FilmError) else made
        if new % EVERY == 0:
            _save(kept, _recipe(assessor), done)
            say(f"{new} of {len(missing)} pictures looked at")
    _save(kept, _recipe(assessor), done)
    return [example for key, _ in work() for example in done[key]]


def _attempt(task: Task) -> tuple[str, list[Example] | FilmError]:
    key, make = task
    try:
        return key, make()
    except FilmError as error:
        return key, error


def _looker(assessor: Assessor) -> Look:
    def look(pixels: Pixels, *, mirror: bool = False) -> Features:
        film = Radiograph(np.ascontiguousarray(pixels), Facts("drawn", 8))
        seen = assessor.seen_lying(film, whole_film(film.height, film.width), mirror=mirror)
        return seen.astype(np.float16).astype(np.float32)  # as it is kept

    return look


def _plain(radiograph: Radiograph, look: Look) -> Example:
    """Look at a picture as it came."""
    image = whole_image(radiograph)
    stance = exposed_field(radiograph, image)
    inside = analysed(radiograph, stance)
    return Example(
        look(inside, mirror=True),
        *("", ""),
        plain=True,
        quality=quality_of(radiograph, stance, inside),
        stance=stance,
        film_size=(radiograph.height, radiograph.width),
        letters=letters_in_a_row(image),
    )


def random_of(name: str) -> Random:
    """Give chance that is seeded by a name."""
    digest = hashlib.sha256(name.encode()).digest()[:8]
    return np.random.default_rng(int.from_bytes(digest))


def look_at_plain(assessor: Assessor, radiograph: Radiograph, name: str) -> Example:
    """Look at a labelled film as it came, to judge it."""
    plain = _plain(radiograph, _looker(assessor))
    return replace(plain, group=name, source=FILMS, name=name, kind=HAND)


def mirrored(example: Example) -> Example:
    """An example seen in the mirror, if it was looked at so, too."""
    return replace(
        example,
        features=example.features[::-1],
        lying=None if example.lying is None else MIRRORED[example.lying],
        degrees=None if example.degrees is None else -example.degrees,
    )


def _recipe(assessor: Assessor) -> str:
    return assessor.weights.manifest.networks["attention"].sha256


def _save(path: Path, recipe: str, done: dict[str, list[Example]]) -> None:
    """Keep examples as plain arrays: nothing is pickled."""
    rows = [(key, example) for key, found in done.items() for example in found]
    empty = [key for key, found in done.items() if not found]
    file = io.BytesIO()
    np.savez(
        file,
        recipe=np.array(recipe),
        empty=np.array(empty, dtype=str),
        keys=np.array([key for key, _ in rows], dtype=str),
        features=np.array([_two_views(example.features) for _, example in rows], np.float16),
        text=np.array(
            [(e.group, e.source, e.name, e.kind or "") for _, e in rows], dtype=str
        ).reshape(-1, 4),
        numbers=np.array([_numbers(example) for _, example in rows], np.float64),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomically(path) as out:
        out.write(file.getvalue())


def _two_views(features: Features) -> Features:
    return features if len(features) > 1 else np.repeat(features, 2, axis=0)


def _numbers(example: Example) -> tuple[float, ...]:
    quality, stance = example.quality, example.stance
    missing = float("nan")
    return (
        float(len(example.features)),
        float(example.plain),
        missing if example.lying is None else float(example.lying),
        missing if example.degrees is None else example.degrees,
        *((missing,) * 4 if quality is None else astuple(quality)),
        *((missing,) * 10 if stance is None else _stance_numbers(stance)),
        *example.film_size,
        missing if example.letters is None else float(example.letters),
    )


def _stance_numbers(stance: Stance) -> tuple[float, ...]:
    """Ten numbers: the field, the shape of its pixels, the tilt if there is one."""
    tilt = astuple(stance.tilt) if stance.tilt else (float("nan"),) * 5
    return (*astuple(stance.field), stance.pixel_aspect, *tilt)


def _stance_of(numbers: npt.NDArray[np.float64]) -> Stance:
    degrees, row, col, height, width = map(float, numbers[5:])
    tilt = None if np.isnan(degrees) else Tilt(degrees, row, col, int(height), int(width))
    return Stance(Box(*map(int, numbers[:4])), pixel_aspect=float(numbers[4]), tilt=tilt)


def _restored(path: Path, recipe: str) -> dict[str, list[Example]]:
    if not path.is_file():
        return {}
    try:
        with np.load(path, allow_pickle=False) as arrays:
            if str(arrays["recipe"]) != recipe:
                return {}  # of other weights
            done: dict[str, list[Example]] = {str(key): [] for key in arrays["empty"]}
            rows = zip(
                arrays["keys"], arrays["features"], arrays["text"], arrays["numbers"], strict=True
            )
            for key, features, text, numbers in rows:
                done.setdefault(str(key), []).append(_example(features, text, numbers))
    except (KeyError, IndexError, ValueError, OSError, EOFError, zipfile.BadZipFile):
        return {}  # cut off by a kill: begun anew
    return done


def _example(
    features: npt.NDArray[np.float16], text: npt.NDArray[np.str_], numbers: npt.NDArray[np.float64]
) -> Example:
    group, source, name, kind = map(str, text)
    views, plain, lying, degrees = map(float, numbers[:4])
    quality, stance = numbers[4:8], numbers[8:18]
    return Example(
        features[: int(views)].astype(np.float32),
        group,
        source,
        plain=bool(plain),
        name=name,
        kind=kind or None,
        lying=None if np.isnan(lying) else int(lying),
        degrees=None if np.isnan(degrees) else degrees,
        quality=None if np.isnan(quality).any() else ImageQuality(*map(float, quality)),
        stance=None if np.isnan(stance[0]) else _stance_of(stance),
        film_size=(int(numbers[18]), int(numbers[19])),
        letters=None if np.isnan(numbers[20]) else int(numbers[20]),
    )
