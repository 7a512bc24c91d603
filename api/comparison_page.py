"""A comparison of two versions of a prompt as one page of HTML, which needs nothing else and can be sent round."""

from __future__ import annotations

import base64
import hashlib
from html import escape
from typing import TYPE_CHECKING

from reaseq.graphs.comparison import ATTRIBUTE_LEVEL
from reaseq.prompts.library import neutral

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reaseq.agents.paired_score import Paired
    from reaseq.graphs.comparison import AttributeChange, Comparison, Difference, Side, Value

_LONGEST = 300
"""Characters of one text of a stranger's."""
_KINDS = ("lost", "changed", "verdict", "gained")
_WIDE = 160
"""Pixels of the picture of an interval."""

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --worse: #c0392b; --better: #1e8449; --dim: #777; }
body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 76rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; width: 100%; } .scroll { overflow-x: auto; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--line); }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.worse { color: var(--worse); } .better { color: var(--better); }
.dim, .status { color: var(--dim); font-size: .86em; } td { overflow-wrap: anywhere; }
mark { background: #f7dc6f; color: #222; padding: 0 .1em; }
form { position: sticky; top: 0; background: Canvas; padding: .6rem 0; display: flex; gap: 1rem; flex-wrap: wrap; }
svg { vertical-align: middle; }
"""

_SCRIPT = """
const form = document.querySelector("form"), rows = [...document.querySelectorAll("#differences tbody tr")];
const shown = document.querySelector("output");
function filter() {
  const wanted = new FormData(form), kinds = new Set(wanted.getAll("kind"));
  const words = wanted.get("words").toLowerCase(), attribute = wanted.get("attribute"), judged = wanted.get("judged");
  let count = 0;
  for (const row of rows) {
    const { kind, attribute: mine, judged: is } = row.dataset;
    const fits = kinds.has(kind) && (!attribute || attribute === mine) && (!judged || judged === is)
      && (!words || row.textContent.toLowerCase().includes(words));
    row.hidden = !fits;
    count += fits;
  }
  shown.value = `${count} of ${rows.length}`;
}
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
filter();
"""


def page(made: Comparison) -> str:
    """The whole page. Strangers' texts are escaped, and its policy lets no other script run, nor anything be loaded."""
    digest = base64.b64encode(hashlib.sha256(_SCRIPT.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    title = f"{made.agent} on {made.category}"
    return "".join(
        (
            '<!doctype html><html lang="en"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{escape(policy, quote=True)}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{_text(title)}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{_text(title)}: what the edit changes</h1>",
            f"<p>{_text(made.in_words(), longest=4000)}</p>",
            *_notes(made),
            *_ranker(made),
            "<h2>Both versions</h2>",
            _sides(made),
            "<h2>By attribute</h2><p class=dim>p: permutation test, held against all attributes (Holm).</p>",
            _attributes(made.attributes),
            f"<h2>What is otherwise ({len(made.differences):,}), worst first</h2>",
            _form(made),
            _differences(made.differences),
            f"<script>{_SCRIPT}</script></body></html>",
        )
    )


def _text(text: object, longest: int = _LONGEST) -> str:
    said = neutral("" if text is None else str(text))
    return escape(said if len(said) <= longest else f"{said[:longest]}…")


def _notes(made: Comparison) -> Iterable[str]:
    for said in filter(None, (made.full_run(), made.cut_short())):
        yield f"<p>{_text(said, longest=4000)}</p>"
    for product_id, why in made.failed.items():
        yield f"<p>Left out: {_text(product_id)} failed: {_text(why)}</p>"


def _ranker(made: Comparison) -> Iterable[str]:
    if (one := made.ranker) is not None:
        yield f"<h2>What it does to the ranker</h2><p>{_text(one.in_words(), longest=4000)}</p>"
        if one.changed:
            heads = (one.metric, "before", "after", "difference", "95 % over cases", "permutation p", "test cases",
                     "touch a changed product")  # fmt: skip
            cells = _numbers(
                f"{one.before:.4f}",
                f"{one.after:.4f}",
                f"{one.difference:+.4f}",
                f"{one.low:+.4f} to {one.high:+.4f}",
                f"{one.p:.3f}",
                f"{one.cases:,}",
                f"{one.touched:,}",
            )
            numbered = [(heading, number > 0) for number, heading in enumerate(heads)]
            row = f"<tr><td>run {_text(one.run)}, {_text(one.variant)}</td>{cells}</tr>"
            yield _table(numbered, [row], "ranker")
    if made.ranker_left_out is not None:
        yield f"<p>The ranker was not judged: {_text(made.ranker_left_out)}.</p>"


def _table(heads: Iterable[tuple[str, bool]], rows: Iterable[str], name: str = "") -> str:
    head = "".join(f"<th{' class=n' if number else ''}>{heading}</th>" for heading, number in heads)
    mark = f' id="{name}"' if name else ""
    return (
        f'<div class="scroll"><table{mark}><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'
    )


def _numbers(*cells: str) -> str:
    return "".join(f"<td class=n>{cell}</td>" for cell in cells)


def _sides(made: Comparison) -> str:
    def row(name: str, one: Side) -> str:
        cost = "–" if one.cost is None else f"{one.cost:,.4f}"
        return (
            f"<tr><td>{name}: {_text(one.label)} <span class=dim>{one.fingerprint[:8]}</span></td>"
            + _numbers(
                f"{one.verified:,}",
                f"{one.proposed:,}",
                f"{one.failed:,}",
                f"{one.calls:,}",
                f"{one.prompt_tokens:,} + {one.completion_tokens:,}",
                f"{one.seconds:.1f}",
                cost,
            )
            + "</tr>"
        )

    heads = ("version", "verified", "proposed", "with failures", "calls", "tokens", "seconds a product", "cost")
    numbered = [(heading, number > 0) for number, heading in enumerate(heads)]
    return _table(numbered, (row("before", made.before), row("after", made.after)))


def _attributes(rows: Iterable[AttributeChange]) -> str:
    some = list(rows)
    widest = max([abs(end) for one in some if one.f1 for end in (one.f1.low, one.f1.high)], default=0.0) or 1.0

    def row(one: AttributeChange) -> str:
        told = one.p is not None and one.p < ATTRIBUTE_LEVEL and one.f1 is not None
        style = f' class="{"worse" if one.f1 and one.f1.difference < 0 else "better"}"' if told else ""
        figures = ("–", "–", "–") if one.f1 is None else (f"{one.f1.before:.3f}", f"{one.f1.after:.3f}", f"{one.p:.3f}")
        counts = (one.before, one.after, one.lost, one.changed, one.verdict, one.gained)
        return (
            f"<tr{style}><td>{_text(one.attribute)}</td>"
            + _numbers(*map(str, counts), *figures)
            + f"<td>{_interval(one.f1, widest) if one.f1 else ''}</td></tr>"
        )

    counted = ("before", "after", "lost", "changed", "verdict", "gained")
    heads = ("attribute", *counted, "F1 before", "F1 after", "p (Holm)")
    numbered = [(heading, number > 0) for number, heading in enumerate(heads)]
    return _table([*numbered, ("difference in F1, 95 %", False)], map(row, some))


def _interval(one: Paired, widest: float) -> str:
    def at(figure: float) -> float:
        return _WIDE / 2 + figure / widest * (_WIDE / 2 - 4)

    told = f"{one.difference:+.3f} ({one.low:+.3f} to {one.high:+.3f})"
    return (
        f'<svg width="{_WIDE}" height="14" role="img" aria-label="{told}"><title>{told}</title>'
        f'<line x1="{_WIDE / 2}" x2="{_WIDE / 2}" y1="0" y2="14" stroke="#8888"/>'
        f'<line x1="{at(one.low):.1f}" x2="{at(one.high):.1f}" y1="7" y2="7" stroke="currentColor" stroke-width="2"/>'
        f'<circle cx="{at(one.difference):.1f}" cy="7" r="4" fill="currentColor"/></svg> {told}'
    )


def _form(made: Comparison) -> str:
    names = dict.fromkeys(one.attribute for one in made.differences)
    options = "".join(f'<option value="{_text(name)}">{_text(name)}</option>' for name in sorted(names))
    kinds = "".join(
        f'<label><input type="checkbox" name="kind" value="{kind}" checked> {kind}</label>' for kind in _KINDS
    )
    judged = "".join(f"<option>{one}</option>" for one in ("worse", "better"))
    return (
        f'<form><label>attribute <select name="attribute"><option value="">all</option>{options}</select></label>'
        f'{kinds}<label>judged <select name="judged"><option value="">all</option>{judged}</select></label>'
        '<label>words <input name="words" type="search"></label><output></output></form>'
    )


def _differences(rows: Iterable[Difference]) -> str:
    def row(one: Difference) -> str:
        kind = one.kind if one.judged is None else f'{one.kind}, <span class="{one.judged}">{one.judged}</span>'
        right = f'<div class="dim">right: {_text(", ".join(dict.fromkeys(one.right)))}</div>' if one.right else ""
        return (
            f'<tr data-kind="{one.kind}" data-attribute="{_text(one.attribute)}" data-judged="{one.judged or ""}">'
            f'<td>{_text(one.title)} <span class="dim">{_text(one.product_id)}</span></td>'
            f"<td>{_text(one.attribute)}</td><td>{kind}{right}</td>"
            f"<td>{_value(one.before)}</td><td>{_value(one.after)}</td></tr>"
        )

    heads = [(heading, False) for heading in ("product", "attribute", "what", "before", "after")]
    return _table(heads, map(row, rows), "differences")


def _value(one: Value | None) -> str:
    if one is None:
        return "–"
    made = f'<b>{_text(one.value)}</b> <span class="status">{_text(one.status)}</span>'
    if one.quote:
        first, last = one.around
        made += f'<div class="dim">{_text(first)}<mark>{_text(one.quote)}</mark>{_text(last)}</div>'
    if one.status != "verified" and one.verdict:
        made += f'<div class="dim">{_text(one.verdict)}</div>'
    return made
