"""From stored values to what is shown: modality, VOI, inversion, padding."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from boneage import read
from boneage.domain.findings import Severity
from tests.reading.drawn import DEEP, dicom, stretched

VALUES = DEEP.astype(np.float64)


def shown(**elements: Any) -> Any:
    return shown_of(DEEP, 12, **elements)


def shown_of(pixels: npt.NDArray[Any], bits: int, **elements: Any) -> Any:
    return read(dicom(pixels, bits, **elements)).pixels


def same(pixels: Any, expected: Any) -> None:
    """Alike but for the line from black to white, which is always the whole range."""
    np.testing.assert_allclose(stretched(pixels), stretched(np.asarray(expected)), 0, 1e-5)


def table(first: int, bits: int, entries: npt.NDArray[Any], *, packed: bool = False) -> Sequence:
    item = Dataset()
    count = len(entries) % 2**16  # 65,536 is written as 0
    item.add_new(0x00283002, "US" if first >= 0 else "SS", [count, first, bits])
    data = entries.astype("<u1" if packed else "<u2").tobytes()
    item.add_new(0x00283006, "OW", data)
    return Sequence([item])


def test_no_voi_is_the_range_of_the_values() -> None:
    same(shown(), stretched(DEEP))
    same(shown(RescaleSlope="2.5", RescaleIntercept="-1000"), stretched(DEEP))


def test_linear_window() -> None:
    expected = np.clip((VALUES - (1_400 - 0.5)) / (2_400 - 1) + 0.5, 0, 1)
    same(shown(WindowCenter="1400", WindowWidth="2400"), expected)
    same(shown(WindowCenter="1400", WindowWidth="2400", VOILUTFunction="LINEAR"), expected)


def test_linear_exact_window() -> None:
    expected = np.clip((VALUES - 1_400) / 2_400 + 0.5, 0, 1)
    window = {"WindowCenter": "1400", "WindowWidth": "2400"}
    same(shown(**window, VOILUTFunction="LINEAR_EXACT"), expected)


def test_sigmoid_window() -> None:
    expected = 1 / (1 + np.exp(-4 * (VALUES - 1_400) / 2_400))
    window = {"WindowCenter": "1400", "WindowWidth": "2400"}
    same(shown(**window, VOILUTFunction="SIGMOID"), expected)


def test_a_window_is_of_rescaled_values() -> None:
    expected = np.clip((VALUES * 2 - 1_000 - (1_800 - 0.5)) / 4_799 + 0.5, 0, 1)
    rescale = {"RescaleSlope": "2", "RescaleIntercept": "-1000"}
    same(shown(**rescale, WindowCenter="1800", WindowWidth="4800"), expected)


def test_a_window_of_signed_values() -> None:
    signed = (DEEP.astype(np.int32) - 2_000).astype(np.int16)
    expected = np.clip((VALUES - 1_400 + 0.5) / 2_399 + 0.5, 0, 1)
    same(shown_of(signed, 16, WindowCenter="-600", WindowWidth="2400"), expected)


def test_the_first_of_several_windows() -> None:
    several = shown(WindowCenter=["1400", "100"], WindowWidth=["2400", "10"])
    same(several, shown(WindowCenter="1400", WindowWidth="2400"))


@pytest.mark.parametrize(
    ("centre", "width"),
    [
        ("2000", "0"),
        ("2000", "-5"),
        ("2000", "0.5"),
        ("2000", "1"),
        ("120", "20"),
        ("90000", "10"),
        ("1e300", "1e300"),
        ("0", "1e12"),
    ],
)
def test_a_window_that_shows_nothing_is_passed_over(centre: str, width: str) -> None:
    same(shown(WindowCenter=centre, WindowWidth=width), stretched(DEEP))


@pytest.mark.parametrize("slope", ["0", "1e200"])
def test_a_rescaling_that_makes_no_sense_is_passed_over(slope: str) -> None:
    same(shown(RescaleSlope=slope, RescaleIntercept="5"), stretched(DEEP))


def test_voi_lut() -> None:
    entries = np.sqrt(np.linspace(0, 1, 4_096)) * 1_023
    same(shown(VOILUTSequence=table(0, 10, entries)), entries.astype(int)[DEEP] / 1_023)


def test_voi_lut_comes_before_a_window() -> None:
    entries = np.arange(4_096)
    lut = table(0, 12, entries)
    same(shown(VOILUTSequence=lut, WindowCenter="1", WindowWidth="2"), VALUES / 4_095)


def test_voi_lut_outside_its_range() -> None:
    entries = np.arange(2_400)
    expected = np.clip(VALUES - 200, 0, 2_399)
    same(shown(VOILUTSequence=table(200, 12, entries)), expected)


def test_voi_lut_with_packed_8_bit_entries() -> None:
    entries = np.arange(4_096) // 16
    same(shown(VOILUTSequence=table(0, 8, entries, packed=True)), entries[DEEP] / 255)


def test_voi_lut_of_65536_entries() -> None:
    entries = np.arange(65_536)
    same(shown_of(DEEP * 16, 16, VOILUTSequence=table(0, 16, entries)), DEEP * 16 / 65_535)


def test_voi_lut_that_starts_below_zero() -> None:
    signed = (DEEP.astype(np.int32) - 2_000).astype(np.int16)
    entries = np.arange(4_096)
    same(shown_of(signed, 16, VOILUTSequence=table(-2_000, 12, entries)), VALUES / 4_095)


@pytest.mark.parametrize("count", [10, 4_096])
def test_a_garbled_voi_lut_is_passed_over(count: int) -> None:
    lut = table(0, 12, np.arange(count))
    if count == 10:
        lut[0].LUTDescriptor = [4_096, 0, 12]  # states more than it has
    else:
        del lut[0].LUTDescriptor
    same(shown(VOILUTSequence=lut), stretched(DEEP))


def test_modality_lut() -> None:
    entries = 4_095 - np.arange(4_096)
    window = {"WindowCenter": "2798", "WindowWidth": "2600", "VOILUTFunction": "LINEAR_EXACT"}
    expected = np.clip((4_095 - VALUES - 2_798) / 2_600 + 0.5, 0, 1)
    same(shown(ModalityLUTSequence=table(0, 12, entries), **window), expected)


@pytest.mark.parametrize(
    "elements",
    [
        {"PhotometricInterpretation": "MONOCHROME1"},
        {"PresentationLUTShape": "INVERSE"},
        {"PhotometricInterpretation": "MONOCHROME1", "PresentationLUTShape": "INVERSE"},
    ],
)
def test_inversion_happens_once(elements: dict[str, str]) -> None:
    same(shown(**elements), 1 - stretched(DEEP))
    window = {"WindowCenter": "1300", "WindowWidth": "2600"}
    same(shown(**elements, **window), 1 - shown(**window))
    lut = table(0, 12, np.arange(4_096))
    same(shown(**elements, VOILUTSequence=lut), 1 - VALUES / 4_095)


def test_identity_is_no_inversion() -> None:
    same(shown(PresentationLUTShape="IDENTITY"), stretched(DEEP))


ROOT = np.rint(4_095 * np.sqrt(np.linspace(0, 1, 256)))


@pytest.mark.parametrize("window", [{}, {"WindowCenter": "2048", "WindowWidth": "4096"}])
def test_a_presentation_table_is_a_curve(window: dict[str, Any]) -> None:
    film = read(dicom(PresentationLUTSequence=table(0, 12, ROOT), **window))
    expected = np.interp(VALUES / 4_095, np.linspace(0, 1, 256), ROOT / 4_095)
    np.testing.assert_allclose(film.pixels, expected, rtol=0, atol=1e-3)
    assert not film.notes


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_presentation_table_that_falls_inverts_once(photometric: str) -> None:
    lut = table(0, 12, np.arange(4_096)[::-1])
    film = read(dicom(PresentationLUTSequence=lut, PhotometricInterpretation=photometric))
    same(film.pixels, 1 - stretched(DEEP))
    assert not film.notes


def test_a_presentation_table_that_does_not_fall_as_stated_is_warned_of() -> None:
    lut = table(0, 12, np.arange(4_096))
    film = read(dicom(PresentationLUTSequence=lut, PhotometricInterpretation="MONOCHROME1"))
    same(film.pixels, 1 - stretched(DEEP))
    (note,) = film.notes
    assert (note.code, note.severity) == ("presentation_doubtful", Severity.WARNING)


@pytest.mark.parametrize(
    "elements",
    [
        {"PresentationLUTShape": "LIN OD"},
        {"PresentationLUTSequence": table(0, 12, np.arange(1))},
        {"PresentationLUTSequence": table(0, 99, np.arange(4_096))},
    ],
)
def test_a_presentation_that_is_not_read_is_warned_of(elements: dict[str, Any]) -> None:
    film = read(dicom(**elements))
    same(film.pixels, stretched(DEEP))
    (note,) = film.notes
    assert (note.code, note.severity) == ("presentation_doubtful", Severity.WARNING)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_padding_is_black_and_not_part_of_the_range(photometric: str) -> None:
    padded = DEEP.copy()
    padded[:30] = 4_095
    expected = stretched(DEEP[30:])
    pixels = shown_of(padded, 12, PixelPaddingValue=4_095, PhotometricInterpretation=photometric)
    same(pixels[30:], expected if photometric == "MONOCHROME2" else 1 - expected)
    assert not pixels[:30].any()


def test_a_range_of_padding() -> None:
    padded = DEEP.copy()
    padded[:30:2], padded[1:30:2] = 1, 3
    pixels = shown_of(padded, 12, PixelPaddingValue=0, PixelPaddingRangeLimit=5)
    same(pixels[30:], stretched(DEEP[30:]))


@pytest.mark.filterwarnings("ignore:Invalid value for VR CS")
@given(
    centre=st.floats(-1e6, 1e6),
    width=st.floats(-10, 1e6),
    function=st.sampled_from(["LINEAR", "LINEAR_EXACT", "SIGMOID", "nonsense"]),
    slope=st.floats(-1e4, 1e4),
)
@example(centre=0.0, width=1e6, function="SIGMOID", slope=1e-8)
def test_any_window_gives_a_film(centre: float, width: float, function: str, slope: float) -> None:
    window = {"WindowCenter": f"{centre:.6g}", "WindowWidth": f"{width:.6g}"}
    rescale = {"RescaleSlope": f"{slope:.6g}", "RescaleIntercept": "0"}
    pixels = shown(**window, **rescale, VOILUTFunction=function)
    assert np.isfinite(pixels).all()
    assert pixels.min() >= 0
    assert pixels.max() <= 1
    assert pixels.min() < pixels.max()
