"""Finds the icons, sounds, templates and pages that travel with the program."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def asset(path: str) -> Traversable:
    """The file or folder at `path` in resources/: inside an installed package, else beside it in a checkout."""
    installed = files("exengine").joinpath("resources")
    checkout = Path(__file__).resolve().parent.parent / "resources"
    return (installed if installed.is_dir() else checkout).joinpath(path)
