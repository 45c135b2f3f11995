"""Options shared by subcommands, some grouped into one argument."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

import click

from boneage.clinical import stature
from boneage.clinical.bone_age_references import bone_age_reference
from boneage.domain.child import FIELDS, Child, child_of
from boneage.domain.clinical_findings import Centre
from boneage.domain.radiograph import Sex
from boneage.errors import BoneageError
from boneage.i18n.words import ENGLISH, words_of
from boneage.reports.exports import PAPERS

Command = TypeVar("Command", bound=Callable[..., Any])


class _Folder(click.Path):
    """A folder, called DIR in the help."""

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return "DIR"


class _Count(click.IntRange):
    """A number of at least one, called N in the help."""

    def get_metavar(self, *_: Any, **__: Any) -> str:
        return "N"


IN_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
IN_FOLDER = _Folder(exists=True, file_okay=False, path_type=Path)
OUT_FILE = click.Path(dir_okay=False, path_type=Path)
OUT_FOLDER = _Folder(file_okay=False, path_type=Path)
COUNT = _Count(min=1)


def parsed_by(
    parse: Callable[[str], Any],
) -> Callable[[click.Context, click.Parameter, str | None], Any]:
    """Parse an option's text where it is given; a BoneageError is wrong usage."""

    def parse_option(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Any:
        try:
            return None if text is None else parse(text)
        except BoneageError as error:
            raise click.BadParameter(str(error)) from error

    return parse_option


parse_sex = parsed_by(Sex.parse)

data_option = click.option(
    "--data",
    required=True,
    type=click.Path(exists=True, path_type=Path),
    metavar="FOLDER|TABLE",
    help="Labelled images: a folder in the layout of the RSNA challenge, or a CSV table with "
    "path, sex and boneage (months), and split if it has one.",
)

calibration_option = click.option(
    "--calibration",
    type=IN_FILE,
    help="A clinic's calibration that 'boneage calibrate' wrote, instead of $BONEAGE_CALIBRATION.",
)

weights_option = click.option(
    "--weights",
    type=IN_FOLDER,
    help="A folder of weights, instead of $BONEAGE_WEIGHTS or those that ship with boneage.",
)

workers_option = click.option(
    "--workers",
    type=COUNT,
    help="Images processed at a time. Default: one for each processor core.",
)

audit_option = click.option(
    "--audit",
    type=OUT_FILE,
    help="Append every result to this log, without names; 'boneage audit' checks it.",
)

initial_weights_option = click.option(
    "--initial-weights",
    type=IN_FOLDER,
    help="The folder of the weights files that the profile starts from.",
)


def split_option(default: str, text: str) -> Callable[[Command], Command]:
    """Which of the labelled images a command uses."""
    return click.option(
        "--split",
        type=click.Choice(["validation", "train", "all"]),
        default=default,
        show_default=True,
        help=text,
    )


def limit_option(text: str) -> Callable[[Command], Command]:
    """How many of the labelled images a command uses at most."""
    return click.option("--limit", type=COUNT, help=text)


def out_option(text: str) -> Callable[[Command], Command]:
    """The folder that a command writes into."""
    return click.option("--out", required=True, type=OUT_FOLDER, help=text)


def _grouped(
    name: str, gather: Callable[..., Any], *options: Callable[..., Any]
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Give a command several options as the one argument that ``gather`` makes of them."""

    def group(command: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(command)
        def with_group(*arguments: Any, **values: Any) -> Any:
            gathered = gather(**{one.name: values.pop(one.name) for one in grouped})
            return command(*arguments, **{name: gathered}, **values)

        for option in reversed(options):
            with_group = option(with_group)
        grouped = vars(with_group)["__click_params__"][-len(options) :]
        return with_group

    return group


def _gather_child(
    *, brush_mean: bool, sds_reference: str | None, height_reference: str | None, **values: Any
) -> Child:
    if values["height_cm"] is not None and values["height_in"] is not None:
        raise click.UsageError("give the height with --height-cm or --height-in, not both")
    reference = bone_age_reference(sds_reference)  # an unreadable one ends the command
    reference.centre(Centre.BRUSH_MEAN if brush_mean else Centre.CHRONOLOGICAL_AGE)
    stature.height_reference(height_reference)
    return child_of(
        values,
        brush_mean=brush_mean,
        sds_reference=sds_reference,
        height_reference=height_reference,
    )


def _child_option(flag: str, metavar: str, text: str) -> Callable[[Command], Command]:
    parse = FIELDS[flag.removeprefix("--").replace("-", "_")]
    return click.option(flag, metavar=metavar, callback=parsed_by(parse), help=text)


sds_reference_option = click.option(
    "--sds-reference",
    metavar="brush|atlas|FILE",
    help="What the SDS compares with: Brush Foundation children, the atlas's Tables V and VI, "
    "or a table by 'boneage reference'.  [default: $BONEAGE_SDS_REFERENCE, else brush]",
)
height_reference_option = click.option(
    "--height-reference",
    metavar="cdc|FILE",
    help="What a height compares with: the CDC's charts of 2000, or a CSV table of sex, "
    "age_months, L, M_cm and S.  [default: $BONEAGE_HEIGHT_REFERENCE, else cdc]",
)
child_options = _grouped(
    "child",
    _gather_child,
    _child_option(
        "--age",
        "AGE",
        "Chronological age at the examination: 11y4m, or months. Takes precedence over dates.",
    ),
    _child_option(
        "--birth-date",
        "YYYY-MM-DD",
        "Instead of the age; DICOM often states it. Never printed or written.",
    ),
    _child_option(
        "--study-date",
        "YYYY-MM-DD",
        "Date of the examination, where the image does not state it. Never printed or written.",
    ),
    _child_option(
        "--height-cm",
        "CM",
        "Current standing height, for the adult height prediction of Bayley and Pinneau.",
    ),
    _child_option("--height-in", "INCHES", "The same in inches."),
    click.option(
        "--brush-mean",
        is_flag=True,
        help="Centre the SDS on the mean bone age of the Brush table, not on the "
        "chronological age.",
    ),
    sds_reference_option,
    height_reference_option,
)
"""What is known of the child, as the argument ``child``."""


@dataclass(frozen=True)
class Outputs:
    """What to write for each image, and where: a file for one image, or a folder."""

    paths: Mapping[str, Path] = field(default_factory=dict)
    """By option, such as ``"--report"``."""
    paper: str = PAPERS[0]
    language: str = ENGLISH
    pseudonym: str | None = None
    identify: bool = False
    """Whether to write the patient's identity, as the image states it."""


def _gather_outputs(**values: Any) -> Outputs:
    paths = {
        f"--{name.replace('_', '-')}": values.pop(name)
        for name in ("picture", "report", "dicom_out", "fhir")
    }
    return Outputs({option: path for option, path in paths.items() if path is not None}, **values)


def _parse_pseudonym(text: str) -> str:
    if not text.strip():
        raise click.BadParameter("a pseudonym has at least one letter")
    return text


paper_option = click.option(
    "--paper",
    type=click.Choice(PAPERS, case_sensitive=False),
    default=PAPERS[0],
    show_default=True,
    help="The size of the report.",
)
language_option = click.option(
    "--language",
    metavar="en|de",
    default=ENGLISH,
    show_default=True,
    callback=parsed_by(lambda text: words_of(text.lower()).language),
    help="The language of the report.",
)
output_options = _grouped(
    "outputs",
    _gather_outputs,
    click.option(
        "--picture",
        type=OUT_FOLDER,
        help="Draw each assessment on its image, as DIR/<image>.boneage.png.",
    ),
    click.option(
        "--report",
        type=click.Path(path_type=Path),
        metavar="FILE.pdf|DIR",
        help="Write a report of one page for each image; for several images, into a folder.",
    ),
    paper_option,
    language_option,
    click.option(
        "--dicom-out",
        type=OUT_FOLDER,
        help="Write the picture and a structured report as DICOM, into the study of a DICOM image "
        "and with its patient.",
    ),
    click.option(
        "--fhir",
        type=click.Path(path_type=Path),
        metavar="FILE.json|DIR",
        help="Write an HL7 FHIR R4 Observation for each image.",
    ),
    click.option(
        "--pseudonym",
        metavar="TEXT",
        callback=parsed_by(_parse_pseudonym),
        help="Pseudonym of the child for the report, the FHIR observation and the history; "
        "a column 'pseudonym' of the table takes precedence.",
    ),
    click.option(
        "--identify",
        is_flag=True,
        help="Write name, ID and dates, as a DICOM image states them, into the report and the "
        "FHIR observation; by default neither names the child.",
    ),
)
"""What is written for each image, as the argument ``outputs``."""


@dataclass(frozen=True)
class BatchOptions:
    """How a batch is written into a folder; ``folder`` is None where it is not."""

    folder: Path | None = None
    suffix: str = ".csv"
    workers: int | None = None
    engine: str = "processes"


def _gather_batch(
    *, out: Path | None, table_format: str | None, workers: int | None, engine: str | None
) -> BatchOptions:
    if out is None and (table_format or workers or engine):
        raise click.UsageError("--format, --workers and --engine need a folder: --out RESULTS")
    return BatchOptions(out, f".{table_format or 'csv'}", workers, engine or "processes")


batch_options = _grouped(
    "batch_out",
    _gather_batch,
    click.option(
        "--out",
        type=OUT_FOLDER,
        help="For many images: write part files of rows into DIR/ages and DIR/failures, using "
        "several processes. The same command resumes where it was stopped or killed.",
    ),
    click.option(
        "--format",
        "table_format",
        type=click.Choice(["csv", "parquet"]),
        help="Format of the part files.  [default: csv]",
    ),
    click.option(
        "--workers", type=COUNT, help="Worker processes.  [default: one for each processor core]"
    ),
    click.option(
        "--engine",
        type=click.Choice(["processes", "ray"]),
        help="Work on this machine, or on a Ray cluster.  [default: processes]",
    ),
)
"""How a batch of any size is written into a folder, as the argument ``batch_out``."""
