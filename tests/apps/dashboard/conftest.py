"""Films as a browser uploads them: a name and bytes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from io import BytesIO

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from boneage.apps.dashboard.analysis import AnalysedImage, analyse_image
from boneage.apps.dashboard.uploads import Choice, RejectedFile, UploadedImage, read_upload
from boneage.domain.radiograph import Sex
from boneage.inference.assessor import Assessor
from boneage.synthetic import draw
from boneage.synthetic.film import write_dicom


@pytest.fixture(autouse=True)
def _own_main() -> Iterator[None]:
    """Streamlit puts each page in place of ``__main__``, which a spawned process would run."""
    own = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = own


def admitted(key: str, name: str, data: bytes) -> UploadedImage:
    (film,) = read_upload(key, name, data)
    assert isinstance(film, UploadedImage), film
    return film


def refused(name: str, data: bytes) -> RejectedFile:
    (rejected,) = read_upload("a", name, data)
    assert isinstance(rejected, RejectedFile), rejected
    return rejected


@pytest.fixture(scope="session")
def png(grey_film: npt.NDArray[np.uint8]) -> bytes:
    """A film of 360 x 480 pixels that states nothing."""
    file = BytesIO()
    Image.fromarray(grey_film).save(file, "PNG")
    return file.getvalue()


@pytest.fixture(scope="session")
def dicom() -> bytes:
    """A film of a girl of 10 years that states her sex and both dates."""
    file = BytesIO()
    write_dicom(draw(120, Sex.FEMALE, height=400, width=300), file)
    return file.getvalue()


@pytest.fixture
def film(png: bytes) -> UploadedImage:
    return admitted("a", "hand.png", png)


@pytest.fixture
def stating_film(dicom: bytes) -> UploadedImage:
    return admitted("b", "hand.dcm", dicom)


@pytest.fixture
def answered(assessor: Assessor, film: UploadedImage) -> AnalysedImage:
    found = analyse_image(assessor, film, Choice(Sex.FEMALE, 120.0))
    assert isinstance(found, AnalysedImage)
    return found
