"""Localization: the attention's regions against bones that people marked."""
