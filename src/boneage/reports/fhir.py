"""An assessment as an HL7 FHIR R4 Observation, for a records system.

https://hl7.org/fhir/R4/observation.html. It is preliminary until a reader has decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from boneage._version import __version__
from boneage.domain.assessment import Assessment
from boneage.domain.clinical_findings import Classification, ClinicalFindings, GrowthFindings
from boneage.domain.radiograph import Sex
from boneage.domain.reported import MONTHS_DECIMALS, SDS_DECIMALS, reported
from boneage.reports.clinical_wording import CLASSIFICATIONS, classification_text
from boneage.reports.identity import ANONYMOUS, Identity
from boneage.reports.wording import DISCLAIMER, comments, standard_text

Resource = dict[str, Any]

LOINC, UCUM, SNOMED = "http://loinc.org", "http://unitsofmeasure.org", "http://snomed.info/sct"
TERMINOLOGY = "http://terminology.hl7.org/CodeSystem"
OWN_CODES = "urn:boneage:codes"
FILM_SYSTEM = "urn:boneage:film-sha256"
WEIGHTS_SYSTEM = "urn:boneage:weights-sha256"
PSEUDONYM_SYSTEM = "urn:boneage:pseudonym"
BONE_AGE_CODES = (
    {"system": LOINC, "code": "37362-1"},
    {"system": LOINC, "code": "85151-9", "display": "XR Bone age"},
)
METHOD = "estimated by neural networks from attention-detected regions of a hand radiograph"
DEVICE = "boneage"
"""The id of the contained device."""
LEVEL_DECIMALS = SHARE_DECIMALS = 2
"""Of a level in percent, and of a probability."""
INTERPRETATIONS: Mapping[Classification, tuple[str, str]] = {
    Classification.DELAYED: ("L", "Low"),
    Classification.NORMAL: ("N", "Normal"),
    Classification.ADVANCED: ("H", "High"),
}
"""Codes of HL7's observation interpretation."""


def observation(assessment: Assessment, film: str, identity: Identity = ANONYMOUS) -> Resource:
    """Describe an assessment as FHIR does.

    Of the image its fingerprint is written, not its name, which may be the child's; of the child
    only the identity, by default nothing: then there is no subject.
    """
    clinical = assessment.clinical
    growth = clinical.growth if clinical else None
    resource: Resource = {
        "resourceType": "Observation",
        "contained": [_device(assessment)],
        "status": "preliminary" if assessment.reading is None else "final",
        "category": [{"coding": [_coding("observation-category", "imaging", "Imaging")]}],
        "code": {"coding": [dict(code) for code in BONE_AGE_CODES], "text": "Bone age"},
        "subject": _subject(identity),
        "effectiveDateTime": identity.study_date and identity.study_date.isoformat(),
        "valueQuantity": _bone_age(assessment),
        "interpretation": _interpretation(growth),
        "note": [{"text": text} for text in comments(assessment)],
        "bodySite": _body_site(assessment),
        "method": {"text": f"{standard_text(assessment.sex)}; {METHOD}"},
        "device": {"reference": f"#{DEVICE}"},
        "performer": _performer(assessment),
        "referenceRange": _normal_range(growth, assessment.sex),
        "derivedFrom": _film(film, identity),
        "component": [*_components(assessment, clinical)],
    }
    return {key: value for key, value in resource.items() if value}  # empty ones are forbidden


def _device(assessment: Assessment) -> Resource:
    weights = assessment.weights
    return {
        "resourceType": "Device",
        "id": DEVICE,
        "identifier": [{"system": WEIGHTS_SYSTEM, "value": weights.sha256}],
        "deviceName": [{"name": "boneage", "type": "user-friendly-name"}],
        "modelNumber": weights.name,
        "version": [
            {"type": {"text": "software"}, "value": __version__},
            {"type": {"text": "weights"}, "value": weights.name},
        ],
        "note": [{"text": DISCLAIMER}],
    }


def _subject(identity: Identity) -> Resource | None:
    """Identify the child as far as the user chose to."""
    reference: Resource = {"type": "Patient"}
    if identity.patient_id:
        reference["identifier"] = {"value": identity.patient_id}
    if identity.pseudonym:  # takes precedence
        reference["identifier"] = {"system": PSEUDONYM_SYSTEM, "value": identity.pseudonym}
    if identity.name:
        reference["display"] = identity.name
    return reference if len(reference) > 1 else None


def _performer(assessment: Assessment) -> list[Resource]:
    """The reader who has decided, by the name that the reader gave."""
    reading = assessment.reading
    if reading is None or not reading.reader:
        return []
    return [{"type": "Practitioner", "display": reading.reader}]


def _film(film: str, identity: Identity) -> list[Resource]:
    identifier = {"system": FILM_SYSTEM, "value": film}
    found = [{"type": "Media", "identifier": identifier, "display": "Radiograph of the hand"}]
    if identity.study_uid:
        study = {"system": "urn:dicom:uid", "value": f"urn:oid:{identity.study_uid}"}
        found.append({"type": "ImagingStudy", "identifier": study, "display": "Imaging study"})
    return found


def _body_site(assessment: Assessment) -> Resource:
    side = {"L": "left hand", "R": "right hand"}.get(assessment.laterality or "", "hand")
    return {"coding": [{"system": SNOMED, "code": "85562004"}], "text": side}


def _interpretation(growth: GrowthFindings | None) -> list[Resource]:
    if growth is None or growth.classification not in INTERPRETATIONS:
        return []
    code, display = INTERPRETATIONS[growth.classification]
    coding = _coding("v3-ObservationInterpretation", code, display)
    return [{"coding": [coding], "text": classification_text(growth)}]


def _normal_range(growth: GrowthFindings | None, sex: Sex) -> list[Resource]:
    if growth is None or growth.normal_low_months is None or growth.normal_high_months is None:
        return []
    return [
        {
            "low": _months(growth.normal_low_months),
            "high": _months(growth.normal_high_months),
            "type": {"coding": [_coding("referencerange-meaning", "normal", "Normal Range")]},
            "appliesTo": [{"text": sex.value}],
            "text": f"±2 SD around the {growth.centre.value}, {growth.table}",
        }
    ]


def _components(assessment: Assessment, clinical: ClinicalFindings | None) -> Iterator[Resource]:
    if (interval := assessment.interval) is not None:
        ends = {"low": _months(interval.low_months), "high": _months(interval.high_months)}
        code = own_code("prediction-interval", "Prediction interval of the bone age")
        yield {"code": code, "valueRange": ends}
        level = quantity(100 * interval.level, "%", "%", LEVEL_DECIMALS)
        yield component("interval-level", "Level of the prediction interval", level)
    if (reading := assessment.reading) is not None:
        program = _months(reading.program_months)
        yield component("program-bone-age", "Bone age by the program alone", program)
        if reading.own_months is not None:
            own = _months(reading.own_months)
            yield component("own-reading", "The reader's reading before the program's", own)
    if assessment.chronological_age_months is not None:
        age = _months(assessment.chronological_age_months)
        yield component("chronological-age", "Chronological age", age)
    if clinical is not None and (growth := clinical.growth) is not None:
        difference = _months(growth.difference_months)
        yield component("difference", "Bone age minus chronological age", difference)
        if growth.sds is not None:
            name = f"SDS of the bone age around the {growth.centre.value}"
            yield component("sds", name, quantity(growth.sds, "SDS", "1", SDS_DECIMALS))
        for classification in INTERPRETATIONS if growth.probabilities is not None else ():
            share = getattr(growth.probabilities, classification.value)
            name = f"Probability of the classification: {CLASSIFICATIONS[classification]}"
            value = quantity(share, "probability", "1", SHARE_DECIMALS)
            yield component(f"probability-{classification.value}", name, value)
    if clinical is not None and (stature := clinical.height) is not None:
        yield component("height", "Standing height", _cm(stature.height_cm))
        for what, found in (("age", stature.for_age), ("bone-age", stature.for_bone_age)):
            if found is not None and found.sds is not None:
                sds = quantity(found.sds, "SDS", "1", SDS_DECIMALS)
                text = f"SDS of the height for {what.replace('-', ' ')}, {stature.table}"
                yield component(f"height-for-{what}-sds", text, sds)
    height = clinical.adult_height if clinical is not None else None
    if height is not None and height.predicted_cm is not None:
        name, predicted = "Predicted adult height, Bayley and Pinneau", _cm(height.predicted_cm)
        part = component("adult-height", name, predicted)
        if height.low_cm is not None and height.high_cm is not None:
            ends = {"low": _cm(height.low_cm), "high": _cm(height.high_cm)}
            part["referenceRange"] = [{**ends, "text": "±2 SD of the prediction error"}]
        yield part


def component(code: str, text: str, value: Resource) -> Resource:
    """A part of an observation: a quantity, by a code of our own."""
    return {"code": own_code(code, text), "valueQuantity": value}


def own_code(code: str, text: str) -> Resource:
    """A code of our own, where no vocabulary has one."""
    return {"coding": [{"system": OWN_CODES, "code": code, "display": text}], "text": text}


def _coding(system: str, code: str, display: str) -> Resource:
    return {"system": f"{TERMINOLOGY}/{system}", "code": code, "display": display}


def _bone_age(assessment: Assessment) -> Resource:
    """The bone age in months; of a mature hand: at least that."""
    at_least = {"comparator": ">="} if assessment.is_mature else {}
    return {**_months(assessment.age_months), **at_least}


def _months(value: float) -> Resource:
    return quantity(value, "months", "mo")


def _cm(value: float) -> Resource:
    return quantity(value, "cm", "cm")


def quantity(value: float, unit: str, code: str, decimals: int = MONTHS_DECIMALS) -> Resource:
    """A number as it is reported, with its unit."""
    return {"value": reported(value, decimals), "unit": unit, "system": UCUM, "code": code}
