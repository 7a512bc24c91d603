"""reaseq: world knowledge for rankers, distilled from a catalogue and a behaviour log."""

from pathlib import Path as _Path

__version__ = "0.1.0"

# In a checkout the folders stand at the repository root. Putting the root first on the package's
# search path makes tracebacks, debuggers and coverage name `agents/...` rather than the links
# below this folder, and lets a checkout without links (Windows) run. An installed wheel holds the
# folders here, so nothing is added there.
_root = _Path(__file__).resolve().parents[2]
if (_root / "knowledge_store").is_dir() and (_root / "pyproject.toml").is_file():
    __path__.insert(0, str(_root))


class ReaseqError(Exception):
    """Something a user can put right. The message says what was wrong and where; `hint` what to type next."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint
