"""A model's bare name: what is left of "Vesper Luna Kitten Heel" without brand, kind, audience, colour and size, and
without what it is for where that stands before the kind ("Pebble School Shoes"); of a title that is stuffed with words,
none but a short one that has a number ("Kea Pro 3"). What is but a style or a need ("Classic", "Recycled") is no
name."""

from reaseq.documents.document import Document
from reaseq.documents.tokens import Token, stems, tokenize
from reaseq.taxonomy.lexicon import Lexicon

_SMALL_WORDS = frozenset(
    {"the", "a", "an", "for", "in", "with", "by", "of", "and", "new", "für", "pour", "para", "per", "von", "de"}
    | {"generic", "unbranded", "noname"}
)
_LONGEST_TITLE, _LONGEST_IN_STUFFED = 12, 3
"""Words: a longer title is stuffed with what people may search for, and a longer run of its words is no name."""
_SHORTEST_NUMBER = 3
"""Digits of a number that names a model by itself ("8500"); sizes have fewer."""
_SIZES = frozenset(
    {"size", "sz", "größe", "gr", "taille", "pointure", "talla", "taglia", "maat", "storlek", "eu", "uk", "us"}
)


def bare_name(value: str, document: Document, lexicon: Lexicon) -> str:
    """`value` without such words at its ends, and without what stands before whom it is for ("Rocia Women Lily"); ""
    if nothing else is left."""
    tokens = tokenize(value)
    brand = stems(document.sources.get("brand", ""))
    title = stems(document.sources.get("title", ""))
    first, last = 0, len(tokens) - _half_a_kind(tuple(token.stem for token in tokens), title, lexicon)
    whom = [at + 1 for at in range(last - 1) if lexicon.says_whom_for((tokens[at].stem,))]
    if whom and _is_size(tokens[whom[-1] : last]):
        last = whom[-1] - 1
    elif whom:
        first = whom[-1]
    behind = first > 0
    changed = True
    while changed and first < last:
        changed = False
        for width in range(last - first, 0, -1):
            at_front = tokens[first : first + width]
            # "Adidas Running Galaxy 4": behind a brand stands its line.
            line = first > 0 and tokens[first - 1].stem in brand and first + width < last
            if (line and lexicon.says_what_for(tuple(token.stem for token in at_front))) or _is_no_name(
                at_front, brand, lexicon
            ):
                first, changed = first + width, True
                break
            at_end = tokens[last - width : last]
            said_of_kind = (behind or first < last - width) and lexicon.says_what_for(
                tuple(token.stem for token in at_end)
            )
            if said_of_kind or _is_no_name(at_end, brand, lexicon):
                last, changed = last - width, True
                break
    left = tokens[first:last]
    if not any(any(char.isalpha() for char in token.stem) for token in left) and not (
        behind and len(left) == 1 and len(left[0].stem) >= _SHORTEST_NUMBER
    ):
        return ""
    if lexicon.says_how(left):
        return ""
    if first and len(left) == 1 and len(left[0].stem) == 1:
        first -= 1  # "Trainer X": a letter alone names nothing.
    name = value[tokens[first].start : tokens[last - 1].end]
    stuffed = len(document.sources.get("title", "").split()) > _LONGEST_TITLE
    numbered = any(token.stem[0].isdigit() for token in tokens[first + 1 : last])
    return "" if stuffed and (len(name.split()) > _LONGEST_IN_STUFFED or not numbered) else name


def _is_size(tokens: list[Token]) -> bool:
    """Sizes and small words, and nothing else."""
    return all(
        token.stem in _SIZES | _SMALL_WORDS or (token.stem[0].isdigit() and len(token.stem) < _SHORTEST_NUMBER)
        for token in tokens
    )


def _half_a_kind(name: tuple[str, ...], title: tuple[str, ...], lexicon: Lexicon) -> int:
    """How many words at the end of the name belong to a kind that goes on behind it ("Ferryman Chelsea" of "Ferryman
    Chelsea Boot")."""
    for at in range(len(title) - len(name)):
        if title[at : at + len(name)] == name:
            end = at + len(name)
            for width in range(len(name) - 1, 0, -1):
                if any(lexicon.describes(title[end - width : end + more]) for more in (1, 2)):
                    return width
    return 0


def _is_no_name(tokens: list[Token], brand: tuple[str, ...], lexicon: Lexicon) -> bool:
    words = tuple(token.stem for token in tokens)
    if words in (brand, brand[:1], brand[1:]) or (len(words) == 1 and words[0] in _SMALL_WORDS | _SIZES):
        return True
    if len(words) == 2 and words[0] in _SIZES and words[1][0].isdigit():
        return True
    return lexicon.describes(words) or lexicon.parts.at(tokens, 0) == len(tokens)
