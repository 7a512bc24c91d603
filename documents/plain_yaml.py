"""YAML as people mean it: what looks like a word is that word.

PyYAML reads YAML 1.1, in which `no`, `on` and `12:30` are no texts and a day is a date. Here only `true`, `false`,
`null` and decimal numbers are something else than text, about as in YAML 1.2's core schema
(https://yaml.org/spec/1.2.2/#103-core-schema): of numbers those alone that YAML 1.1 takes for such too, so that what
PyYAML writes is read as it was, and 007 stays what it is. A key is always the text that stands there: `{1: yes}` is
`{"1": "yes"}`.
"""

import re
from collections.abc import Hashable
from typing import Any, cast

import yaml

_TAG = "tag:yaml.org,2002:"
_NULL = (f"{_TAG}null", re.compile(r"~|null|Null|NULL|"), ["~", "n", "N", ""])
_CORE: list[tuple[str, re.Pattern[str], list[str]]] = [
    _NULL,
    (f"{_TAG}bool", re.compile("true|True|TRUE|false|False|FALSE"), list("tTfF")),
    (f"{_TAG}int", re.compile("[-+]?(?:0|[1-9][0-9]*)"), list("-+0123456789")),
    (
        f"{_TAG}float",
        re.compile(r"(?:[-+]?[0-9]+\.[0-9]*|\.[0-9]+)(?:[eE][-+][0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"),
        list("-+0123456789."),
    ),
    (f"{_TAG}merge", re.compile("<<"), ["<"]),
]


def _resolvers(kinds: list[tuple[str, re.Pattern[str], list[str]]]) -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    """By their first characters, as PyYAML keeps them."""
    made: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for tag, pattern, firsts in kinds:
        whole = re.compile(f"(?:{pattern.pattern})$")
        for first in firsts:
            made.setdefault(first, []).append((tag, whole))
    return made


class _Keys:
    """Makes texts of all keys."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.tag != f"{_TAG}merge":
                key.tag = f"{_TAG}str"
        return cast(dict[Hashable, Any], super().construct_mapping(node, deep=deep))  # type: ignore[misc]


class PlainLoader(_Keys, yaml.SafeLoader):
    """Of what people write; see above."""

    yaml_implicit_resolvers = _resolvers(_CORE)


_FAST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's reads ten times as fast; not every build has it."""


class FastLoader(_Keys, _FAST):  # type: ignore[misc]
    """The same by libyaml, where it is there."""

    yaml_implicit_resolvers = PlainLoader.yaml_implicit_resolvers


class TextLoader(_Keys, _FAST):  # type: ignore[misc]
    """Of files that hold nothing but words: `41`, `1.50` and `true` are texts, too; what is left empty is none."""

    yaml_implicit_resolvers = _resolvers([_NULL, _CORE[-1]])


def plain_load(text: str) -> Any:
    """What a YAML text holds.

    Raises:
        yaml.YAMLError, ValueError, RecursionError: it is none, or nothing that can be made.
    """
    return yaml.load(text, Loader=PlainLoader)
