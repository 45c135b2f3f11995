"""The report of one film: a page for the file, in the reader's language."""
