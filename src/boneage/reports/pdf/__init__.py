"""The report of one image: a page for the patient record, in the reader's language."""
