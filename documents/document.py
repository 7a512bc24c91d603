"""A product's text as a document: what it says, in which blocks, under which labels.

Every field is read once: markup off (`markup`), into tokens (`tokens`), into pieces. A piece is a run of tokens that
belong together, perhaps under a label: a cell of a table, "Sole: rubber", a list item, a sentence's part. A feed's
column is a field whose name is the label of all of it. Lexicon, tagger, prompts, grounding and the display read the
same pieces, and every token knows where it stands in the text as received.

Labels are told by their form alone; what one means is for a category's schema to say (`reaseq.taxonomy.labels`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from itertools import accumulate, chain, groupby
from typing import NamedTuple

from reaseq.documents.language import answer, language_of
from reaseq.documents.markup import Opens, Visible, read
from reaseq.documents.orders import orders
from reaseq.documents.packed import unpacked
from reaseq.documents.scopes import Scope, over, scopes
from reaseq.documents.tokens import Mark, Token, find, is_unspaced, run_begin, scan, stems

Sources = Mapping[str, str]
"""Field name to text as received."""

COLUMN = "attributes."
"""What the names of fields begin with that are other columns of the feed."""

_LONGEST_LABEL = 6
_LONGEST_WEAK_LABEL = 4
_LONGEST_ANSWER = 2
_LONGEST_LINK = 8
_SHORT = 100
"""Characters of a text that is likely to recur."""
_DASHES = re.compile(r"\s-+\s|[–—]")


class Kind(StrEnum):
    """What a piece stands in. A `grid` is a table of more than two columns, a size chart for instance."""

    TITLE = "title"
    COLUMN = "column"
    HEADING = "heading"
    TEXT = "text"
    ITEM = "item"
    ROW = "row"
    GRID = "grid"


class Piece(NamedTuple):
    """Tokens `first` to `last` (exclusive) of a field, and the label they stand under.

    label: its first and last token (exclusive); None where there is none, or where the label is the column's name.
    sign: what parts the label from its value: ":", "=", "-", "(", "?", "|" or "cell". The signs "-", "(", "?" and "|"
    part other things as well: what stands before them is a label only if it is known as one.
    glued: no sign parts the label from the value before it ("Upper: leather Sole: rubber"): only its end is sure.
    heading: the piece that is the heading over it, by its place in the field's `pieces`; -1 for none.
    """

    kind: Kind
    first: int
    last: int
    label: tuple[int, int] | None = None
    sign: str = ""
    glued: bool = False
    heading: int = -1

    @property
    def sure(self) -> bool:
        """Is its label one by its form?"""
        return self.sign in (":", "=", "cell")


@dataclass
class Field:
    """One field. `held`: places in the visible text of sentences that give orders; their words are not in `tokens`.
    `title`: stems of the product's title, by which its own model is told from others."""

    name: str
    text: str
    tokens: list[Token]
    pieces: list[Piece]
    visible: Visible
    held: list[tuple[int, int]]
    title: frozenset[str] = frozenset()

    def shown(self) -> str:
        """What a reader sees of it, without what is held back: the lines of the text, blanks as one, the cells of a row
        as "label: value"."""
        return _shown(self.visible, self.held)

    @cached_property
    def words(self) -> frozenset[str]:
        """The stems of its tokens: what begins with none of them stands nowhere in it."""
        return frozenset(token.stem for token in self.tokens)

    @cached_property
    def column(self) -> str | None:
        """The column's name, if it is one."""
        return self.name.removeprefix(COLUMN) if self.name.startswith(COLUMN) else None

    @cached_property
    def _piece_of(self) -> list[int]:
        """For each token the place of its piece. A label need not stand right before its value: heads of columns."""
        owners: list[int | None] = [None] * len(self.tokens)
        for at, piece in enumerate(self.pieces):
            for first, last in (piece.label or (piece.first, piece.first), (piece.first, piece.last)):
                owners[first:last] = [at] * (last - first)
        return list(accumulate(owners, lambda before, owner: before if owner is None else owner, initial=-1))[1:]

    @cached_property
    def scopes(self) -> list[int]:
        """For each token, what it is under (`Scope`): denied, or said of something else."""
        under = scopes(self.text, self.tokens, self.title)
        for piece in self.pieces if self.visible.links else ():
            inside = self.tokens[piece.first : piece.last]
            if inside and piece.label is None and len(inside) <= _LONGEST_LINK and self._is_link(inside):
                under[piece.first : piece.last] = [one | Scope.ASIDE for one in under[piece.first : piece.last]]
        return under

    def _is_link(self, tokens: Sequence[Token]) -> bool:
        """Are all of these the words of a link to another page, as of a menu?"""
        return all(any(start <= token.start < end for start, end in self.visible.links) for token in tokens)

    def under(self, first: int, last: int) -> int:
        """What a term at tokens `first` to `last` (exclusive) is under."""
        return over(self.scopes, first, last)

    def piece_at(self, index: int) -> int:
        """The place in `pieces` of the piece that token `index` is part of, be it of its label."""
        return self._piece_of[index]

    def stems(self, first: int, last: int) -> tuple[str, ...]:
        return tuple(token.stem for token in self.tokens[first:last])

    def quote(self, first: int, last: int) -> str:
        """Tokens `first` to `last` (exclusive) as received."""
        return self.text[self.tokens[first].start : self.tokens[last - 1].end]


class Place(NamedTuple):
    """Tokens `first` to `last` (exclusive) of a field, which are its characters `start` to `end`."""

    field: str
    first: int
    last: int
    start: int
    end: int


class Document:
    """The fields of one product, each read once."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self.fields: dict[str, Field] = {name: read_field(name, text) for name, text in sources.items() if text}
        if title := self.fields.get("title"):
            named = frozenset(token.stem for token in title.tokens)
            for field in self.fields.values():
                field.title = named

    @cached_property
    def language(self) -> str:
        """See `reaseq.documents.language.language_of`."""
        fields = self.fields.values()
        return language_of(" ".join(field.text for field in fields), chain.from_iterable(f.tokens for f in fields))

    def quote(self, name: str, start: int, end: int) -> str:
        return self.sources[name][start:end]

    def find(self, words: str) -> list[Place]:
        """Where `words` stand, one after the other, within a sentence."""
        needle = stems(words)
        return [
            Place(name, first, last, one.tokens[first].start, one.tokens[last - 1].end)
            for name, one in self.fields.items()
            for first, last in find(needle, one.tokens)
        ]

    def sentences(self, places: Iterable[tuple[str, int, int]]) -> dict[str, str]:
        """Of each field, the sentences in which one of the places (field, start, end) stands, in the text's order."""
        said: dict[str, str] = {}
        spans: dict[str, list[tuple[int, int]]] = {}
        for name, start, end in places:
            spans.setdefault(name, []).append((start, end))
        for name, one in self.fields.items():
            mine = spans.get(name, [])
            wanted = {t.sentence for t in one.tokens if any(start < t.end and t.start < end for start, end in mine)}
            groups = [list(group) for _, group in groupby(one.tokens, key=lambda token: token.sentence)]
            parts = [one.text[group[0].start : group[-1].end] for group in groups if group[0].sentence in wanted]
            if parts:
                said[name] = ". ".join(parts) + "."
        return said

    @property
    def held(self) -> list[tuple[str, str]]:
        """Sentences that give orders and so are no evidence: field and words."""
        return [
            (name, one.visible.text[start:end].strip()) for name, one in self.fields.items() for start, end in one.held
        ]


def read_field(name: str, text: str) -> Field:
    kind = _kind_of(name)
    recurs = len(text) <= _SHORT and kind is not Kind.TITLE
    return Field(name, text, *(_read_again if recurs else _read)(kind, text))


_Read = tuple[list[Token], list[Piece], Visible, list[tuple[int, int]]]


def _read(kind: Kind, text: str) -> _Read:
    """The tokens, the pieces, what is visible, and places in it of sentences that give orders."""
    visible, held = _seen(kind, text)
    tokens, marks = scan(visible)
    if held:
        tokens, marks = _without(tokens, marks, [visible.place(start, end) for start, end in held])
    return tokens, _pieces(tokens, marks, visible, kind), visible, held


_read_again = lru_cache(maxsize=2048)(_read)
"""Brands and the cells of columns recur from product to product. Nobody changes what was read."""


def _kind_of(name: str) -> Kind:
    return Kind.TITLE if name == "title" else Kind.COLUMN if name.startswith(COLUMN) else Kind.TEXT


def _seen(kind: Kind, text: str) -> tuple[Visible, list[tuple[int, int]]]:
    visible = (unpacked(text) if kind is Kind.COLUMN else None) or read(text)
    return visible, orders(visible.text)


def _shown(visible: Visible, held: Sequence[tuple[int, int]]) -> str:
    parts: list[str] = []
    text, after = visible.text, 0
    for start, end in [*held, (len(text), len(text))]:
        parts.append(text[after:start])
        # What opens a block is kept, so that places in `opens` stay right.
        parts.append("".join(char if char == "\n" else " " for char in text[start:end]) if start < end else "")
        after = end
    kept = "".join(parts)
    said = ""
    begin = 0
    for raw in kept.split("\n"):
        if line := " ".join(raw.split()):
            opens = visible.opens.get(begin - 1)
            joins = ": " if opens in (Opens.CELL, Opens.DATA) and said else "\n" if said else ""
            said += joins + line
        begin += len(raw) + 1
    return said


def as_seen(name: str, text: str) -> str:
    """A field's text as people see it: without markup and what speaks to a machine, on one line."""
    return " ".join(_shown(*_seen(_kind_of(name), text)).split())


def _without(tokens: list[Token], marks: list[Mark], held: list[tuple[int, int]]) -> tuple[list[Token], list[Mark]]:
    kept = [not any(start <= token.start < end for start, end in held) for token in tokens]
    before = [0]
    for stays in kept:
        before.append(before[-1] + stays)
    return (
        [token for token, stays in zip(tokens, kept, strict=True) if stays],
        [mark._replace(before=before[mark.before]) for mark in marks],
    )


class _Block(NamedTuple):
    """Tokens `first` to `last` (exclusive), and the marks between them. parted: by "|" or a tab from what precedes."""

    opens: Opens
    first: int
    last: int
    marks: list[Mark]
    parted: str = ""
    line: int = 0


def _pieces(tokens: Sequence[Token], marks: Sequence[Mark], visible: Visible, kind: Kind) -> list[Piece]:
    if not marks and not visible.opens:
        return [Piece(kind, 0, len(tokens))] if tokens else []
    pieces: list[Piece] = []
    heading = -1
    lasting = False
    blocks = _blocks(tokens, marks, visible)
    at = 0
    while at < len(blocks):
        row = _row(blocks, at)
        block = blocks[at]
        if row and (under := _under_heads(blocks, at, row)):
            pieces += [
                Piece(Kind.ROW, cell.first, cell.last, (head.first, head.last), "cell", heading=heading)
                for head, cell in sorted(zip(row, under, strict=True), key=lambda pair: pair[1].first)
            ]
            at += 2 * len(row)
            continue
        if row:
            _put_row(row, pieces, kind, heading)
            at += len(row)
            continue
        if _is_alone(blocks, at, pieces):
            # A row of a table of labels and values whose second cell is empty.
            pieces.append(Piece(Kind.ROW, block.last, block.last, (block.first, block.last), "cell", heading=heading))
            at += 1
            continue
        if _is_asked(tokens, blocks, at):
            # "Waterproof" and, on a line of its own, "No".
            answer_block = blocks[at + 1]
            label = (block.first, block.last)
            pieces.append(Piece(Kind.ROW, answer_block.first, answer_block.last, label, "cell", heading=heading))
            at += 2
            continue
        at += 1
        is_heading = block.opens is Opens.HEADING
        if heading >= 0 and not lasting and block.opens is not Opens.ITEM and len(pieces) > heading + 1:
            heading = -1
        before = len(pieces)
        inside = Kind.HEADING if is_heading else Kind.ITEM if block.opens is Opens.ITEM and kind is Kind.TEXT else kind
        pieces += _labelled(tokens, block, inside, -1 if is_heading else heading)
        if is_heading:
            heading, lasting = before, True
        elif len(pieces) > before and (last := pieces[-1]).sure and last.first == last.last and at < len(blocks):
            # "Materials:" with nothing behind it is the heading of what follows.
            heading, lasting = len(pieces) - 1, False
        elif len(pieces) == before + 1 and _heads_list(blocks, at - 1):
            heading, lasting = before, False
    return pieces


def _blocks(tokens: Sequence[Token], marks: Sequence[Mark], visible: Visible) -> list[_Block]:
    feeds = [place for place, char in enumerate(visible.text) if char == "\n"] if "\n" in visible.text else []
    opened = [
        visible.opens.get(place) or (Opens.ITEM if _DASHED.match(visible.text, place + 1) else Opens.LINE)
        for place in feeds
    ]
    blocks: list[_Block] = []
    first, opens, parted, line, inside = 0, Opens.PARAGRAPH, "", 0, list[Mark]()
    seen = 0
    for mark in marks:
        new: Opens | None = None
        if mark.line > seen:
            new = max(opened[seen : mark.line], key=_ORDER.index)
            seen = mark.line
        if any(sign in mark.signs for sign in _BULLETS):
            new = Opens.ITEM if new in (None, Opens.LINE, Opens.PARAGRAPH) else new
        bar = next((sign for sign in "|\t" if sign in mark.signs), "")
        if new is None and not bar:
            inside.append(mark)
            continue
        if mark.before > first:
            asks = [mark] if "?" in mark.signs or "？" in mark.signs else []
            blocks.append(_Block(opens, first, mark.before, inside + asks, parted, line))
            parted = bar
        else:
            parted = parted or bar
        if new is not None:
            opens, parted, line = new, "", seen
        first, inside = mark.before, []
    if len(tokens) > first:
        blocks.append(_Block(opens, first, len(tokens), inside, parted, line))
    return blocks


_ENDS = ".!;。！；।॥؟۔"
"""Signs that end a sentence and so what is said under a label; a question may be one."""
_DASHED = re.compile(r"[ \t]*[-*+–—][ \t]")
_BULLETS = frozenset("•·●▪◦‣■★►▶➤✓✔☑✅")
_ORDER = [
    Opens.LINE,
    Opens.PARAGRAPH,
    Opens.DATA,
    Opens.CELL,
    Opens.ITEM,
    Opens.HEADING,
    Opens.TERM,
    Opens.ROW,
    Opens.BARE_ROW,
]
"""Of breaks with nothing between them the last here counts."""


def _row(blocks: Sequence[_Block], at: int) -> list[_Block]:
    """The blocks from `at` on that are the cells of one row; none if it begins no row."""
    first = blocks[at]
    row = [first]
    if first.opens in (Opens.ROW, Opens.TERM, Opens.CELL):
        for block in blocks[at + 1 :]:
            if block.opens not in (Opens.CELL, Opens.TERM, Opens.DATA) or (
                block.opens is Opens.TERM and row[-1].opens is Opens.DATA
            ):
                break
            row.append(block)
        return row if len(row) > 1 else []
    if first.parted and at and blocks[at - 1].line == first.line:
        return []
    for block in blocks[at + 1 :]:
        if not block.parted or block.line != first.line:
            break
        row.append(block)
    return row if len(row) == 2 else []


def _is_alone(blocks: Sequence[_Block], at: int, before: Sequence[Piece]) -> bool:
    """Is it a term without its data, or the only cell with words of a row of several or beside rows of two?"""
    block = blocks[at]
    if block.opens not in (Opens.ROW, Opens.BARE_ROW, Opens.TERM) or block.last - block.first > _LONGEST_WEAK_LABEL:
        return False
    if block.opens in (Opens.BARE_ROW, Opens.TERM):
        return True
    after = at + 1 < len(blocks) and blocks[at + 1].opens is block.opens and len(_row(blocks, at + 1)) == 2
    return after or bool(before and before[-1].sign == "cell")


def _heads_list(blocks: Sequence[_Block], at: int) -> bool:
    """Is it a few words right before a list?"""
    block = blocks[at]
    follows = at + 1 < len(blocks) and blocks[at + 1].opens is Opens.ITEM
    return follows and block.opens is not Opens.ITEM and block.last - block.first <= _LONGEST_WEAK_LABEL


def _is_asked(tokens: Sequence[Token], blocks: Sequence[_Block], at: int) -> bool:
    """Is it a few words, without a label among them, which the next block answers with yes or no?"""
    block = blocks[at]
    if (
        at + 1 == len(blocks)
        or block.last - block.first > _LONGEST_WEAK_LABEL
        or answer(tokens, block.first, block.last) is not None
    ):
        return False
    if any(sign in mark.signs for mark in block.marks for sign in ":="):
        return False
    after = blocks[at + 1]
    return after.last - after.first <= _LONGEST_ANSWER and answer(tokens, after.first, after.last) is not None


def _under_heads(blocks: Sequence[_Block], at: int, row: Sequence[_Block]) -> list[_Block]:
    """The one row under a row of column heads, if it is one and has no other row under it."""
    if row[0].opens is not Opens.ROW or any(block.opens is not Opens.TERM for block in row[1:]):
        return []
    after = at + len(row)
    under = _row(blocks, after) if after < len(blocks) else []
    last = after + len(under)
    alone = last == len(blocks) or blocks[last].opens is not Opens.ROW
    return under if alone and len(under) == len(row) and under[0].opens is Opens.ROW else []


def _put_row(row: Sequence[_Block], pieces: list[Piece], kind: Kind, heading: int) -> None:
    one, other = row[0], row[1]
    if len(row) == 2 and not one.parted and not other.parted:
        pieces.append(Piece(Kind.ROW, other.first, other.last, (one.first, one.last), "cell", heading=heading))
    elif len(row) == 2:
        kept = kind if kind is not Kind.TEXT else Kind.ROW
        pieces.append(Piece(kept, other.first, other.last, (one.first, one.last), "|", heading=heading))
    else:
        pieces += [Piece(Kind.GRID, block.first, block.last, heading=heading) for block in row]


def _labelled(tokens: Sequence[Token], block: _Block, kind: Kind, heading: int) -> Iterator[Piece]:
    """The pieces of one block, in order, by the signs between its tokens."""
    begun = Piece(kind, block.first, block.last, heading=heading)
    segment = block.first
    for mark in block.marks:
        here, signs = mark.before, mark.signs
        ends = any(sign in signs for sign in _ENDS)
        if here <= segment and not (begun.label and here == begun.first) and not (ends and here > begun.first):
            continue
        if ":" in signs or "=" in signs:
            if _is_ratio(tokens, here) or not 0 < _words_in(tokens, segment, here) <= _LONGEST_LABEL:
                segment = here
                continue
            sign = ":" if ":" in signs else "="
            if begun.sign == "(" and begun.label and segment == begun.first and (")" in signs or "]" in signs):
                # "Weight (kg): 1.7" is one label.
                begun = begun._replace(first=here, label=(begun.label[0], here), sign=sign)
                segment = here
                continue
            if (parted := run_begin(tokens, here - 1)) > segment and is_unspaced(tokens[here - 1].stem):
                # "材质：铝合金 手柄：不锈钢": a blank parts the value from the next label.
                segment = parted
            glued = begun.label is not None and segment == begun.first
            if begun.label or begun.first < segment:
                yield begun._replace(last=segment)
            begun = Piece(kind, here, block.last, (segment, here), sign, glued, heading)
            segment = here
        elif "(" in signs or "[" in signs or _DASHES.search(signs) or "?" in signs:
            sign = "(" if "(" in signs or "[" in signs else "?" if "?" in signs else "-"
            most = _LONGEST_LABEL if sign == "?" else _LONGEST_WEAK_LABEL
            # "7.5 cm (3 in)" is a measure, twice.
            is_measure = sign == "(" and segment < here and tokens[segment].stem[0].isdigit()
            taken = begun.sure and segment == begun.first
            if 0 < _words_in(tokens, segment, here) <= most and not taken and not is_measure:
                if begun.label or begun.first < segment:
                    yield begun._replace(last=segment)
                begun = Piece(kind, here, block.last, (segment, here), sign, False, heading)
            elif sign == "?":
                if here > begun.first or begun.label:
                    yield begun._replace(last=here)
                begun = Piece(kind, here, block.last, heading=heading)
            segment = here
        elif ends:
            if here > begun.first or begun.label:
                yield begun._replace(last=here)
            begun = Piece(kind, here, block.last, heading=heading)
            segment = here
        elif ")" in signs or "]" in signs:
            if begun.sign == "(":
                yield begun._replace(last=here)
                begun = Piece(kind, here, block.last, heading=heading)
            segment = here
        else:
            segment = here
    if block.last > begun.first or begun.label:
        yield begun


def _words_in(tokens: Sequence[Token], first: int, last: int) -> float:
    """How many words they are; characters of scripts without spaces are a third of one."""
    return sum(1 / 3 if is_unspaced(token.stem) else 1 for token in tokens[first:last])


def _is_ratio(tokens: Sequence[Token], here: int) -> bool:
    """Is the sign before token `here` that of a ratio or a time ("16:9", "10:30")?"""
    if not 0 < here < len(tokens):
        return False
    before, after = tokens[here - 1], tokens[here]
    return before.stem[0].isdigit() and after.stem[0].isdigit() and after.start - before.end == 1
