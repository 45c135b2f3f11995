"""One image analysed for the dashboard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from boneage.apps.dashboard.uploads import SHOWN_PX, Choice, UploadedImage, jpeg
from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import CARPAL, Assessment, Failure, RegionDetection
from boneage.domain.orientation import Orientation
from boneage.imaging.preparing import placement
from boneage.imaging.regions import mask_of
from boneage.inference.assessor import Assessor
from boneage.inference.manifest import Manifest
from boneage.inference.networks import OnStep
from boneage.inference.session import Session, assess_case
from boneage.reports.panels import as_analysed

Mask: TypeAlias = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class AnalysedImage:
    """The assessment of one image by the visitor's choices."""

    image: UploadedImage
    choice: Choice
    assessment: Assessment
    manifest: Manifest
    """Of the weights that assessed it."""
    fingerprint: str
    preview: bytes = field(repr=False)
    """The image as analysed, upright and without its border; JPEG."""

    @property
    def orientation(self) -> Orientation:
        """How it was brought upright."""
        size = self.image.height, self.image.width
        return self.assessment.orientation or Orientation.of_whole(*size)

    def session(self) -> Session:
        """Decode the image again, for the exports."""
        return Session(self.assessment, self.image.radiograph(), self.image.data)

    def for_child(self, choice: Choice) -> AnalysedImage:
        """The same bone age, interpreted for another age or height."""
        assessment = with_clinical_findings(self.assessment, choice.child)
        return replace(self, choice=choice, assessment=assessment)


Outcome: TypeAlias = AnalysedImage | Failure


def analyse_image(
    assessor: Assessor,
    image: UploadedImage,
    choice: Choice,
    on_step: OnStep | None = None,
    *,
    force: bool = False,
) -> Outcome:
    """Assess one image, forced or not; a `WeightsError` when every image would fail."""
    session = assess_case(
        assessor, image.file(), sex=choice.sex, child=choice.child, force=force, on_step=on_step
    )
    if isinstance(session.outcome, Failure):
        return session.outcome
    found, radiograph = session.outcome, session.image
    oriented = found.orientation or Orientation.of_whole(radiograph.height, radiograph.width)
    preview = jpeg(as_analysed(radiograph, oriented, SHOWN_PX))
    manifest, fingerprint = assessor.weights.manifest, session.fingerprint
    return AnalysedImage(image, choice, found, manifest, fingerprint, preview)


def blacked_out_mask(
    detections: Sequence[RegionDetection],
    step: int,
    size: tuple[int, int],
    manifest: Manifest,
    orientation: Orientation | None = None,
) -> Mask:
    """What one step blacks out, over an image of this size as uploaded, in the heat maps' shape."""
    canvas = manifest.networks["attention"].input
    if canvas is None:  # read_manifest has checked
        raise ValueError("the manifest states no input size for the attention network")
    oriented = orientation or Orientation.of_whole(*size)
    place = placement(*oriented.size, canvas, manifest.preparation.fit)
    black = np.zeros(canvas, dtype=bool)
    for detection in detections[:step]:
        extent = manifest.plan.carpal_mask if detection.region == CARPAL else "box"
        box = place.to_canvas(oriented.box_upright(detection.box), *oriented.size)
        black |= mask_of(box, canvas, extent)
    upright = black[place.top : place.top + place.height, place.left : place.left + place.width]
    return oriented.map_on_film(upright.astype(np.float32), size) > 0
