"""The analysis of a labelled data set, before anything is trained on it."""
