"""``boneage synthetic``: a synthetic hand radiograph."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from boneage.apps.cli.options import OUT_FILE, parse_sex
from boneage.apps.cli.output import open_output
from boneage.domain.radiograph import Sex
from boneage.synthetic import draw
from boneage.synthetic.film import write_png, write_regions

SUFFIXES = (".png", ".dcm")
MONTHS_PER_YEAR = 12


def _check_suffix(_ctx: click.Context, param: click.Parameter, path: Path) -> Path:
    if path.suffix.lower() not in SUFFIXES:
        accepted = " or ".join(SUFFIXES)
        raise click.BadParameter(f"{str(path)!r} does not end in {accepted}", param=param)
    return path


@click.command()
@click.option(
    "--out",
    required=True,
    type=OUT_FILE,
    callback=_check_suffix,
    help="The image: .png (8-bit grey) or .dcm (12-bit DICOM).",
)
@click.option(
    "--sex",
    required=True,
    metavar="male|female",
    callback=parse_sex,
    help="The sex whose standards the bones follow.",
)
@click.option("--age-months", type=float, metavar="MONTHS", help="Bone age in months, 1 to 228.")
@click.option("--age-years", type=float, metavar="YEARS", help="Bone age in years instead.")
@click.option(
    "--rotation",
    "rotation_degrees",
    type=float,
    default=0.0,
    metavar="DEGREES",
    help="Rotate the hand clockwise from upright.",
)
@click.option(
    "--seed",
    type=int,
    default=0,
    show_default=True,
    help="A different seed draws a different hand of the same age.",
)
@click.option("--height", type=int, default=1500, show_default=True, help="Pixels.")
@click.option("--width", type=int, default=1150, show_default=True, help="Pixels.")
@click.option("--collimated", is_flag=True, help="With the black border of a collimator.")
@click.option(
    "--regions",
    "regions_out",
    type=OUT_FILE,
    help="Write the true position of every region and bone as JSON.",
)
def synthetic(
    out: Path,
    sex: Sex,
    age_months: float | None,
    age_years: float | None,
    regions_out: Path | None,
    **drawing: Any,
) -> None:
    """Draw a synthetic radiograph of a left hand.

    Ossification centres appear, grow and fuse as in the Greulich-Pyle standards
    of the age and sex. The image is marked SYNTHETIC. The same options draw the
    same image.

    Exit status: 0 when the image was drawn; 2 for wrong usage.

    \b
    boneage synthetic --age-years 10 --sex female --out synthetic.png
    """  # noqa: D301  click wants a backspace before lines it must not wrap
    film = draw(_one_age(age_months, age_years), sex, **drawing)
    with ExitStack() as stack:
        file = open_output(stack, out, "--out")
        if regions_out is not None:
            write_regions(film, out.name, open_output(stack, regions_out, "--regions"))
        if out.suffix.lower() == ".dcm":
            from boneage.synthetic.film import write_dicom  # noqa: PLC0415  needs pydicom

            write_dicom(film, file)
        else:
            write_png(film, file)


def _one_age(age_months: float | None, age_years: float | None) -> float:
    if age_years is None and age_months is not None:
        return age_months
    if age_months is None and age_years is not None:
        return age_years * MONTHS_PER_YEAR
    raise click.UsageError("give the age once, with --age-months or --age-years")
