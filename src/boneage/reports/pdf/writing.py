"""The report of one image as PDF: its texts, in one language, and its pictures."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image

from boneage._version import __version__
from boneage.clinical.bone_age_references import bone_age_reference
from boneage.clinical.course import course_of
from boneage.domain.assessment import Assessment, Severity
from boneage.domain.orientation import Orientation
from boneage.domain.radiograph import Radiograph
from boneage.domain.visits import ChildRecord
from boneage.history.entry import visit_of
from boneage.i18n.words import ENGLISH, Words, words_of
from boneage.reports import clinical_wording, wording
from boneage.reports.charts import bone_age_chart
from boneage.reports.identity import ANONYMOUS, Identity
from boneage.reports.panels import as_analysed, fitted, upright_map, with_boxes, with_heat
from boneage.reports.pdf.chart import ChartDrawing
from boneage.reports.pdf.page import RegionPictures, ReportPictures, ReportTexts, report_page

FILM_PX = 1000
"""Height of the radiograph, 10 to the millimetre on the page; also its greatest width."""
REGION_PX = 480
LABEL_PX = 32


def report(
    assessment: Assessment,
    radiograph: Radiograph,
    *,
    paper: str = "a4",
    language: str = ENGLISH,
    identity: Identity = ANONYMOUS,
    weights_date: str | None = None,
) -> bytes:
    """Write the report of one image, a PDF of one page.

    Raises a `LanguageError` when no translation ships for the language.

    The paper is ``"a4"`` or ``"letter"``. Of the child only the identity is written, by default
    nothing, not even the image's name.
    """
    words = words_of(language)
    texts = report_texts(
        assessment, words, identity, film=radiograph.fingerprint, weights_date=weights_date
    )
    pictures = report_pictures(assessment, radiograph, words)
    return report_page(texts, pictures, words, paper, _chart(assessment, words))


def report_texts(
    assessment: Assessment,
    words: Words,
    identity: Identity,
    *,
    film: str,
    weights_date: str | None = None,
) -> ReportTexts:
    """Collect the texts of a report; ``film`` is the image's fingerprint."""
    _ = words.gettext
    return ReportTexts(
        title=_("Bone age report"),
        purpose=_(wording.DISCLAIMER),
        identity=_identity(identity, words),
        age=wording.bone_age_text(assessment, words),
        conclusion=clinical_wording.conclusion_text(assessment, words),
        age_details=tuple(wording.age_details(assessment, words)),
        sections=tuple(_sections(assessment, words)),
        refusals=tuple(wording.refusal_sentence(finding, words) for finding in assessment.refusals),
        warnings=_findings(assessment, Severity.WARNING, words),
        notes=_findings(assessment, Severity.NOTE, words),
        provenance=tuple(_provenance(assessment, words, film, weights_date)),
        film=film,
        reader=assessment.reading.reader if assessment.reading else "",
    )


def report_pictures(assessment: Assessment, radiograph: Radiograph, words: Words) -> ReportPictures:
    """Draw the radiograph as analysed with its regions, and each region's attention and crop."""
    size = radiograph.height, radiograph.width
    oriented = assessment.orientation or Orientation.of_whole(*size)
    grey = as_analysed(radiograph, oriented)
    small = fitted(grey, REGION_PX, REGION_PX)
    regions, upright = [], []
    for found in assessment.detections:
        heat = upright_map(found.heat_map, oriented, size, REGION_PX)
        detection = replace(found, box=oriented.box_upright(found.box), heat_map=heat)
        crop = Image.fromarray(fitted(grey[detection.box.slices], REGION_PX, REGION_PX))
        label = wording.region_label(detection, words)
        regions.append(RegionPictures(label, with_heat(small, heat), crop))
        upright.append(detection)
    film = with_boxes(fitted(grey, FILM_PX, FILM_PX), upright, oriented.size, LABEL_PX, words)
    return ReportPictures(film, tuple(regions))


def _chart(assessment: Assessment, words: Words) -> ChartDrawing | None:
    """Bone age over the normal band; None at an unknown age."""
    clinical = assessment.clinical
    if clinical is None or clinical.growth is None:
        return None
    child = ChildRecord("", assessment.sex, (visit_of(assessment),))
    reference = bone_age_reference(clinical.context.sds_reference)
    course = course_of(child, centre=clinical.context.centre, bone_ages=reference)
    return ChartDrawing(bone_age_chart(course.growth_chart, words), 0, 0)  # sized by the page


def _identity(identity: Identity, words: Words) -> tuple[wording.Entry, ...]:
    _ = words.gettext
    stated = (
        (_("Pseudonym"), identity.pseudonym),
        (_("Name"), identity.name),
        (_("Patient ID"), identity.patient_id),
        (_("Date of birth"), identity.birth_date and words.date(identity.birth_date.isoformat())),
        (_("Study date"), identity.study_date and words.date(identity.study_date.isoformat())),
    )
    return tuple((label, text) for label, text in stated if text)


def _findings(assessment: Assessment, severity: Severity, words: Words) -> tuple[str, ...]:
    found = (finding for finding in assessment.findings if finding.severity is severity)
    return tuple(wording.finding_sentence(finding, words) for finding in found)


def _sections(assessment: Assessment, words: Words) -> list[wording.EntryGroup]:
    """Growth always, for its age may be missing; height where it is known; then the details."""
    _ = words.gettext
    clinical = assessment.clinical
    entries = [
        (_("Sex"), wording.sex_text(assessment.sex, words)),
        (
            _("Chronological age"),
            clinical_wording.chronological_age(assessment, words) or _("not known"),
        ),
    ]
    if clinical is not None and clinical.growth is not None:
        entries += clinical_wording.growth_entries(clinical.growth, words)
    sections = [wording.EntryGroup(_("Clinical interpretation"), tuple(entries))]
    if clinical is not None and clinical.adult_height is not None:
        height = clinical_wording.height_entries(clinical.adult_height, words)
        if clinical.height is not None:
            height += clinical_wording.stature_entries(clinical.height, words)
        sections.append(wording.EntryGroup(_("Height"), tuple(height)))
    if clinical is not None:
        standards = clinical_wording.standards_entries(clinical.standards, words)
        sections.append(wording.EntryGroup(_("Comparison with the atlas"), tuple(standards)))
    estimates = (_("Regional estimates"), wording.regional_estimates(assessment, words))
    model = [estimates]
    if assessment.reading is not None:
        model.append((_("Reader"), wording.reading_text(assessment.reading, words)))
    return [*sections, wording.EntryGroup(_("Model"), tuple(model))]


def _provenance(
    assessment: Assessment, words: Words, film: str, weights_date: str | None
) -> list[wording.Entry]:
    _ = words.gettext
    weights = assessment.weights
    model = [weights.name, _("profile {name}").format(name=weights.profile)]
    if weights_date:
        model.append(_("of {date}").format(date=words.date(weights_date)))
    size = f"{assessment.film_height} × {assessment.film_width}"
    return [
        (_("Software"), f"boneage {__version__}"),
        (_("Model"), ", ".join(model)),
        (_("SHA-256 of the model"), weights.sha256),
        (_("SHA-256 of the image pixels"), f"{film[:32]}… ({size})"),
    ]
