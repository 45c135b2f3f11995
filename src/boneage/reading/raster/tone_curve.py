"""The curve of grey levels that a file states, where it is not that of a display.

Images are shown, and were trained on, in levels encoded for a display (gamma 2.2, or sRGB, which
differs little). A file may state that its levels are others, such as linear in light, which looks
far darker. PNG states a gamma (gAMA)
or a code (cICP); PNG, JPEG, TIFF and WebP may hold an ICC profile; TIFF may
hold a transfer function.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from boneage.domain.findings import Finding
from boneage.domain.radiograph import Pixels

DISPLAY_GAMMA = 2.2
LEVELS = 65_536
"""Of the curve: it has each level of 8 and of 16 bits."""
ALIKE = 0.02
"""Of 1: levels that a curve moves by less are the display's, rounded (profiles of
sRGB and of gamma 2.2 among them)."""
GAMMA_ALIKE = 0.05
"""Part by which the gamma of a PNG may differ from the display's (libpng's own bound)."""
LEAST_GAMMA, MOST_GAMMA = 0.1, 10.0
CICP_LINEAR, CICP_DISPLAY = 8, frozenset((1, 2, 4, 6, 13, 14, 15))
"""Transfer characteristics of ITU-T H.273; 2 is 'unspecified'."""


@dataclass(frozen=True, eq=False)
class ToneCurve:
    """From stored levels to those of a display."""

    finding: Finding
    table: npt.NDArray[np.float64] | None = None
    """Levels for a display, 0 to 1, of stored levels evenly from 0 to 1; None: not known."""

    def applied(self, values: npt.NDArray[Any], white: float) -> Pixels:
        """Give levels for a display, 0 to 1, of values from 0 to white."""
        if self.table is None:
            raise ValueError("a curve that is not known cannot be applied")
        stored = np.linspace(0.0, 1.0, len(self.table))
        if values.dtype.kind == "u":
            levels = np.interp(np.linspace(0.0, 1.0, int(white) + 1), stored, self.table)
            return np.asarray(levels.astype(np.float32)[values])
        return np.interp(values / white, stored, self.table).astype(np.float32)


def unread_curve(what: str) -> ToneCurve:
    """A curve that a file states and that is not applied."""
    return ToneCurve(
        Finding.warning(
            "grey_curve_ignored",
            f"The file states {what}, which is not applied: its grey levels may differ from "
            "those shown by a viewer",
        )
    )


def curve_of_gamma(gamma: float) -> ToneCurve | None:
    """Take a PNG's gamma: samples are light to that power; None where it is the usual one."""
    if abs(gamma * DISPLAY_GAMMA - 1) < GAMMA_ALIKE:
        return None
    if not LEAST_GAMMA <= gamma <= MOST_GAMMA:
        return unread_curve(f"a gamma of {gamma:g}")
    levels = np.linspace(0.0, 1.0, LEVELS) ** (1 / (gamma * DISPLAY_GAMMA))
    return ToneCurve(_applied(f"a gamma of {gamma:g}"), levels)


def curve_of_cicp(transfer: int) -> ToneCurve | None:
    if transfer in CICP_DISPLAY:
        return None
    return (
        curve_of_gamma(1.0)
        if transfer == CICP_LINEAR
        else unread_curve(f"transfer characteristics {transfer}")
    )


def curve_of_table(table: npt.NDArray[Any], levels: int) -> ToneCurve | None:
    """Take a TIFF's transfer function: the light, 0 to 65535, of each stored level."""
    what = "a transfer function"
    if table.size not in {levels, 3 * levels}:
        return unread_curve(what)
    light = table[:levels].astype(np.float64) / 65_535
    return _of_display(light, light ** (1 / DISPLAY_GAMMA), what)


def curve_of_profile(profile: bytes) -> ToneCurve | None:
    """Take an ICC profile of grey, or of RGB by its curves; None where they are a display's."""
    what = "an ICC profile"
    try:
        light = _light_of_profile(profile)
    except (struct.error, IndexError, ValueError):
        return unread_curve(f"{what} that cannot be read")
    if light is None:
        return None
    if not light.size:
        return unread_curve(f"{what} without a curve")
    with np.errstate(invalid="ignore"):
        encoded = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
        by_power = light ** (1 / DISPLAY_GAMMA)
    if _alike(by_power):
        return None
    return _of_display(light, encoded, what)


def _applied(what: str) -> Finding:
    return Finding.note(
        "grey_curve_applied",
        f"The file states {what}; its grey levels were converted to those of a display",
    )


def _of_display(
    light: npt.NDArray[np.float64], levels: npt.NDArray[np.float64], what: str
) -> ToneCurve | None:
    rises = bool(np.isfinite(light).all() and (np.diff(light) >= 0).all() and light[-1] > light[0])
    if not rises:
        return unread_curve(f"{what} that does not rise")
    levels = np.clip(levels, 0.0, 1.0)
    return None if _alike(levels) else ToneCurve(_applied(what), levels)


def _alike(levels: npt.NDArray[np.float64]) -> bool:
    return bool((np.abs(levels - np.linspace(0.0, 1.0, len(levels))) < ALIKE).all())


def _light_of_profile(profile: bytes) -> npt.NDArray[np.float64] | None:
    """Read the light of each level; None for what is no grey or RGB, empty where no curve is."""
    space, connection = profile[16:20], profile[20:24]
    if space not in {b"GRAY", b"RGB "}:
        return None
    (count,) = struct.unpack_from(">I", profile, 128)
    tags = {}
    for index in range(min(count, 100)):
        signature, start, size = struct.unpack_from(">4sII", profile, 132 + 12 * index)
        tags[signature] = profile[start : start + size]
    curve = tags.get(b"kTRC" if space == b"GRAY" else b"gTRC")
    if curve is None or b"A2B0" in tags:
        return np.zeros(0)
    levels = _icc_curve(curve)
    if space == b"GRAY" and connection == b"Lab ":
        lightness = (100 * levels + 16) / 116
        levels = np.where(lightness > 6 / 29, lightness**3, (lightness - 4 / 29) * 108 / 841)
    return levels


def _icc_curve(curve: bytes) -> npt.NDArray[np.float64]:
    stored = np.linspace(0.0, 1.0, LEVELS)
    if curve[:4] == b"curv":
        (count,) = struct.unpack_from(">I", curve, 8)
        if count == 0:
            return stored
        if count == 1:
            return np.power(stored, float(struct.unpack_from(">H", curve, 12)[0]) / 256)
        table = np.frombuffer(curve, ">u2", count, 12) / 65_535
        return np.interp(stored, np.linspace(0.0, 1.0, count), table)
    if curve[:4] != b"para":
        raise ValueError("neither a table nor a formula")
    (formula,) = struct.unpack_from(">H", curve, 8)
    sizes = (1, 3, 4, 5, 7)
    values = [v / 65_536 for v in struct.unpack_from(f">{sizes[formula]}i", curve, 12)]
    # ICC.1:2022, table 68: gamma, a, b, c, d, e, f, of which the simpler formulas have fewer.
    if formula == 0:
        return np.asarray(np.power(stored, values[0]), np.float64)
    gamma, a, b = values[:3]
    below: Any
    if formula in {1, 2}:
        offset = values[3] if formula == 2 else 0.0
        edge, below, above = -b / a if a else 0.0, offset, offset
    else:
        edge = values[4]
        above, lift = (values[5], values[6]) if formula == 4 else (0.0, 0.0)
        below = values[3] * stored + lift
    light = np.power(np.maximum(a * stored + b, 0.0), gamma) + above
    return np.asarray(np.where(stored >= edge, light, below), np.float64)
