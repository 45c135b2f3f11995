"""Accuracy, robustness, localization and ablation, and the analysis of a data set."""
