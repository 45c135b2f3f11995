"""The coded words of the structured report.

What a public scheme has a code for carries that; the rest is of the project's
own scheme, which the report declares.
"""

from __future__ import annotations

from collections.abc import Mapping

from highdicom.coding_schemes import CodingSchemeIdentificationItem
from highdicom.sr import CodedConcept
from pydicom.sr.codedict import codes

from boneage.domain.assessment import CARPAL, METACARPAL, PHALANX
from boneage.domain.clinical_findings import Determination
from boneage.domain.radiograph import Sex

OWN_SCHEME = "99BONEAGE"


def own_scheme() -> CodingSchemeIdentificationItem:
    """Declare the project's own codes."""
    return CodingSchemeIdentificationItem(OWN_SCHEME, name="Codes of the boneage software")


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
UNCALIBRATED = _own("UNCALIBRATED", "Bone age before a clinic's calibration")
DIFFERENCE = _own("DIFFERENCE", "Bone age less chronological age")
ADULT_HEIGHT = _own("ADULT-HEIGHT", "Predicted adult height, Bayley and Pinneau")
ADULT_HEIGHT_LOW = _own("ADULT-HEIGHT-LOW", "Predicted adult height, less two SD")
ADULT_HEIGHT_HIGH = _own("ADULT-HEIGHT-HIGH", "Predicted adult height, plus two SD")
REGION_ALONE = _own("REGION-ALONE", "Bone age by the network of this region alone")
ATTENTION_FOUND = _own("ATTENTION-FOUND", "Attention stood out in this region")
VERDICT = _own("VERDICT", "Bone age against chronological age")
VERDICTS: Mapping[Determination, CodedConcept] = {
    Determination.DELAYED: _own("DELAYED", "Delayed"),
    Determination.NORMAL: _own("NORMAL", "Normal"),
    Determination.ADVANCED: _own("ADVANCED", "Advanced"),
    Determination.INDETERMINATE: _own("INDETERMINATE", "Indeterminate"),
    Determination.UNKNOWN: _own("UNKNOWN", "Unknown"),
}
SITES = {
    CARPAL: codes.SCT.Carpus,
    METACARPAL: codes.SCT.Metacarpus,
    PHALANX: codes.SCT.Finger,
}
HAND = codes.SCT.Hand
SIDES = {"L": codes.SCT.Left, "R": codes.SCT.Right}
MONTH, CENTIMETRE = codes.UCUM.Month, codes.UCUM.Centimeter
PERCENT, NO_UNIT = codes.UCUM.Percent, codes.UCUM.NoUnits
