"""The figures in README.md, MODEL_CARD.md and docs/, written from the evidence.

Measurements lie in ``docs/evidence``, the facts about the weights in their manifest,
and all words in two templates: ``figures.md.j2`` (tables between marks in README.md and
docs/) and ``model_card.md.j2`` (the whole of MODEL_CARD.md). A test fails when a document
and its evidence disagree.
"""
