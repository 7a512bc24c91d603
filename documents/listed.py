"""Lists of words, as YAML."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from reaseq.documents.plain_yaml import FastLoader, TextLoader


class _Once:
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
        return super().construct_mapping(node, deep=deep)  # type: ignore[misc, no-any-return]


class _Loader(_Once, FastLoader):
    pass


class _Texts(_Once, TextLoader):
    pass


def listed(path: Path, *, texts: bool = False) -> Any:
    """What a YAML file holds. texts: are numbers and `true` words, too?

    Raises:
        OSError, yaml.YAMLError: it cannot be read, or a key stands twice in it.
    """
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Texts if texts else _Loader)
