"""The same films changed, and how far the answer moves."""
