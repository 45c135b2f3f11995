"""An assessment as a DICOM structured report: TID 1500, Measurement Report.

Bone age with its interval, SDS and normal range; each region as a closed
polyline on the image itself. It is unverified and preliminary until a reader, who gives a name,
has decided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import highdicom
import numpy as np
from highdicom import sr
from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept
from pydicom.dataset import Dataset
from pydicom.sr.codedict import codes
from pydicom.uid import ExplicitVRLittleEndian

from boneage._version import __version__
from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX, Assessment, Box, RegionDetection
from boneage.domain.clinical_findings import (
    Classification,
    ClassProbabilities,
    Confidence,
    GrowthFindings,
)
from boneage.domain.radiograph import Sex
from boneage.domain.reported import MONTHS_DECIMALS, SDS_DECIMALS, reported
from boneage.reports.dicom.source import UTF_8, SourceDataset, derived_uid
from boneage.reports.wording import comments

SERIES_NUMBER = 9050
"""High, so that the series comes after those of the modality."""
LEVEL_DECIMALS = SHARE_DECIMALS = 2
"""Of a level in percent, and of a probability."""
HAS_PROPERTIES = sr.RelationshipTypeValues.HAS_PROPERTIES
CONTAINS = sr.RelationshipTypeValues.CONTAINS

OWN_SCHEME, OWN_SCHEME_NAME = "99BONEAGE", "Codes of the boneage software"
"""Of what no public scheme has a code for; the report declares it."""


def _own(value: str, meaning: str) -> CodedConcept:
    return CodedConcept(value, OWN_SCHEME, meaning)


BONE_AGE = CodedConcept("37362-1", "LN", "Bone age")
BONE_AGE_FILM = CodedConcept("24724-7", "LN", "XR Bones Views for bone age")
CHRONOLOGICAL_AGE = CodedConcept("30525-0", "LN", "Age")
METHODS: Mapping[Sex, CodedConcept] = {
    Sex.FEMALE: _own("GP-FEMALE", "Greulich and Pyle, female standard"),
    Sex.MALE: _own("GP-MALE", "Greulich and Pyle, male standard"),
}
INTERVAL_LOW = _own("INTERVAL-LOW", "Bone age, lower end of its prediction interval")
INTERVAL_HIGH = _own("INTERVAL-HIGH", "Bone age, upper end of its prediction interval")
INTERVAL_LEVEL = _own("INTERVAL-LEVEL", "Level of the prediction interval of the bone age")
PROGRAM = _own("PROGRAM", "Bone age by the program alone")
OWN_READING = _own("OWN-READING", "Bone age by the reader, before the program's was shown")
ORGANISATION = "not stated"
"""Of the reader: DICOM requires one (PS3.3, C.17.2)."""
UNCALIBRATED = _own("UNCALIBRATED", "Bone age without site calibration")
DIFFERENCE = _own("DIFFERENCE", "Bone age minus chronological age")
HEIGHT_SDS = _own("HEIGHT-SDS", "SDS of the height for age")
HEIGHT_FOR_BONE_AGE_SDS = _own("HEIGHT-FOR-BONE-AGE-SDS", "SDS of the height for bone age")
ADULT_HEIGHT = _own("ADULT-HEIGHT", "Predicted adult height, Bayley and Pinneau")
ADULT_HEIGHT_LOW = _own("ADULT-HEIGHT-LOW", "Predicted adult height, minus two SD")
ADULT_HEIGHT_HIGH = _own("ADULT-HEIGHT-HIGH", "Predicted adult height, plus two SD")
REGION_ALONE = _own("REGION-ALONE", "Regional estimate of the bone age")
ATTENTION_FOUND = _own("ATTENTION-FOUND", "Region detected by attention")
CLASSIFICATION = _own("VERDICT", "Bone age against chronological age")
CLASSIFICATIONS: Mapping[Classification, CodedConcept] = {
    one: _own(one.name, one.name.capitalize()) for one in Classification
}
CONFIDENCE = _own("CONFIDENCE", "Confidence of the classification")
CONFIDENCES: Mapping[Confidence, CodedConcept] = {
    Confidence.HIGH: _own("HIGH", "High"),
    Confidence.LOW: _own("LOW", "Low: the prediction interval crosses a limit"),
}
PROBABILITIES: Mapping[Classification, CodedConcept] = {
    Classification.DELAYED: _own("P-DELAYED", "Probability: delayed"),
    Classification.NORMAL: _own("P-NORMAL", "Probability: within normal limits"),
    Classification.ADVANCED: _own("P-ADVANCED", "Probability: advanced"),
}
SITES = {CARPAL: codes.SCT.Carpus, METACARPAL: codes.SCT.Metacarpus, PHALANX: codes.SCT.Finger}
HAND = codes.SCT.Hand
SIDES = {"L": codes.SCT.Left, "R": codes.SCT.Right}
MONTH, CENTIMETRE = codes.UCUM.Month, codes.UCUM.Centimeter
PERCENT, NO_UNIT = codes.UCUM.Percent, codes.UCUM.NoUnits


def structured_report(assessment: Assessment, source: SourceDataset) -> sr.ComprehensiveSR:
    """Write an assessment as a structured report in the study of its image.

    With ``clinical``, the report holds the SDS, the normal range and the adult height. It is a
    dataset of a new series.
    """
    reader = assessment.reading.reader.replace("^", " ") if assessment.reading else ""
    verified = bool(reader)  # DICOM requires the name of who verifies
    groups: list[
        sr.MeasurementsAndQualitativeEvaluations | sr.PlanarROIMeasurementsAndQualitativeEvaluations
    ] = [_bone_age(assessment, source)]
    groups += [_region(detection, assessment, source) for detection in assessment.detections]
    content = sr.MeasurementReport(
        observation_context=sr.ObservationContext(_observer(assessment)),
        procedure_reported=BONE_AGE_FILM,
        imaging_measurements=groups,
    )
    return sr.ComprehensiveSR(
        evidence=[source],
        content=content,
        series_instance_uid=highdicom.UID(),
        series_number=SERIES_NUMBER,
        series_description="Bone age, measurements (boneage)",
        sop_instance_uid=highdicom.UID(),
        instance_number=1,
        manufacturer="boneage",
        manufacturer_model_name=assessment.weights.name,
        software_versions=__version__,
        device_serial_number=assessment.weights.sha256,
        is_complete=True,
        is_final=verified,
        is_verified=verified,
        verifying_observer_name=reader if verified else None,
        verifying_organization=ORGANISATION if verified else None,
        transfer_syntax_uid=ExplicitVRLittleEndian,
        specific_character_set=UTF_8,
        coding_schemes=[CodingSchemeIdentificationItem(OWN_SCHEME, name=OWN_SCHEME_NAME)],
    )


def _observer(assessment: Assessment) -> sr.ObserverContext:
    # The same program with the same weights is the same observer.
    named = f"boneage {__version__} {assessment.weights.sha256}"
    return sr.ObserverContext(
        observer_type=codes.DCM.Device,
        observer_identifying_attributes=sr.DeviceObserverIdentifyingAttributes(
            uid=highdicom.UID(derived_uid(named)),
            name="boneage",
            manufacturer_name="boneage",
            model_name=assessment.weights.name,
            serial_number=assessment.weights.sha256,
        ),
    )


def _bone_age(
    assessment: Assessment, source: SourceDataset
) -> sr.MeasurementsAndQualitativeEvaluations:
    """The bone age, and its clinical interpretation."""
    growth = assessment.clinical.growth if assessment.clinical else None
    classification = []
    if growth is not None:
        classification.append(
            sr.QualitativeEvaluation(CLASSIFICATION, CLASSIFICATIONS[growth.classification])
        )
        if growth.confidence is not None:
            classification.append(
                sr.QualitativeEvaluation(CONFIDENCE, CONFIDENCES[growth.confidence])
            )
    side = SIDES.get(assessment.laterality or "")
    group = sr.MeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(highdicom.UID(), "bone age"),
        finding_type=codes.SCT.HandBone,
        finding_sites=[sr.FindingSite(HAND, laterality=side)],
        measurements=list(_measurements(assessment)),
        qualitative_evaluations=classification,
        source_images=[sr.SourceImageForMeasurementGroup.from_source_image(source)],
    )
    texts = [*comments(assessment), *([source.comment] if source.comment is not None else [])]
    group[0].ContentSequence.extend(
        sr.TextContentItem(codes.DCM.Comment, text, CONTAINS) for text in texts
    )
    return group


def _measurements(assessment: Assessment) -> Iterator[sr.Measurement]:
    growth = assessment.clinical.growth if assessment.clinical else None
    yield sr.Measurement(
        BONE_AGE,
        reported(assessment.age_months),
        MONTH,
        method=METHODS[assessment.sex],
        algorithm_id=_algorithm(assessment),
        properties=_properties(assessment, growth),
    )
    if assessment.interval is not None:
        yield _number(INTERVAL_LOW, assessment.interval.low_months)
        yield _number(INTERVAL_HIGH, assessment.interval.high_months)
        yield _number(INTERVAL_LEVEL, 100 * assessment.interval.level, PERCENT, LEVEL_DECIMALS)
    if (reading := assessment.reading) is not None:
        yield _number(PROGRAM, reading.program_months)
        if reading.own_months is not None:
            yield _number(OWN_READING, reading.own_months)
    if assessment.calibrated is not None:
        yield _number(UNCALIBRATED, assessment.calibrated.uncalibrated_months)
    if assessment.chronological_age_months is not None:
        yield _number(CHRONOLOGICAL_AGE, assessment.chronological_age_months)
    if growth is not None:
        yield _number(DIFFERENCE, growth.difference_months)
        for share, name in _shares(growth.probabilities):
            yield _number(name, share, NO_UNIT, SHARE_DECIMALS)
    stature = assessment.clinical.height if assessment.clinical else None
    if stature is not None:
        compared = (HEIGHT_SDS, stature.for_age), (HEIGHT_FOR_BONE_AGE_SDS, stature.for_bone_age)
        for name, found in compared:
            if found is not None and found.sds is not None:
                yield _number(name, found.sds, NO_UNIT, SDS_DECIMALS)
    height = assessment.clinical.adult_height if assessment.clinical else None
    if height is not None and height.predicted_cm is not None:
        yield _number(ADULT_HEIGHT, height.predicted_cm, CENTIMETRE)
        if height.low_cm is not None and height.high_cm is not None:
            yield _number(ADULT_HEIGHT_LOW, height.low_cm, CENTIMETRE)
            yield _number(ADULT_HEIGHT_HIGH, height.high_cm, CENTIMETRE)


def _shares(probabilities: ClassProbabilities | None) -> Iterator[tuple[float, CodedConcept]]:
    for classification, name in PROBABILITIES.items():
        if probabilities is not None:
            yield getattr(probabilities, classification.value), name


def _algorithm(assessment: Assessment) -> sr.AlgorithmIdentification:
    weights = assessment.weights
    parameters = [
        f"weights {weights.name}",
        f"profile {weights.profile}",
        f"sha256 of the weights {weights.sha256}",
    ]
    if assessment.calibrated is not None:
        parameters.append(f"sha256 of the calibration {assessment.calibrated.sha256}")
    family = codes.DCM.ArtificialIntelligence
    return sr.AlgorithmIdentification("boneage", __version__, parameters, family=family)


def _properties(assessment: Assessment, growth: GrowthFindings | None) -> sr.MeasurementProperties:
    """For viewers that know only the codes of the standard."""
    z_score = normal_range = None
    if growth is not None and growth.sds is not None:
        z_score = sr.MeasurementStatisticalProperties(
            [_property(codes.DCM.ZScoreOfMeasurement, growth.sds, NO_UNIT, SDS_DECIMALS)],
            description=f"SDS of the bone age around the {growth.centre.value}",
            authority=growth.table,
        )
    low, high = (growth.normal_low_months, growth.normal_high_months) if growth else (None, None)
    if growth is not None and low is not None and high is not None:
        normal_range = sr.NormalRangeProperties(
            [
                _property(codes.SCT.NormalRangeLowerLimit, low),
                _property(codes.SCT.NormalRangeUpperLimit, high),
            ],
            description=f"±2 SD around the {growth.centre.value}",
            authority=growth.table,
        )
    properties = sr.MeasurementProperties(
        measurement_statistical_properties=z_score, normal_range_properties=normal_range
    )
    if (interval := assessment.interval) is not None:
        # highdicom would state these without a unit.
        upper = codes.SCT.RangeOfUpperMeasurementUncertainty
        lower = codes.SCT.RangeOfLowerMeasurementUncertainty
        above = max(0.0, reported(interval.high_months) - reported(assessment.age_months))
        below = max(0.0, reported(assessment.age_months) - reported(interval.low_months))
        properties.extend([_property(upper, above), _property(lower, below)])
    return properties


def _property(
    name: sr.CodedConcept,
    value: float,
    unit: sr.CodedConcept = MONTH,
    decimals: int = MONTHS_DECIMALS,
) -> sr.NumContentItem:
    number = reported(value, decimals)
    return sr.NumContentItem(name, number, unit, relationship_type=HAS_PROPERTIES)


def _number(
    name: sr.CodedConcept,
    value: float,
    unit: sr.CodedConcept = MONTH,
    decimals: int = MONTHS_DECIMALS,
) -> sr.Measurement:
    return sr.Measurement(name, reported(value, decimals), unit)


def _region(
    detection: RegionDetection, assessment: Assessment, source: Dataset
) -> sr.PlanarROIMeasurementsAndQualitativeEvaluations:
    """One region on the image, and the estimate of its network."""
    alone = assessment.age_by_network.get(detection.region)
    site = SITES.get(detection.region, HAND)
    side = SIDES.get(assessment.laterality or "")
    found = codes.SCT.Yes if detection.attention_found else codes.SCT.No
    region = sr.ImageRegion(
        sr.GraphicTypeValues.POLYLINE,
        _outline(detection.box),
        sr.SourceImageForRegion.from_source_image(source),
    )
    return sr.PlanarROIMeasurementsAndQualitativeEvaluations(
        tracking_identifier=sr.TrackingIdentifier(highdicom.UID(), f"{detection.region} region"),
        referenced_region=region,
        finding_type=site,
        finding_sites=[sr.FindingSite(site, laterality=side)],
        measurements=[] if alone is None else [_number(REGION_ALONE, alone)],
        qualitative_evaluations=[sr.QualitativeEvaluation(ATTENTION_FOUND, found)],
    )


def _outline(box: Box) -> np.ndarray:
    """Go around a box, as (column, row): 0, 0 is the upper left corner of the first pixel."""
    left, top, right, bottom = box.min_col, box.min_row, box.max_col, box.max_row
    corners: Sequence[tuple[int, int]]
    corners = ((left, top), (right, top), (right, bottom), (left, bottom), (left, top))
    return np.array(corners, dtype=float)
