"""The values that all the rest speaks of: frozen, without files or frameworks."""
