"""A product as people look at it: its text, the evidence marked, and what is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

_HOLDING = frozenset(("verified", "approved", "edited"))
_COLUMNS = ("attribute", "value", "status", "confidence", "quote", "verdict")


@dataclass(frozen=True, repr=False)
class Product:
    """A product and what is known of it. texts: by field, as received. claims: each with `id`, `attribute`, `value`,
    `status`, `confidence`, `field`, `start`, `end` (characters of that field) and `quote`. summary: composed of those
    that hold; prose: in a model's own words, if one wrote any."""

    id: str
    title: str
    category: str | None
    texts: dict[str, str]
    claims: list[dict[str, Any]]
    variants: list[dict[str, Any]]
    summary: str
    prose: str | None = None

    @property
    def known(self) -> dict[str, list[str]]:
        """Attribute to the values that hold."""
        made: dict[str, list[str]] = {}
        for claim in self.claims:
            if claim["status"] in _HOLDING:
                made.setdefault(claim["attribute"], []).append(claim["value"])
        return made

    def __repr__(self) -> str:
        known = ", ".join(f"{name}: {' / '.join(values)}" for name, values in self.known.items())
        return f"<Product {self.id!r} {self.title!r}: {known or 'nothing is known yet'}>"

    def _repr_html_(self) -> str:
        parts = [f"<h4>{escape(self.title)} <small>{escape(self.id)}, {escape(self.category or '')}</small></h4>"]
        for field, text in self.texts.items():
            spans = [
                (claim["start"], claim["end"], f"{claim['attribute']}: {claim['value']}")
                for claim in self.claims
                if claim["field"] == field and claim["status"] not in ("rejected", "retired") and claim["quote"]
                if text[claim["start"] : claim["end"]] == claim["quote"]
            ]
            parts.append(f"<p><b>{escape(field)}</b> {marked(text, spans)}</p>")
        head = "".join(f"<th>{name}</th>" for name in _COLUMNS)
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(_said(claim[name]))}</td>" for name in _COLUMNS) + "</tr>"
            for claim in self.claims
        )
        parts.append(f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>")
        if self.summary:
            parts.append(f"<p>{escape(self.summary)}</p>")
        return "".join(parts)


def marked(text: str, spans: Sequence[tuple[int, int, str]]) -> str:
    """HTML of a text in which spans (of characters, each with what it tells) are marked; overlapping ones as one."""
    merged: list[tuple[int, int, list[str]]] = []
    for start, end, told in sorted(spans):
        if merged and start < merged[-1][1]:
            first, last, all_told = merged[-1]
            merged[-1] = first, max(last, end), [*all_told, told]
        else:
            merged.append((start, end, [told]))
    made, after = [], 0
    for start, end, all_told in merged:
        title = escape("; ".join(dict.fromkeys(all_told)), quote=True)
        made.append(f'{escape(text[after:start])}<mark title="{title}">{escape(text[start:end])}</mark>')
        after = end
    return "".join(made) + escape(text[after:])


def _said(value: Any) -> str:
    return "" if value is None else f"{value:.2f}" if isinstance(value, float) else str(value)
