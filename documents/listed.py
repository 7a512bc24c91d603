"""Lists of words, as YAML."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's reads ten times as fast; not every build has it."""


class _Loader(_LOADER):  # type: ignore[misc]
    """Refuses a key that stands twice in one mapping: of two values YAML would keep the last, and say nothing."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[Any] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise yaml.constructor.ConstructorError(
                    "while reading a mapping", node.start_mark, f"{key.value!r} stands twice", key.start_mark
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)  # type: ignore[no-any-return]


def listed(path: Path) -> Any:
    """What a YAML file holds.

    Raises:
        OSError, yaml.YAMLError: it cannot be read, or a key stands twice in it.
    """
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)
