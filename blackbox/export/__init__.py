"""Prompts in the forms that other programs take."""

from blackbox.export.folders import FOLDER_FORMATS, export_folder
from blackbox.export.text import FORMATS, exported

__all__ = ["FOLDER_FORMATS", "FORMATS", "export_folder", "exported"]
