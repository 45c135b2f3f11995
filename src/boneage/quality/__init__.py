"""Whether an image may be analysed, and what the reader of the result should know about it."""
