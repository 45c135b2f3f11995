"""Tools for this repository, outside the wheel: benchmarks and evidence."""
