"""What each part of the method is worth: figures, a picture, a page."""
