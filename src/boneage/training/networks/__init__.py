"""The networks, in Keras 3 and nothing else."""
