"""The service: the same assessments over HTTP, for other programs. Needs the extra ``server``."""
