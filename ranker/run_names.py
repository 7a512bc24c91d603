"""Names that people give to runs. A run is known by its id, which its configuration and data make; a name is a file in
its folder, changes nothing, and stands for the newest of the runs that have it."""

import re
from pathlib import Path

from reaseq import ReaseqError

_FILE = "name.txt"
_NAME = re.compile(r"[\w.-]{1,60}")


def checked(name: str) -> str:
    """A name as it is written.

    Raises:
        ReaseqError: it cannot be one.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        told = f"{name!r} is no name of a run: letters, digits, dots and hyphens, sixty at most"
        raise ReaseqError(told, hint="a name such as baseline")
    return name


def give(folder: Path, name: str) -> None:
    """Name the run of the folder; the name that it had is gone."""
    (folder / _FILE).write_text(f"{checked(name)}\n", encoding="utf-8")


def name_of(folder: Path) -> str | None:
    try:
        return (folder / _FILE).read_text(encoding="utf-8").strip() or None
    except OSError:
        return None
