"""Which hand an image shows: the marker network is fitted, and the warnings are measured."""
