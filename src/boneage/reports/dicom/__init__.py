"""Answers as DICOM, in the study of the film they belong to."""
