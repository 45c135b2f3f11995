"""Uploaded files, read to images that can be shown, and the choices for them before analysis."""

from __future__ import annotations

import logging
import tomllib
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from io import BytesIO
from pathlib import Path, PurePath
from typing import BinaryIO, TypeAlias

from PIL import Image

from boneage.apps.dashboard.identity import NO_HEADER, PatientHeader, patient_header
from boneage.apps.dashboard.launch import UPLOAD_LIMIT_MB
from boneage.batch.cases import read_cases
from boneage.domain.assessment import Case, Failure, Finding
from boneage.domain.child import Child
from boneage.domain.radiograph import ImageMetadata, Radiograph, Sex
from boneage.errors import DataError, FilmError
from boneage.i18n.words import Words, noop
from boneage.imaging.preparing import stretch
from boneage.quality.checks import findings_of
from boneage.reading import read
from boneage.reading.source import NamedFile
from boneage.reports.panels import Rgb, as_grey, fitted
from boneage.reports.wording import sex_text
from boneage.synthetic.examples import EXAMPLES

SHOWN_PX = 1100
"""Longest side of an image that is shown at once; its full resolution follows."""
THUMBNAIL_PX = 128
JPEG_QUALITY = 90
LEAST_PACKED_BYTES, MOST_PACKED_SHARE = 2**20, 0.9
"""Files of fewer bytes, or that compression leaves larger, are held as they came."""
MOST_MEMBERS = 500
"""Of a ZIP archive."""
TABLES = (".csv", ".tsv")
ZIP_SIGNATURE = b"PK\x03\x04"
DICOMDIR = "DICOMDIR"
"""The index of a folder of DICOM files: they are found without it."""
EXAMPLE = EXAMPLES[Sex.FEMALE]

ADVICE: Mapping[str, str] = {
    code: text.format(limit=UPLOAD_LIMIT_MB)
    for code, text in tomllib.loads(
        Path(__file__).with_name("advice.toml").read_text("utf-8")
    ).items()
}
"""The remedy for a :class:`~boneage.errors.FilmError` of each code."""
DEFAULT_ADVICE = noop("Upload a PNG, JPEG, TIFF, WebP, BMP or DICOM file of one radiograph.")

logger = logging.getLogger(__name__)


class HeldFile:
    """The bytes of a file, compressed once :meth:`pack` has found that this saves much."""

    def __init__(self, data: bytes) -> None:
        self._held = (data, False)
        """The bytes, and whether they are compressed."""

    def __len__(self) -> int:
        """How many bytes are held."""
        return len(self._held[0])

    @property
    def data(self) -> bytes:
        """The file as it came."""
        held, is_packed = self._held
        return zlib.decompress(held) if is_packed else held

    def pack(self) -> None:
        """Compress it, which takes about as long as to decode the image."""
        held, is_packed = self._held
        if is_packed or len(held) <= LEAST_PACKED_BYTES:
            return
        packed = zlib.compress(held, 1)
        if len(packed) < MOST_PACKED_SHARE * len(held):
            self._held = packed, True  # in one step: another thread may read it meanwhile


@dataclass(frozen=True, eq=False)
class UploadedImage:
    """An image that can be analysed; its full resolution is held as the bytes of its file only."""

    key: str
    """Unique in the visit, unlike the name."""
    name: str
    held: HeldFile
    metadata: ImageMetadata
    header: PatientHeader
    height: int
    width: int
    preview: bytes = field(repr=False)
    """The image as decoded, stretched, made to fit ``SHOWN_PX``; JPEG."""
    thumbnail: bytes = field(repr=False)
    """Made to fit ``THUMBNAIL_PX``; JPEG."""
    digest: str = field(repr=False)
    """Of the file."""

    @property
    def data(self) -> bytes:
        """The file as it was uploaded."""
        return self.held.data

    def radiograph(self) -> Radiograph:
        """Decode the pixels once more, at full resolution."""
        return read(self.file())

    def file(self) -> BinaryIO:
        """Give the file as it was uploaded."""
        return NamedFile(self.data, self.name)

    @property
    def stem(self) -> str:
        """Its name without suffix, for what is made of it."""
        return PurePath(self.name).stem or "film"

    @property
    def is_dicom(self) -> bool:
        """Whether it has a study that a DICOM result could join."""
        return self.metadata.format.startswith("DICOM")

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Findings about the file, before a sex is chosen."""
        return findings_of(self.metadata, self.metadata.sex or Sex.FEMALE, ())

    def information(self, words: Words) -> list[tuple[str, str]]:
        """The image information, as label and value."""
        _, metadata, age = words.gettext, self.metadata, self.metadata.chronological_age_months
        spacing = metadata.pixel_spacing_mm
        sides = {"L": _("left"), "R": _("right")}
        rows = [
            (_("Sex"), sex_text(metadata.sex, words) if metadata.sex else None),
            (_("Age"), words.age(age) if age is not None else None),
            (_("Date of birth"), metadata.birth_date and words.date(str(metadata.birth_date))),
            (_("Study date"), metadata.study_date and words.date(str(metadata.study_date))),
            (_("Side"), sides.get(metadata.laterality or "")),
            (_("Body part"), metadata.body_part.lower() if metadata.body_part else None),
            (_("Format"), f"{metadata.format}, {metadata.bits} bit"),
            (
                _("Size"),
                _("{width} × {height} pixels").format(width=self.width, height=self.height),
            ),
            (_("Pixel size"), spacing and f"{spacing[1]:.3g} × {spacing[0]:.3g} mm"),
        ]
        return [(label, value) for label, value in rows if value]


@dataclass(frozen=True)
class RejectedFile:
    """A file that cannot be analysed."""

    key: str
    name: str
    code: str
    """Of the error."""
    message: str
    header: PatientHeader = NO_HEADER


def file_problem(file: RejectedFile, words: Words) -> tuple[str, str]:
    """Why a file cannot be analysed, and the remedy."""
    advice = words.by_code("advice", file.code, ADVICE.get(file.code, ""))
    return words.by_code("file", file.code, file.message), advice or words.gettext(DEFAULT_ADVICE)


@dataclass(frozen=True)
class CaseTable:
    """A table of cases that was dropped beside the images."""

    name: str
    cases: tuple[Case, ...]
    failures: tuple[Failure, ...]

    def case_of(self, name: str) -> Case | None:
        """The row that names an image, with or without folder and suffix."""
        wanted = _names(name)
        return next((one for one in self.cases if wanted & _names(str(one.film))), None)


def _names(path: str) -> set[str]:
    """The name of a file, with and without its suffix; in small letters."""
    file = PurePath(path.replace("\\", "/"))
    return {file.name.casefold(), file.stem.casefold()}


Uploaded: TypeAlias = UploadedImage | RejectedFile | CaseTable


def read_upload(key: str, name: str, data: bytes) -> Iterator[Uploaded]:
    """Read an uploaded file, its kind recognised by its content; a ZIP archive file by file."""
    base = PurePath(name.replace("\\", "/")).name
    if base.upper() == DICOMDIR or is_hidden(name):
        return
    if base.lower().endswith(TABLES):
        yield _table(key, base, data)
    elif data.startswith(ZIP_SIGNATURE):
        yield from _members(key, base, data)
    else:
        yield _image(key, base, data)


def _image(key: str, name: str, data: bytes) -> UploadedImage | RejectedFile:
    try:
        radiograph = read(NamedFile(data, name))
    except FilmError as error:
        return RejectedFile(key, name, error.code, f"{error}.", patient_header(data))
    except Exception as error:  # one bad file must not take the page down
        logger.exception("unexpected failure while a file was read")
        message = f"{name!r} cannot be read: unexpected {type(error).__name__}."
        return RejectedFile(key, name, "unexpected", message)
    grey = as_grey(stretch(radiograph.pixels))
    return UploadedImage(
        key=key,
        name=radiograph.name,
        held=HeldFile(data),
        metadata=radiograph.metadata,
        header=patient_header(data),
        height=radiograph.height,
        width=radiograph.width,
        preview=jpeg(fitted(grey, SHOWN_PX, SHOWN_PX)),
        thumbnail=jpeg(fitted(grey, THUMBNAIL_PX, THUMBNAIL_PX)),
        digest=sha256(data).hexdigest(),
    )


def _table(key: str, name: str, data: bytes) -> CaseTable | RejectedFile:
    try:
        found = [case for _line, case in read_cases(Path(name), data)]
    except DataError as error:
        message = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return RejectedFile(key, name, "table", message)
    cases = tuple(case for case in found if isinstance(case, Case))
    return CaseTable(name, cases, tuple(one for one in found if isinstance(one, Failure)))


def _members(key: str, name: str, data: bytes) -> Iterator[Uploaded]:
    """The files of a ZIP archive, as far as they are no larger than an upload may be."""
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            if not members or members[0].filename == "[Content_Types].xml":
                yield RejectedFile(key, name, "empty_archive", f"{name!r} holds no image.")
                return
            for number, member in enumerate(members[:MOST_MEMBERS]):
                if member.file_size > UPLOAD_LIMIT_MB * 10**6:
                    message = (
                        f"{member.filename!r} in {name!r} is larger than {UPLOAD_LIMIT_MB} MB."
                    )
                    yield RejectedFile(
                        f"{key}-{number}", member.filename, "too_many_bytes", message
                    )
                    continue
                yield from read_upload(f"{key}-{number}", member.filename, archive.read(member))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, zlib.error) as error:
        # RuntimeError: it has a password; NotImplementedError: another compression.
        message = f"the ZIP archive {name!r} cannot be read ({type(error).__name__})."
        yield RejectedFile(key, name, "archive", f"{message[:1].upper()}{message[1:]}")


def is_hidden(name: str) -> bool:
    """Whether a file is one that systems put beside the images."""
    parts = PurePath(name.replace("\\", "/")).parts
    return any(part.startswith(".") or part == "__MACOSX" for part in parts)


def jpeg(image: Rgb | Image.Image) -> bytes:
    """Encode a picture for the browser."""
    file = BytesIO()
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(file, "JPEG", quality=JPEG_QUALITY, subsampling=0)
    return file.getvalue()


@dataclass(frozen=True)
class Choice:
    """The standard to assess an image by, and the child's age and height if known."""

    sex: Sex | None
    chronological_age_months: float | None = None
    height_cm: float | None = None
    """Current standing height."""

    @property
    def child(self) -> Child:
        """The child's data."""
        return Child(self.chronological_age_months, height_cm=self.height_cm)
