"""Training without a part of the method, to see what it is worth."""
