"""Judging plain films and images with a gate that never saw them, as a reader would."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from boneage.domain.assessment import Finding, Verdict, verdict_on
from boneage.domain.stance import Stance
from boneage.quality.gate import UPRIGHT, Gate, Judgement, is_better_turned, likeliest_lie
from boneage.quality.suitability import FilmLimits, Seen, of_seen
from boneage.training.fit_quality.examples import FILMS, Example, Features

HAND_REFUSED, HAND_WARNED = 0.006, 0.02
"""Shares of training films whose likelihood of a hand may lie below the limits."""
RARE = 0.004
"""Share of training films that may lie beyond each of the other limits."""
LEAST_CERTAIN = 0.3
LEAST_RIGHT = 0.9
TILT_DEGREES = 20.0
"""A tilt that is worth a warning, if the gate can tell."""
ROOM = 1.25
"""How far beyond the rarest training films the limits of pixel measures lie: there are
few in a hundred, and what is to be found lies much further."""
UNLIKE_ROOM = 1.5
WORSE_CONTRAST = 3.0
"""Times less contrast than a film that is warned about: refused."""

Turn = Callable[[Example, Stance], Features]
"""Looks at a plain example once more, in another stance."""


@dataclass(frozen=True)
class Judged:
    """One plain picture, judged."""

    example: Example
    judgement: Judgement
    """As it is read: turned, where the gate would turn it."""
    stance: Stance

    def findings(self, limits: FilmLimits) -> tuple[Finding, ...]:
        """What would be found of its picture."""
        example = self.example
        if example.quality is None or example.letters is None:
            raise ValueError(f"{example.name!r} was not measured")
        measured = example.film_size, example.quality, example.letters
        return tuple(of_seen(Seen(self.stance, *measured, self.judgement, limits)))

    def verdict(self, limits: FilmLimits) -> Verdict:
        """What the gate says to it."""
        return verdict_on(self.findings(limits))


def judged(gate: Gate, example: Example, certain: float, turn: Turn) -> Judged:
    """Judge a plain example, turned first where it lies another way for certain."""
    if example.stance is None:
        raise ValueError(f"{example.name!r} is no plain picture")
    stance = example.stance
    judgement = gate.judge(example.features)
    quarters, inverted = likeliest_lie(judgement)
    if quarters or inverted:
        turned = replace(stance, quarters=quarters, inverted=inverted)
        again = gate.judge(turn(example, turned))
        if is_better_turned(judgement, again, certain):
            stance, judgement = turned, again
    return Judged(example, judgement, stance)


def certain_enough(gates: Sequence[tuple[Gate, Example]], turn: Turn) -> float:
    """How much better turned a film must lie, so that next to no plain training film is turned.

    Parameters
    ----------
    gates : sequence of (Gate, Example)
        Plain training films, each with a gate that never saw it.
    turn : callable
    """
    gains = []
    for gate, example in gates:
        before = gate.judge(example.features)
        after = judged(gate, example, LEAST_CERTAIN, turn).judgement
        gains.append(after.lying[UPRIGHT] - before.lying[UPRIGHT])
    return max(LEAST_CERTAIN, highest(gains, RARE))


def limits_of(films: Sequence[Judged], certain: float, input_px: float) -> FilmLimits:
    """Set the limits on plain training films, each judged by a gate that never saw it.

    Parameters
    ----------
    films : sequence of Judged
    certain : float
        As ``certain_enough`` gives it.
    input_px : float
        Shorter side of what the attention network sees.
    """
    hand = [film.judgement.hand for film in films]
    unlike = [film.judgement.unlikeness for film in films]
    tilt = [abs(film.judgement.tilt_degrees) for film in films]
    right = [film.judgement.right for film in films]
    qualities = [film.example.quality for film in films if film.example.quality]
    letters = [film.example.letters for film in films if film.example.letters is not None]
    contrast = lowest([quality.contrast for quality in qualities], RARE) / ROOM
    return FilmLimits(
        hand_refused=min(lowest(hand, HAND_REFUSED), 0.5),
        hand_warned=lowest(hand, HAND_WARNED),
        unlikeness_refused=max(unlike) * UNLIKE_ROOM,
        unlikeness_warned=highest(unlike, RARE),
        lying_certain=certain,
        tilt_warned_degrees=max(TILT_DEGREES, highest(tilt, RARE)),
        right_warned=max(LEAST_RIGHT, highest(right, RARE)),
        contrast_refused=contrast / WORSE_CONTRAST,
        contrast_warned=contrast,
        white_warned=highest([quality.white for quality in qualities], RARE) * ROOM,
        noise_warned=highest([quality.noise for quality in qualities], RARE) * ROOM,
        sharpness_warned=lowest([quality.sharpness for quality in qualities], RARE) / ROOM,
        side_warned_px=input_px,
        letters_warned=highest(letters, RARE),
    )


def lowest(values: Sequence[float], share: float) -> float:
    """A value that at most this share of the values lies below."""
    return float(np.quantile(values, share, method="lower"))


def highest(values: Sequence[float], share: float) -> float:
    """A value that at most this share of the values lies above."""
    return float(np.quantile(values, 1 - share, method="higher"))


def is_film(example: Example) -> bool:
    """Whether an example is a labelled film as it came."""
    return example.plain and example.source == FILMS
