"""The DICOM node: films come by C-STORE, answers go to a destination. Needs the extra ``node``."""
