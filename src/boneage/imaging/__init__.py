"""What happens to the pixels of a radiograph between its file and the networks."""
