"""Where the attention looks, against bones that people marked."""
