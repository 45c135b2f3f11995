"""All the ways, by their names."""

from __future__ import annotations

from collections.abc import Mapping

from tools.encodings import (
    dicom_display,
    dicom_stored,
    dicom_syntaxes,
    geometry,
    raster,
    tiff,
)
from tools.encodings.ways import Way

MODULES = (dicom_stored, dicom_display, dicom_syntaxes, geometry, raster, tiff)
WAYS: Mapping[str, Way] = {way.name: way for module in MODULES for way in module.WAYS}
