"""An assessment as DICOM files, in the study of its image."""
