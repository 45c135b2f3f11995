"""Accuracy: the errors against the labels in tables and figures, and other readers'."""
