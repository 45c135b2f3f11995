"""The ruler on many films: one result a film, several films at a time."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeAlias

from boneage.datasets.films import Film
from boneage.domain.assessment import Failure
from boneage.errors import BoneageError, WeightsError
from boneage.evaluation.localization.films import kind_of, read_film
from boneage.evaluation.localization.marks import Annotations
from boneage.evaluation.localization.ruler import Measured, measure
from boneage.inference.assessor import Assessor
from boneage.storage.many import in_parallel

Note: TypeAlias = Callable[[str, dict[str, Any]], None]
"""Told the film's id and what a journal should keep of it."""

BOXES, POINTS = "boxes", "points"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Ruled:
    """One film and what the ruler says of it."""

    film: Film
    source: str
    """Of its marks: ``"boxes"`` or ``"points"``."""
    readers: int
    """How many people marked it."""
    measured: Measured

    @property
    def copy(self) -> str:
        """Which copy was looked at: ``"detailed"`` or ``"squeezed"``."""
        return kind_of(self.film)


def rule_each(
    assessor: Assessor,
    films: Sequence[Film],
    annotations: Annotations,
    *,
    workers: int = 1,
    done: Mapping[str, Any] | None = None,
    note: Note | None = None,
) -> Iterator[Ruled | Failure]:
    """Find the regions of films and measure them; results in the films' order.

    Parameters
    ----------
    assessor : Assessor
        Only its attention network is used; shared by the workers.
    films : sequence of Film
        All of them marked.
    annotations : Annotations
    workers : int
        How many films at a time.
    done : mapping, optional
        What ``note`` was told before: not measured again.
    note : callable, optional
        Told of every film measured. Failures are not noted: they are tried again.

    Raises
    ------
    WeightsError
        When the weights turn out unusable: then every film would fail.
    """
    known = dict(done or {})

    def rule(film: Film) -> tuple[Film, Measured | Failure]:
        if film.id in known:
            return film, Measured(**known[film.id])
        return film, _measure(assessor, film, annotations)

    for film, result in in_parallel(rule, films, workers):
        if isinstance(result, Failure):
            yield result
            continue
        if note and film.id not in known:
            note(film.id, asdict(result))
        marks = annotations.marks[film.id]
        source = BOXES if marks[0].boxes else POINTS
        yield Ruled(film, source, len(marks), result)


def _measure(assessor: Assessor, film: Film, annotations: Annotations) -> Measured | Failure:
    try:
        radiograph = read_film(film)
        return measure(
            assessor.find_regions(radiograph),
            assessor.weights.manifest.plan,
            annotations.marks[film.id],
            annotations.proportions,
            (radiograph.height, radiograph.width),
        )
    except WeightsError:
        raise
    except BoneageError as error:
        return Failure(film.id, getattr(error, "code", "marks"), str(error))
    except Exception as error:  # a batch survives its worst film
        logger.exception("unexpected failure")
        return Failure(film.id, "unexpected", f"unexpected {type(error).__name__}: {error}")
