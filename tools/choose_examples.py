"""``make examples``: choose the drawn hands that a newcomer sees first, by measurement.

Many hands are drawn and assessed with the weights that ship. One of each sex is chosen that is read
nearest to the age it was drawn for, among those with an ordinary interval and no warning. How
many were tried and how they were read goes into the evidence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path

import click
import numpy as np

from boneage.apps.cli.options import IN_FOLDER
from boneage.apps.cli.output import echo
from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.inference.session import assess_case
from boneage.storage.files import EVIDENCE_FORMAT, atomically, today, write_json, write_text
from boneage.storage.parallel import default_workers, in_parallel
from boneage.synthetic.examples import CHILDREN, Example

MOST_MONTHS = 9.0
"""A chosen hand is read within so much of the age it was drawn for."""
AGES_MONTHS = tuple(range(96, 169, 12))
"""Ages of the children whose bone age is read most."""
ORDINARY = 1.2
"""An interval is ordinary if it is widened by less."""


@dataclass(frozen=True)
class Trial:
    """A drawn hand, and how it was read."""

    example: Example
    read_months: float
    ordinary: bool
    warnings: tuple[str, ...]

    @property
    def error_months(self) -> float:
        return self.read_months - self.example.age_months

    @property
    def convinces(self) -> bool:
        """Whether it may be shown to a newcomer."""
        return self.ordinary and not self.warnings and abs(self.error_months) <= MOST_MONTHS


def tried(assessor: Assessor, seeds: int) -> Iterator[Trial]:
    """Draw and assess a hand of each sex and age for each seed."""

    def work(example: Example) -> Trial:
        answer = assess_case(assessor, example.dicom(), sex=example.sex, force=True).assessment
        interval = answer.interval
        return Trial(
            example,
            answer.age_months,
            interval is not None and interval.widening < ORDINARY,
            tuple(finding.code for finding in answer.warnings),
        )

    drawn = [Example(*each) for each in product(Sex, AGES_MONTHS, range(seeds))]
    yield from in_parallel(work, drawn, default_workers())


def chosen(trials: Sequence[Trial], sex: Sex) -> Trial:
    """The hand of a sex that is read best; ClickException when none convinces."""
    some = [trial for trial in trials if trial.example.sex is sex and trial.convinces]
    if not some:
        raise click.ClickException(f"no drawn {CHILDREN[sex]}'s hand is read well: try more seeds")
    return min(some, key=lambda trial: abs(trial.error_months))


def toml_of(examples: Sequence[Example]) -> str:
    """What ``boneage.synthetic.examples`` reads."""
    says = "# Chosen by 'make examples'; docs/evidence/examples.json says among how many.\n"
    return says + "".join(
        f"[{one.sex.value}]\nage_months = {one.age_months}\nseed = {one.seed}\n" for one in examples
    )


def readme_of(examples: Sequence[Example], tried: int) -> str:
    """The README beside the images."""
    commands = "".join(
        f"boneage synthetic --sex {one.sex.value} --age-months {one.age_months} "
        f"--seed {one.seed} --out examples/{one.file_name}.png\n"
        for one in examples
    )
    return f"""These radiographs are synthetic, and say so; no patient's. The project drew them:

```sh
{commands}```

They are those of {tried:,} drawn hands that the bundled weights read best (`make examples`).
Drawings differ from real radiographs, and most are read worse.
"""


@click.command()
@click.option("--seeds", default=40, show_default=True, type=click.IntRange(1))
@click.argument("checkout", default=Path(), type=IN_FOLDER)
def main(seeds: int, checkout: Path) -> None:
    """Choose the examples of CHECKOUT among drawn hands, of so many seeds at each age and sex."""
    assessor = Assessor(threads=1, calibration="")
    trials = list(tried(assessor, seeds))
    best = [chosen(trials, sex) for sex in CHILDREN]
    examples = [trial.example for trial in best]
    write_text(checkout / "src/boneage/synthetic/examples.toml", toml_of(examples))
    write_text(checkout / "examples/README.md", readme_of(examples, len(trials)))
    for example in examples:
        with atomically(checkout / "examples" / f"{example.file_name}.png") as file:
            example.write_png(file)
    weights = assessor.weights.name
    errors = np.array([trial.error_months for trial in trials])
    table = {
        "format": EVIDENCE_FORMAT,
        "date": today(),
        "weights": {"name": weights.name, "sha256": weights.sha256},
        "tried": len(trials),
        "convincing": sum(trial.convinces for trial in trials),
        "mae_months": round(float(np.abs(errors).mean()), 2),
        "bias_months": round(float(errors.mean()), 2),
        "chosen": [asdict(trial) for trial in best],
    }
    write_json(checkout / "docs/evidence/examples.json", table)
    for trial in best:
        echo(f"{trial.example}: read {trial.read_months:.1f} months")


if __name__ == "__main__":
    main()
