"""The words of reports, in the languages that catalogues ship for."""
