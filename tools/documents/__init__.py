"""The figures in README.md, MODEL_CARD.md and docs/, written from the evidence.

Measurements are in ``docs/evidence``, the properties of the weights in their manifest,
and all text in two templates: ``figures.md.j2`` (tables between marks in README.md and
docs/) and ``model_card.md.j2`` (the whole of MODEL_CARD.md). A test fails when a document
and its evidence disagree.
"""
