"""Every way of writing an image to a file, compared by its bone age with the plain image."""

from __future__ import annotations

from collections.abc import Mapping

from tools.encodings import dicom_files, dicom_values, geometry, raster, tiff
from tools.encodings.ways import Way

MODULES = (dicom_values, dicom_files, geometry, raster, tiff)
WAYS: Mapping[str, Way] = {way.name: way for module in MODULES for way in module.WAYS}
