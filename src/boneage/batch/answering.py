"""One case in, its answer out: the same for one film, a batch and a cluster."""

from __future__ import annotations

from dataclasses import replace

from boneage.clinical.interpreting import with_clinical_findings
from boneage.domain.assessment import Assessment, Case, Failure
from boneage.domain.child import Child
from boneage.domain.radiograph import Sex
from boneage.errors import AgeError
from boneage.inference.assessor import Assessor


def answer_case(
    assessor: Assessor,
    case: Case | Failure,
    sex: Sex | None = None,
    child: Child | None = None,
    *,
    force: bool = False,
) -> Assessment | Failure:
    """Read the film of a case, and say what follows for the child.

    Parameters
    ----------
    assessor : Assessor
    case : Case or Failure
        A Failure, of a table's row that makes no sense, is its own answer.
    sex : Sex, optional
        Of cases that state none.
    child : Child, optional
        What is known of every child, where the case says nothing else.
    force : bool
        See :meth:`boneage.inference.assessor.Assessor.assess`.

    Returns
    -------
    Assessment or Failure
        A film that cannot be read, and a child that cannot be, are Failures.

    Raises
    ------
    WeightsError
        When the weights turn out unusable: then every film would fail.
    """
    if isinstance(case, Failure):
        return case
    answer = next(assessor.assess_many([case], sex, force=force))
    if isinstance(answer, Failure):
        return answer
    said = case.child or Child(chronological_age_months=case.chronological_age_months)
    try:
        return with_clinical_findings(answer, said.completed(child or Child()))
    except AgeError as error:
        return Failure(answer.film, "age", str(error))


def named(answer: Assessment | Failure, label: str) -> Assessment | Failure:
    """Call the film of an answer as the command or the table calls it."""
    return replace(answer, film=label)
