"""What a reader sees of a text that a shop's system wrote: without markup, entities decoded, blocks apart.

Everything seen knows where it stands in the text as received. HTML is read by the standard library's parser, which
gives positions and takes what browsers take. What page builders write in square brackets (`[vc_row]`) and template
engines in braces is markup as well; `\\n` written as two characters is a line break, as some shop systems export it;
HTML that was escaped once too often (`&lt;p&gt;`) is read as the HTML it was.
"""

import html
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from html.parser import HTMLParser
from itertools import accumulate, islice


class Opens(StrEnum):
    """What begins at a break."""

    PARAGRAPH = "paragraph"
    LINE = "line"
    HEADING = "heading"
    ITEM = "item"
    ROW = "row"
    CELL = "cell"
    TERM = "term"
    DATA = "data"
    BARE_ROW = "row of which only the first cell has words"


@dataclass(frozen=True, slots=True)
class Visible:
    """`text` is what is seen; each block begins after a line feed, whose place `opens` has with what begins there.

    origin: of each character, the span of the received text that it stands for; None where all stand where they stood.
    links: places of the received text that lead to another page.
    """

    text: str
    origin: Sequence[tuple[int, int]] | None
    opens: dict[int, Opens]
    links: Sequence[tuple[int, int]] = ()

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Where `text[start:end]`, not empty, stands in the text as received."""
        if self.origin is None:
            return start, end
        return self.origin[start][0], self.origin[end - 1][1]


_BLOCKS = {
    **dict.fromkeys(
        "address article aside blockquote center details div dl fieldset figcaption figure footer form header main nav "
        "ol option p pre section summary table tbody tfoot thead ul".split(),
        Opens.PARAGRAPH,
    ),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6", "caption", "legend"), Opens.HEADING),
    **dict.fromkeys(("br", "hr"), Opens.LINE),
    "li": Opens.ITEM,
    "tr": Opens.ROW,
    "td": Opens.CELL,
    "th": Opens.TERM,
    "dt": Opens.TERM,
    "dd": Opens.DATA,
}
_WEIGHT: dict[Opens | None, int] = {
    Opens.PARAGRAPH: 0,
    Opens.LINE: 0,
    Opens.HEADING: 1,
    Opens.ITEM: 1,
    Opens.CELL: 1,
    Opens.DATA: 1,
    Opens.TERM: 2,
    Opens.ROW: 3,
    Opens.BARE_ROW: 3,
}
"""Which of two counts that begin at one place."""
_UNSEEN = frozenset("script style noscript template svg math iframe object canvas audio video head title".split()) | {
    *("s", "del", "strike")
}
"""What no reader sees, and what is struck out."""
_VOID = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_ALWAYS_CLOSED = frozenset(("script", "style", "title"))
"""Elements that hold characters only: an unclosed one ends with the text, as in a browser."""
_CELLS = frozenset(("td", "th"))
_ENDS_ROW = frozenset(("tr", "table", "tbody", "thead", "tfoot"))
_JOINED = frozenset(("wbr", "sup", "sub"))
"""Tags that part no word."""
_INLINE = frozenset(
    "a abbr acronym applet area b base basefont bdi bdo big blink body button cite code col colgroup data datalist dfn "
    "dialog dir em embed font frame frameset hgroup html i img input ins kbd del label link map mark marquee menu meta "
    "meter nobr noframes optgroup output param picture portal progress q rb rp rt rtc ruby s samp search select slot "
    "small source span strike strong textarea time track tt u var".split()
)
"""What else is HTML (https://html.spec.whatwg.org, and what went before it). Names with a dash or colon are somebody's
own elements. Anything else in angle brackets is text."""

_MARKED_UP = re.compile(r"[<&\[{\\]|://|www\.|\.(?:jpe?g|png|gif|webp|svg|pdf|mp4)\b", re.IGNORECASE)
_ESCAPED_TAG = re.compile(
    r"&(?:lt|#60|#x3c);(?=/?(?:p|br|b|i|u|em|ul|ol|li|td|tr|th|div|span|strong|table|h[1-6]|font|a|img|style|script)\b)",
    re.IGNORECASE,
)
_UNENDED = re.compile(r"&#?[a-zA-Z0-9]+\Z")
_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#\d{1,7}|#[xX][0-9a-fA-F]{1,6});?")
_CDATA = re.compile(r"<!\[CDATA\[|\]\]>")
_ESCAPE = re.compile(r"(?<![A-Za-z]:)\\(?:r\\n|n|r|t)")
_SHORTCODE = re.compile(
    r"\[(?P<end>/)?(?P<name>[a-z][a-z0-9]*(?:[_-][a-z0-9]+)*)(?P<with>(?:\s+[\w-]+=(?:\"[^\"]*\"|'[^']*'|[^\s\]\"']+))*)"
    r"\s*/?\]",
    re.IGNORECASE,
)
_TICK = re.compile(r"\[[ xX]\]")
"""A box to be ticked, in Markdown: its x is no word."""
_DIRECTIVE = re.compile(r"\{\{\s*[a-z_]+(?:\s+[\w-]+=(?:\"[^\"]*\"|'[^']*'|[^\s{}\"']+))+\s*\}\}", re.IGNORECASE)
"""Of Magento: `{{widget type="…"}}`."""
_TEMPLATE = re.compile(
    r"\{\{#if\b.{0,2000}?\{\{/if\}\}|\{%-?\s*if\b.{0,2000}?\{%-?\s*endif\s*-?%\}|\{\{[^{}]{0,300}\}\}|\{%[^%]{0,300}%\}",
    re.DOTALL,
)
"""Of a shop's theme, not filled in: what stands under a condition may be so or not."""
_ADDRESS = re.compile(
    r"(?:https?|ftp)://[^\s<>\"'，。）)]+|\bwww\.[^\s<>\"']+|data:[\w/+.-]+;base64,[A-Za-z0-9+/=]+"
    r"|[\w./-]+\.(?:jpe?g|png|gif|webp|svg|pdf|mp4)\b",
    re.IGNORECASE,
)
"""Of pages, data and files."""

_NOTHING, _BREAK = "\x00", "\x01"
"""Stand for markup that is no HTML while HTML is read. No text holds them: NUL is set aside at import, and \\x01 is
made a blank first."""


def read(text: str) -> Visible:
    """What a reader sees of `text`. Never fails: what cannot be read as markup is text."""
    if _MARKED_UP.search(text) is None:
        return _lines(text, None, {})
    escaped = text.replace(_BREAK, " ").replace(_NOTHING, " ")
    origin: Sequence[tuple[int, int]] | None = None
    if _ESCAPED_TAG.search(escaped):
        escaped, origin = _decoded(escaped)
    blanked = _blanked(escaped)
    characters: list[str] = []
    places: list[tuple[int, int]] = []
    opens: dict[int, Opens] = {}
    links: list[tuple[int, int]] = []
    if "<" in blanked or "&" in blanked:
        parser = _parsed(blanked)
        characters, places, opens, links = parser.characters, parser.places, parser.opens, parser.links
    else:
        _put(blanked, 0, characters, places, opens)
    if origin is not None:
        places = [(origin[start][0], origin[end - 1][1] if end > start else origin[start][0]) for start, end in places]
        links = [(origin[start][0], origin[end][0]) for start, end in links]
    return _lines("".join(characters), places, opens, links)


def _decoded(text: str) -> tuple[str, list[tuple[int, int]]]:
    """`text` with its entities decoded, and where each character came from."""
    parts: list[str] = []
    places: list[tuple[int, int]] = []
    after = 0
    for entity in _ENTITY.finditer(text):
        start, end = entity.span()
        parts.append(text[after:start])
        places += [(place, place + 1) for place in range(after, start)]
        decoded = html.unescape(entity.group())
        parts.append(decoded)
        places += [(start, end)] * len(decoded)
        after = end
    parts.append(text[after:])
    places += [(place, place + 1) for place in range(after, len(text))]
    places.append((len(text), len(text)))
    return "".join(parts), places


def _blanked(text: str) -> str:
    """`text`, as long as it was, with markup that is no HTML overwritten."""
    text = _CDATA.sub(lambda mark: _NOTHING * len(mark.group()), text)
    text = _ADDRESS.sub(_blank_if_seen, text)
    text = _ESCAPE.sub(lambda mark: _BREAK * len(mark.group()), text)
    if "{{" in text or "{%" in text:
        text = _DIRECTIVE.sub(lambda mark: _BREAK * len(mark.group()), text)
        text = _TEMPLATE.sub(lambda mark: _BREAK * len(mark.group()), text)
    if "[" in text:
        text = _TICK.sub(lambda mark: _NOTHING * len(mark.group()), text)
        closed = {mark["name"].casefold() for mark in _SHORTCODE.finditer(text) if mark["end"]}

        def shortcode(mark: re.Match[str]) -> str:
            name = mark["name"].casefold()
            # "[INST]" is a turn of a chat (see `orders`), no page builder's.
            known = name != "inst" and (mark["end"] or mark["with"] or "_" in name or name in closed)
            return _BREAK * len(mark.group()) if known else mark.group()

        text = _SHORTCODE.sub(shortcode, text)
    return text


def _blank_if_seen(address: re.Match[str]) -> str:
    """Addresses in tags stay, as their quotes must; those in the text are no words of it."""
    before = address.string.rfind("<", 0, address.start())
    in_tag = before >= 0 and address.string.rfind(">", before, address.start()) < 0
    return address.group() if in_tag else _NOTHING * len(address.group())


_MANY_NESTED = 8


def _parsed(text: str) -> "_Parser":
    """The parser when it has read `text`. An element that hides its contents and is never closed hides nothing: its tag
    is overwritten, and the text is read once more."""
    while True:
        parser = _Parser(text)
        # The parser takes what a text ends with for the beginning of an entity, and lets its "&" go: "H&M".
        parser.feed(f"{text};" if _UNENDED.search(text) else text)
        parser.close()
        parser.end_row()
        unclosed = [(start, end) for tag, start, end in parser.hidden if tag not in _ALWAYS_CLOSED]
        if not unclosed:
            return parser
        if parser.nested > _MANY_NESTED:
            # All at once: a text of nothing but such tags would be read as often as it has any.
            tag, _, end = parser.hidden[-1]
            again = re.compile(rf"<{re.escape(tag)}\b[^<>]*>", re.IGNORECASE).finditer(text, end)
            unclosed += [mark.span() for mark in islice(again, parser.nested)]
        parts, after = [], 0
        for start, end in unclosed:
            parts += [text[after:start], _NOTHING * (end - start)]
            after = end
        text = "".join(parts) + text[after:]


class _Parser(HTMLParser):
    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=False)
        self.source = text
        self.starts = [0, *accumulate(len(line) + 1 for line in text.split("\n"))]
        self.characters: list[str] = []
        self.places: list[tuple[int, int]] = []
        self.opens: dict[int, Opens] = {}
        self.hidden: list[tuple[str, int, int]] = []
        """The open elements that hide their contents: name, and where their tags stand."""
        self.nested = 0
        """How many elements of the same name are open within the last of these."""
        self.links: list[tuple[int, int]] = []
        self.linked: int | None = None
        """Where the link begins that is being read."""
        self.cells: list[int] = []
        """Where in `characters` each cell of the row begins that is being read."""

    def _here(self) -> int:
        line, column = self.getpos()
        return self.starts[line - 1] + column

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        written = self.get_starttag_text() or ""
        if self.hidden and tag == self.hidden[-1][0] and tag not in _ALWAYS_CLOSED:
            self.nested += 1
            return
        if not _is_html(tag):
            self.handle_data(written)
        elif tag in _UNSEEN or (tag not in _VOID and _is_struck_out(attrs)):
            self.hidden.append((tag, self._here(), self._here() + len(written)))
        elif not self.hidden and tag not in _JOINED:
            if tag in _ENDS_ROW:
                self.end_row()
            self._part(_BLOCKS.get(tag))
            if tag in _CELLS:
                self.cells.append(len(self.characters))
            if tag == "a" and any(name == "href" for name, _ in attrs):
                self.linked = self._here()

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _UNSEEN and not _is_struck_out(attrs):
            self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if not _is_html(tag):
            start = self._here()
            self.handle_data(self.source[start : self.source.find(">", start) + 1])
        elif any(name == tag for name, _, _ in self.hidden):
            if self.nested and self.hidden[-1][0] == tag:
                self.nested -= 1
                return
            self.nested = 0
            while self.hidden.pop()[0] != tag:
                pass
        elif not self.hidden and tag not in _JOINED:
            if tag in _ENDS_ROW:
                self.end_row()
            if tag == "a" and self.linked is not None:
                self.links.append((self.linked, self._here()))
                self.linked = None
            self._part(Opens.PARAGRAPH if tag in _BLOCKS else None)

    def end_row(self) -> None:
        starts, self.cells = self.cells, []
        cells = zip(starts, [*starts[1:], len(self.characters)], strict=False)
        worded = [any(map(str.isalnum, self.characters[start:end])) for start, end in cells]
        if len(worded) > 1 and worded[0] and not any(worded[1:]):
            self.opens[starts[0] - 1] = Opens.BARE_ROW

    def handle_data(self, data: str) -> None:
        if not self.hidden:
            _put(data, self._here(), self.characters, self.places, self.opens)

    def handle_entityref(self, name: str) -> None:
        self._entity(f"&{name}")

    def handle_charref(self, name: str) -> None:
        self._entity(f"&#{name}")

    def _entity(self, written: str) -> None:
        start = self._here()
        end = start + len(written)
        end += self.source.startswith(";", end)
        if not self.hidden:
            decoded = html.unescape(self.source[start:end])
            self.characters += decoded
            if decoded == self.source[start:end]:  # no entity
                self.places += [(place, place + 1) for place in range(start, end)]
            else:
                self.places += [(start, end)] * len(decoded)

    def _part(self, opened: Opens | None) -> None:
        """A tag parts words, and a block's tag parts blocks; an end tag opens a paragraph unless a block follows."""
        if not self.characters or self.characters[-1] != "\n":
            here = self._here()
            self.characters.append(" " if opened is None else "\n")
            self.places.append((here, here))
        if opened is not None:
            at = len(self.characters) - 1
            # `<tr><td>`: one break, at which the row counts, as what begins it begins its first cell too.
            if _WEIGHT[opened] > _WEIGHT.get(self.opens.get(at), -1):
                self.opens[at] = opened


def _is_struck_out(attrs: Sequence[tuple[str, str | None]]) -> bool:
    """By its own style? What a shop's page hides at first (`display: none`) its readers may well unfold."""
    return any(name == "style" and "line-through" in (value or "").casefold() for name, value in attrs)


def _is_html(tag: str) -> bool:
    return tag in _INLINE or tag in _BLOCKS or tag in _UNSEEN or tag in _JOINED or "-" in tag or ":" in tag


def _put(
    text: str,
    start: int,
    characters: list[str],
    places: list[tuple[int, int]],
    opens: dict[int, Opens],
) -> None:
    """Characters as they are. A break that is written in several characters is one."""
    if _BREAK not in text and _NOTHING not in text:
        characters += text
        places += [(place, place + 1) for place in range(start, start + len(text))]
        return
    for run in re.finditer(f"{_BREAK}+|{_NOTHING}+|[^{_BREAK}{_NOTHING}]+", text):
        place = start + run.start()
        if run.group()[0] == _BREAK:
            characters.append("\n")
            places.append((place, place))
            opens[len(characters) - 1] = Opens.LINE
        elif run.group()[0] == _NOTHING:
            characters.append(" ")
            places.append((place, place))
        else:
            characters += run.group()
            places += [(one, one + 1) for one in range(place, place + len(run.group()))]


def _is_format(char: str) -> bool:
    return unicodedata.category(char) == "Cf"


def _lines(
    text: str, origin: Sequence[tuple[int, int]] | None, opens: dict[int, Opens], links: Sequence[tuple[int, int]] = ()
) -> Visible:
    """Soft hyphens and other characters that nobody sees taken out, so that they part no word."""
    if text.isascii() or not any(map(_is_format, text)):
        return Visible(text, origin, opens, links)
    kept = [place for place, char in enumerate(text) if not _is_format(char)]
    moved = {before: after for after, before in enumerate(kept)}
    return Visible(
        "".join(text[place] for place in kept),
        [(place, place + 1) if origin is None else origin[place] for place in kept],
        {moved[place]: what for place, what in opens.items()},
        links,
    )
