"""The report of one film, from the answer to the bytes of its file."""

from __future__ import annotations

from dataclasses import dataclass

from boneage.domain.assessment import Assessment
from boneage.domain.radiograph import Radiograph
from boneage.i18n.words import ENGLISH, words_of
from boneage.reports.identity import NOBODY, Identity
from boneage.reports.pdf.page import report_page
from boneage.reports.pdf.pictures import report_pictures
from boneage.reports.pdf.texts import report_texts


@dataclass(frozen=True)
class ReportForm:
    """How reports are to look."""

    paper: str = "a4"
    """``"a4"`` or ``"letter"``."""
    language: str = ENGLISH
    weights_date: str | None = None
    """When the weights were made, as their manifest says."""


def report(
    answer: Assessment,
    radiograph: Radiograph,
    form: ReportForm | None = None,
    identity: Identity = NOBODY,
) -> bytes:
    """Write the report of one film.

    Parameters
    ----------
    answer : Assessment
    radiograph : Radiograph
        The film that was read.
    form : ReportForm, optional
        Default: A4, in English.
    identity : Identity, optional
        What may be said of the child. Default: nothing, not even the film's name.

    Returns
    -------
    bytes
        A PDF of one page.

    Raises
    ------
    LanguageError
        When no words ship for the language.
    """
    form = form or ReportForm()
    words = words_of(form.language)
    texts = report_texts(
        answer,
        words,
        identity,
        film=radiograph.fingerprint,
        weights_date=form.weights_date,
    )
    return report_page(texts, report_pictures(answer, radiograph, words), words, form.paper)
