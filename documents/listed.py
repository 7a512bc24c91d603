"""Lists of words that ship with the code, as YAML."""

from pathlib import Path
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's reads ten times as fast; not every build has it."""


def listed(path: Path) -> Any:
    """What a YAML file holds.

    Raises:
        OSError, yaml.YAMLError: it cannot be read.
    """
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)
