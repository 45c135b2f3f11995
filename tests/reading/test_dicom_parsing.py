"""Files that derail a parser which trusts what they state: read where they can be."""

from __future__ import annotations

import gzip
import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import (
    UID,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

from boneage import read
from boneage.domain.radiograph import Radiograph
from boneage.reading.dicom.parsing import parse
from tests.reading.conftest import Refused
from tests.reading.drawn import (
    DEEP,
    bare,
    dataset,
    dicom,
    encapsulated,
    in_syntax,
    written,
)

PLAIN = dicom(PatientSex="F", StudyDate="20200310", PatientBirthDate="20100504")
META = PLAIN.index(b"DICM") + 4
BODY = META + 12 + struct.unpack("<I", PLAIN[META + 8 : META + 12])[0]
IDENTIFIER = PLAIN.index(b"\x10\x00\x20\x00LO")
ROWS = PLAIN.index(b"\x28\x00\x10\x00US")
PIXELS = PLAIN.index(b"\xe0\x7f\x10\x00OW")
GE = "1.2.840.113619.5.2"


def read_alike(data: bytes) -> Radiograph:
    """Read a file that must give the pixels and metadata of the plain one."""
    found, plain = read(data), read(PLAIN)
    np.testing.assert_array_equal(found.pixels, plain.pixels)
    assert found.metadata.sex == plain.metadata.sex
    assert found.metadata.birth_date == plain.metadata.birth_date
    return found


def codes(radiograph: Radiograph) -> list[str]:
    return [finding.code for finding in radiograph.metadata.findings]


def relabelled(data: bytes, stated: str, other: str) -> bytes:
    """State another transfer syntax, and change nothing else."""
    old, new = (
        b"UI" + struct.pack("<H", len(uid) + len(uid) % 2) + uid.encode() + b"\0" * (len(uid) % 2)
        for uid in (stated, other)
    )
    assert old in data
    return data.replace(old, new, 1)


@pytest.mark.parametrize("letters", [b"--", b"  ", b"\0\0", b"??", b"ZZ"])
@pytest.mark.parametrize("place", [IDENTIFIER, ROWS])
def test_a_value_representation_that_is_none(letters: bytes, place: int) -> None:
    assert codes(read_alike(PLAIN[: place + 4] + letters + PLAIN[place + 6 :])) == []


def test_pixels_without_a_value_representation() -> None:
    read_alike(PLAIN[: PIXELS + 4] + b"--" + PLAIN[PIXELS + 6 :])


@pytest.mark.parametrize(
    "junk",
    [
        b"\x11\x00\x10\x10UN\0\0\xff\xff\xff\x0fabcd",
        b"\x20\x00\x00\x40LO\x10\x20abcd",
        b"nothing that anybody has ever defined",
    ],
)
def test_an_element_that_cannot_be_measured_is_left_out(junk: bytes) -> None:
    assert codes(read_alike(PLAIN[:ROWS] + junk + PLAIN[ROWS:])) == ["skipped_elements"]


def test_a_private_element_without_a_value_representation() -> None:
    read_alike(PLAIN[:ROWS] + b"\x11\x00\x10\x10--\x04\x00abcd" + PLAIN[ROWS:])


def icon(*, off_by: int, defined: bool, sequence_too: bool = False) -> bytes:
    """An icon whose item is stated a little shorter, or longer, than it is."""
    image = dataset(np.zeros((64, 64), np.uint8), 8)
    del image.file_meta
    file = BytesIO()
    image.save_as(file, implicit_vr=False, little_endian=True)
    content = file.getvalue()
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(content) - off_by) + content
    head = b"\x88\x00\x00\x02SQ\0\0"
    if defined:
        return head + struct.pack("<I", len(item) - off_by * sequence_too) + item
    return head + b"\xff" * 4 + item + b"\xfe\xff\xdd\xe0\0\0\0\0"


@pytest.mark.parametrize("off_by", [0, 24, -24])
@pytest.mark.parametrize("defined", [True, False])
def test_an_icon_of_a_wrong_length(off_by: int, defined: bool) -> None:
    content = icon(off_by=off_by, defined=defined)
    assert codes(read_alike(PLAIN[:PIXELS] + content + PLAIN[PIXELS:])) == []


def test_the_pixels_of_an_icon_are_never_those_of_the_image() -> None:
    content = icon(off_by=24, defined=True, sequence_too=True)
    read_alike(PLAIN[:PIXELS] + content + PLAIN[PIXELS:])


@pytest.mark.parametrize("swapped", [True, False])
def test_the_private_syntax_of_ge(swapped: bool) -> None:
    ds = dataset(DEEP.byteswap() if swapped else DEEP)
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian
    found = read(relabelled(written(ds), ImplicitVRLittleEndian, GE))
    np.testing.assert_array_equal(found.pixels, read(PLAIN).pixels)
    assert codes(found) == []


DEFLATED = in_syntax(DeflatedExplicitVRLittleEndian)
DEFLATED_BODY = DEFLATED.index(b"DICM") + 16 + struct.unpack("<I", DEFLATED[140:144])[0]
INFLATED = zlib.decompress(DEFLATED[DEFLATED_BODY:], -zlib.MAX_WBITS)


@pytest.mark.parametrize(
    "content",
    [zlib.compress(INFLATED), gzip.compress(INFLATED), INFLATED],
    ids=["zlib", "gzip", "not deflated"],
)
def test_a_deflated_data_set_in_another_wrapping(content: bytes) -> None:
    found = read(DEFLATED[:DEFLATED_BODY] + content)
    np.testing.assert_array_equal(found.pixels, read(DEFLATED).pixels)


def test_a_deflated_data_set_in_a_wrapping_that_is_cut_off(refused: Refused) -> None:
    content = DEFLATED[:DEFLATED_BODY] + zlib.compress(INFLATED)
    refused(content[:-500], "truncated")


def test_deflated_without_its_transfer_syntax() -> None:
    deflated = zlib.compress(PLAIN[BODY:])[2:-4]
    assert "other_transfer_syntax" not in codes(read_alike(PLAIN[:BODY] + deflated))


@pytest.mark.parametrize(
    "data",
    [
        PLAIN[:META] + PLAIN[META + 12 :],
        PLAIN[: META + 8] + b"\x10\0\0\0" + PLAIN[META + 12 :],
        PLAIN[: META + 8] + b"\xff\xff\0\0" + PLAIN[META + 12 :],
        PLAIN[META:],
        PLAIN[META - 4 :],
        bytes(128) + PLAIN[META:],
        bytes(range(128)) + PLAIN[128:],
        bytes(128) + PLAIN,
        PLAIN[BODY:],
    ],
    ids=[
        *("no group length", "a shorter one", "a longer one", "no preamble", "prefix first"),
        *("no prefix", "any preamble", "two preambles", "bare"),
    ],
)
def test_file_meta_information_of_another_form(data: bytes) -> None:
    read_alike(data)


def test_file_meta_information_without_value_representations() -> None:
    meta, position = b"", META
    while position < BODY:
        long = PLAIN[position + 4 : position + 6] == b"OB"
        size = "<I" if long else "<H"
        start = position + (12 if long else 8)
        (length,) = struct.unpack_from(size, PLAIN, start - struct.calcsize(size))
        meta += PLAIN[position : position + 4] + struct.pack("<I", length)
        meta += PLAIN[start : start + length]
        position = start + length
    read_alike(PLAIN[:META] + meta + PLAIN[BODY:])


@pytest.mark.parametrize("stated", [ImplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_data_set_that_is_written_in_another_way_than_stated(stated: UID) -> None:
    found = read_alike(relabelled(PLAIN, ExplicitVRLittleEndian, stated))
    assert codes(found) == ["other_transfer_syntax"]


def test_a_data_set_without_value_representations_that_states_some() -> None:
    found = read(PLAIN[:BODY] + bare(implicit=True))
    np.testing.assert_array_equal(found.pixels, read(PLAIN).pixels)
    assert codes(found) == ["other_transfer_syntax"]


@pytest.mark.parametrize("true", [RLELossless, JPEG2000Lossless, JPEGLSLossless, JPEGLosslessSV1])
@pytest.mark.parametrize("stated", [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless])
def test_compressed_pixels_that_state_another_syntax(true: UID, stated: UID) -> None:
    plain = in_syntax(true)
    found = read(relabelled(plain, true, stated))
    np.testing.assert_array_equal(found.pixels, read(plain).pixels)
    assert codes(found) == ([] if true == stated else ["other_transfer_syntax"])


@pytest.mark.parametrize("stated", [RLELossless, JPEG2000Lossless, "1.3.46.670589.33.1"])
def test_plain_pixels_that_state_another_syntax(stated: str) -> None:
    found = read_alike(relabelled(PLAIN, ExplicitVRLittleEndian, stated))
    assert codes(found) == ["other_transfer_syntax"]


def test_old_files_from_before_dicom() -> None:
    body = bare(implicit=True)
    head = struct.pack("<HHII", 8, 0, 4, 32) + struct.pack("<HHI", 8, 0x10, 12) + b"ACR-NEMA 2.0"
    found = read(head + body[body.index(b"\x08\0\x60\0") :])
    np.testing.assert_array_equal(found.pixels, read(PLAIN).pixels)


@pytest.mark.parametrize(
    ("behind", "found"),
    [
        (b"\xfc\xff\xfc\xffOB\0\0\x10\0\0\0" + bytes(16), []),
        (bytes(1_000), []),
        (bytes(range(1, 250)), []),
        (b"abc", []),
        (PLAIN, ["more_follows"]),
        (PLAIN[BODY:], ["more_follows"]),
    ],
)
def test_what_follows_the_pixels(behind: bytes, found: list[str]) -> None:
    assert codes(read_alike(PLAIN + behind)) == found


@pytest.mark.parametrize("place", [META + 90, BODY + 100, PIXELS + 4, PIXELS + 12, PIXELS + 500])
def test_cut_off_where_it_is_cut_off(refused: Refused, place: int) -> None:
    assert "cut off" in str(refused(PLAIN[:place], "truncated"))


def test_what_is_no_data_set_is_not_cut_off(refused: Refused) -> None:
    noise = bytes(range(3, 251)) * 40
    assert "cut off" not in str(refused(PLAIN[:BODY] + noise, "damaged"))


def test_half_of_a_compressed_image_is_never_given() -> None:
    for syntax in (RLELossless, JPEG2000Lossless):
        content = in_syntax(syntax)
        parsed = parse(content[:-200])
        assert parsed.cut_off
        assert "PixelData" not in parsed.dataset
        read(content[:-8])  # only the delimiter is missing


def test_an_element_that_is_there_twice() -> None:
    found = read(PLAIN[:IDENTIFIER] + b"\x10\0\x40\0CS\2\0M " + PLAIN[IDENTIFIER:])
    assert found.metadata.sex is None
    assert codes(found) == ["several_values"]
    same = read(PLAIN[:IDENTIFIER] + b"\x10\0\x40\0CS\2\0F " + PLAIN[IDENTIFIER:])
    assert (same.metadata.sex, codes(same)) == (read(PLAIN).metadata.sex, [])


def test_a_sequence_in_a_sequence_without_lengths() -> None:
    inner, outer = Dataset(), Dataset()
    inner.CodeMeaning = "Right"
    outer.AnatomicRegionModifierSequence = [inner]
    ds = dataset(PatientSex="F", StudyDate="20200310", PatientBirthDate="20100504")
    ds.AnatomicRegionSequence = [outer]
    for element in (ds["AnatomicRegionSequence"], outer["AnatomicRegionModifierSequence"]):
        element.is_undefined_length = True
    inner.is_undefined_length_sequence_item = True
    outer.is_undefined_length_sequence_item = True
    assert read_alike(written(ds)).metadata.laterality == "R"


def test_a_frame_in_the_wrong_number_of_bytes_is_not_taken_for_plain(refused: Refused) -> None:
    content = encapsulated(dataset(), RLELossless, b"no image")
    refused(relabelled(content, RLELossless, ExplicitVRLittleEndian), "damaged")
