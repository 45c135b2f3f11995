"""The DICOM node: images come by C-STORE, results go to a destination. Needs the extra ``node``."""
