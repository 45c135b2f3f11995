"""The measured numbers in README.md and MODEL_CARD.md, written from the evidence.

Nobody types a measured number. What was measured lies in ``docs/evidence``, what
is known of the weights in their manifest; README.md marks where numbers belong,
and MODEL_CARD.md is written whole. A test fails when a document and its files
disagree.
"""
