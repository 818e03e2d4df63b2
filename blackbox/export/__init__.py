"""Prompts in the forms that other programs take."""

from blackbox.export.text import FORMATS, exported

__all__ = ["FORMATS", "exported"]
