"""The same films changed, and how far the bone age moves."""
