"""The public surface of `reaseq`: its names, their members and signatures, a line each.

    python scripts/surface.py           # writes tests/api/surface.txt, and says what the changelog must hold
    python scripts/surface.py --print

A change of the surface is a change of that file and of the changelog, whose newest part names the file's fingerprint.
"""

import ast
import hashlib
import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ForwardRef

import reaseq
from reaseq.api.settings import Settings

FILE = Path(__file__).resolve().parents[1] / "tests" / "api" / "surface.txt"
_SIGNS = frozenset("__enter__ __exit__ __len__ __iter__ __getitem__ __arrow_c_stream__ __reduce__".split())
"""What stands for signs, statements and protocols of others."""
_MODULES = re.compile(r"\b(?:[a-z_]+\.)+(?=[A-Z])")
"""Where a name is from."""


def surface() -> str:
    return "".join(f"{line}\n" for name in reaseq.__all__ for line in _lines(name, getattr(reaseq, name)))


def fingerprint(text: str) -> str:
    """Eight hex digits of its SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _lines(name: str, one: Any) -> Iterator[str]:
    if not isinstance(one, type):
        yield f"def {name}{_signature(one)}" if inspect.isfunction(one) else f"{name} = {_named(one)}"
        if one is reaseq.open:
            yield from (f"    {key}={field.default!r}" for key, field in sorted(Settings.model_fields.items()))
        return
    yield f"class {name}{_signature(one)}" if "__init__" in vars(one) else f"class {name}"
    members: dict[str, str] = {}
    for kind in reversed(one.__mro__):
        if kind.__module__.split(".")[0] == "reaseq":
            members |= dict(_members(kind))
    yield from (f"    {line}" for _, line in sorted(members.items()))


def _members(kind: type) -> Iterator[tuple[str, str]]:
    for name, annotation in vars(kind).get("__annotations__", {}).items():
        if not name.startswith("_"):
            yield name, f"{name}: {_named(annotation)}"
    for name in _of_instances(kind):
        yield name, name
    for name, member in vars(kind).items():
        if name.startswith("_") and name not in _SIGNS:
            continue
        function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if inspect.isfunction(function):
            awaited = "async " if inspect.iscoroutinefunction(inspect.unwrap(function)) else ""
            how = f"@{type(member).__name__} " if function is not member else ""
            yield name, f"{how}{awaited}def {name}{_signature(function)}"
        elif isinstance(member, property) or hasattr(member, "func"):
            getter: Any = member.fget if isinstance(member, property) else member.func
            yield name, f"@property {name}{_signature(getter)}"


def _of_instances(kind: type) -> Iterator[str]:
    """The attributes that `__init__` sets."""
    if not inspect.isfunction(vars(kind).get("__init__")) or kind.__init__.__qualname__.endswith("create_fn.__init__"):
        return
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(kind.__init__)))
    except OSError:
        return  # of a dataclass
    for node in ast.walk(tree):
        is_set = isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if is_set and ast.unparse(node.value) == "self" and not node.attr.startswith("_"):  # type: ignore[attr-defined]
            yield node.attr  # type: ignore[attr-defined]


def _signature(function: Any) -> str:
    found = inspect.signature(function)
    made = [
        one if one.annotation is inspect.Parameter.empty else one.replace(annotation=_Named(one.annotation))
        for one in found.parameters.values()
    ]
    told = str(found.replace(parameters=made, return_annotation=inspect.Signature.empty))
    back = found.return_annotation
    return told if back in (inspect.Signature.empty, None) else f"{told} -> {_named(back)}"


class _Named:
    """An annotation that is shown alike whether it is a text or what it names."""

    def __init__(self, annotation: Any) -> None:
        self.text = _named(annotation)

    def __repr__(self) -> str:
        return self.text


def _named(annotation: Any) -> str:
    if isinstance(annotation, ForwardRef):
        annotation = annotation.__forward_arg__
    told = annotation.strip("'\"") if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return _MODULES.sub("", told)


def main() -> None:
    text = surface()
    if "--print" in sys.argv:
        print(text, end="")
        return
    FILE.write_text(text, encoding="utf-8")
    print(f"{FILE} is written. Say in CHANGELOG.md what has changed, and that the surface is `{fingerprint(text)}`.")


if __name__ == "__main__":
    main()
