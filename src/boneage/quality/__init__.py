"""Whether an image may be analysed, and what the reader of the answer should know about it."""
