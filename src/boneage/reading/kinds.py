"""The kind of a file, by its content."""

from __future__ import annotations

from boneage.errors import FilmError

PNG, JPEG, TIFF, WEBP, BMP, DICOM = "PNG", "JPEG", "TIFF", "WebP", "BMP", "DICOM"
FORMATS = "PNG, JPEG, TIFF, WebP, BMP or DICOM"
ACCEPTED = f"an image is a {FORMATS} file"

PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
ACCEPTED_MAGIC = (
    (128, b"DICM", DICOM),  # first: its preamble may hold the beginning of a TIFF
    (0, PNG_SIGNATURE, PNG),
    (0, b"\xff\xd8\xff", JPEG),
    *((0, magic, TIFF) for magic in (b"II*\x00", b"MM\x00*", b"II+\x00", b"MM\x00+")),
)
BMP_HEADER_SIZES = frozenset((12, 40, 52, 56, 64, 108, 124))
SHORT_LENGTH = 64
"""Of the first element of a bare dataset: a group length, a character set, a UID."""

OTHER_IMAGES = (
    (0, b"GIF8", "a GIF"),
    (0, b"\x00\x00\x00\x0cjP  ", "a JPEG 2000 image outside DICOM"),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 image outside DICOM"),
    (0, b"\x00\x00\x00\x0cJXL ", "a JPEG XL image"),
    (0, b"\xff\x0a", "a JPEG XL image"),
    (4, b"ftypheic", "a HEIC image"),
    (4, b"ftypheix", "a HEIC image"),
    (4, b"ftypmif1", "a HEIC image"),
    (4, b"ftypavif", "an AVIF image"),
    (0, b"8BPS", "a Photoshop file"),
    (0, b"v/1\x01", "an OpenEXR image"),
)
NOT_IMAGES = (
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive, or an office document"),
    (0, b"PK\x05\x06", "an empty ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"BZh", "a bzip2 archive"),
    (0, b"\xfd7zXZ\x00", "an xz archive"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (0, b"Rar!", "a RAR archive"),
    (257, b"ustar", "a tar archive"),
    (0, b"\xd0\xcf\x11\xe0", "an office document"),
    (0, b"\x89HDF", "an HDF5 file"),
    (0, b"\x93NUMPY", "a NumPy file"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
    (0, b"SQLite format 3", "a database"),
    (4, b"ftyp", "a video"),
)


def kind_of(data: bytes, name: str) -> str:
    """Give the kind of a file, one of the accepted ones.

    Raises
    ------
    FilmError
        ``"truncated"`` when it ends within its signature,
        ``"unsupported_format"`` for an image of another kind,
        ``"not_an_image"`` for anything else; the message names what it is.
    """
    kind = _accepted(data)
    if kind is not None:
        return kind
    if PNG_SIGNATURE.startswith(data):
        raise FilmError("truncated", f"{name!r} is a PNG cut off after {len(data)} bytes")
    for offset, magic, what in OTHER_IMAGES:
        if data.startswith(magic, offset):
            raise FilmError("unsupported_format", f"{name!r} is {what}; {ACCEPTED}")
    raise FilmError("not_an_image", f"{name!r} is {_other_kind(data)}; {ACCEPTED}")


def _accepted(data: bytes) -> str | None:
    for offset, magic, kind in ACCEPTED_MAGIC:
        if data.startswith(magic, offset):
            return kind
    if data.startswith(b"RIFF") and data.startswith(b"WEBP", 8):
        return WEBP
    if data.startswith(b"BM") and int.from_bytes(data[14:18], "little") in BMP_HEADER_SIZES:
        return BMP
    # Of DICOM, the preamble or its prefix may be missing, or follow something else.
    misplaced = data.startswith(b"\2\0\0\0UL\4\0", 128) or b"DICM\2\0" in data[:1024]
    return DICOM if misplaced or _bare_dataset(data) else None


def _bare_dataset(data: bytes) -> bool:
    """Whether it is a DICOM dataset without the preamble (group 0002 or 0008 first)."""
    explicit = data[4:6].isalpha() and data[4:6].isupper()
    if data[:2] in {b"\x02\x00", b"\x08\x00"} and data[3:4] == b"\x00":
        return explicit or 0 < int.from_bytes(data[4:8], "little") <= SHORT_LENGTH
    return data[:3] == b"\x00\x08\x00" and explicit


def _other_kind(data: bytes) -> str:
    for offset, magic, what in NOT_IMAGES:
        if data.startswith(magic, offset):
            return what
    head = data[:1024]
    text = _as_text(head)
    if text is None:
        return f"not an image: it begins with the bytes {head[:8].hex(' ')}"
    start = text.lstrip("\ufeff \t\r\n").lower()
    if start.startswith(("<!doctype html", "<html")):
        return "a web page (HTML)"
    if start.startswith(("<?xml", "<svg")):
        return "an XML document"
    return "text"


def _as_text(head: bytes) -> str | None:
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return head.decode("utf-16", errors="replace")
    for cut in range(4):  # the head may end within a character
        try:
            text = head[: len(head) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return text if all(c.isprintable() or c in "\t\r\n\f\ufeff" for c in text) else None
    return None
