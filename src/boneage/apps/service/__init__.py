"""The service: the same readings over HTTP, for other programs. Needs the extra ``server``."""
