"""One radiograph, one age: how far writing an image in another way moves the answer."""
