"""reaseq: world knowledge for rankers, distilled from a catalogue and a behaviour log."""

import os as _os
from pathlib import Path as _Path

__version__ = "0.1.0"

WAITING = {"OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "2000"}
"""How OpenMP's threads wait for each other: they spin for a moment, then sleep. Spinning on, as they do by themselves, they
would take the core from the one that they wait for, wherever another process is at work (`bench/busy_machine.py`). It is
read when torch is loaded; what the environment says already stays."""
for _name, _value in WAITING.items():
    _os.environ.setdefault(_name, _value)

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
