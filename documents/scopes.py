"""What is said of something else, or denied: which tokens of a field are under which small word's sway.

A scope reaches over tokens, never over the end of a sentence: the next few words of the clause after "not", the clause
after "inspired by", the rest of the sentence after "pairs well with". What the words are is in `language.yaml`.
"""

from collections.abc import Collection, Sequence
from enum import IntFlag

from reaseq.documents.language import crossed_out, words
from reaseq.documents.tokens import Token, begin_of, end_of, is_unspaced

_REACH = 3
_LONGEST_LIKENESS = 2
_LONGEST_MEMBER = 2
_OPENING = ("(", "[", "（")
_LONGEST_ANSWERED = 4
"""Tokens, with the no that ends them."""


class Scope(IntFlag):
    """denied: the text says that it is not so. aside: said of something else. likeness: only looks like it.
    instruction: what to do with the product, or with others. What the
    words after a token do to it is told apart from what those before it do."""

    NONE = 0
    DENIED = 1
    ASIDE = 2
    LIKENESS = 4
    DENIED_AFTER = 8
    LIKENESS_AFTER = 16
    INSTRUCTION = 32


def over(under: Sequence[Scope], first: int, last: int) -> Scope:
    """What a term at tokens `first` to `last` (exclusive) is under; its own words do nothing to it ("grain-free")."""
    before, after = under[first], under[last - 1]
    found = before & (Scope.DENIED | Scope.ASIDE | Scope.LIKENESS | Scope.INSTRUCTION)
    if Scope.DENIED_AFTER in after:
        found |= Scope.DENIED
    if Scope.LIKENESS_AFTER in after:
        found |= Scope.LIKENESS
    return found


def scopes(text: str, tokens: Sequence[Token], title: Collection[str] = ()) -> list[Scope]:
    """For each token, what it is under.

    text: what the tokens were read from. title: stems of the product's title, which tell its own model from "the Kea
    Pro".
    """
    under = [Scope.NONE] * len(tokens)

    def mark(first: int, last: int, scope: Scope) -> None:
        for index in range(max(first, 0), min(last, len(tokens))):
            under[index] |= scope

    def glued(index: int) -> bool:
        """Is token `index` joined to the one after it by a hyphen?"""
        return index + 1 < len(tokens) and text[tokens[index].end : tokens[index + 1].start] in ("-", "‐", "‑")

    for first, last in crossed_out(text, tokens):
        mark(first, last, Scope.DENIED)
    for index in range(len(tokens)):
        stem = tokens[index].stem
        if stem not in _FIRSTS:
            continue
        clause_end = end_of(tokens, index, clause=True)
        sentence_end = end_of(tokens, index, clause=False)
        if width := words("denies_clause").at(tokens, index, clause_end):
            mark(index + width, _turn(tokens, index + width, clause_end), Scope.DENIED)
        elif words("fixed").at(tokens, index, clause_end):
            continue
        elif width := words("denies_next").at(tokens, index, clause_end):
            after = index + width
            if glued(after - 1):
                mark(after, after + 1, Scope.DENIED)
            elif after < clause_end and not words("denies_not_before").at(tokens, after, clause_end):
                until = _denied_until(tokens, after, clause_end)
                if until == clause_end and (list_end := _list_end(tokens, clause_end, sentence_end)):
                    mark(clause_end, list_end, Scope.DENIED)
                if is_unspaced(stem) and width == 1:
                    until = _run_end(tokens, index, until)
                beyond = _beyond(tokens, after, until)
                mark(after, beyond, Scope.DENIED)
                mark(beyond, until, Scope.ASIDE)
        if words("exceptions").at(tokens, index, sentence_end):
            begin = begin_of(tokens, index, clause=False)
            whole = next((at for at in range(begin, index) if words("wholes").at(tokens, at, index)), index)
            mark(max(begin, whole - 1), index if whole < index else begin, Scope.ASIDE)  # "for all hobs"
        if index + 1 == clause_end and words("denies_next").at(tokens, index, clause_end):
            # "Wasserdicht ist er nicht", "waterproof it is not"
            begin = begin_of(tokens, index, clause=True)
            verbs = [at for at in range(max(begin, index - 4), index) if words("being").at(tokens, at, index)]
            mark(begin, verbs[0] if verbs and verbs[0] - begin <= 2 else begin, Scope.DENIED)
        begin = begin_of(tokens, index, clause=True)
        width = 0 if stem[0].isdigit() else words("no").at(tokens, index, clause_end)
        if width and begin < index and index + width == clause_end <= begin + _LONGEST_ANSWERED:
            # "Wasserdicht nein"
            mark(begin, index, Scope.DENIED)
        if width := words("denies_before").at(tokens, index, clause_end):
            after = index + width
            if after < clause_end and (
                words("purposes").at(tokens, after, clause_end) or words("prepositions").at(tokens, after, clause_end)
            ):
                mark(index + 1, clause_end, Scope.DENIED)  # "not suitable for induction"
            else:
                mark(begin_of(tokens, index, clause=True), index, Scope.DENIED)
        if tokens[index].stem == "0" and index + 1 < clause_end and tokens[index + 1].stem == "%":
            mark(index + 2, min(index + 4, clause_end), Scope.DENIED)
        if index and (width := words("denies_last").at(tokens, index, clause_end)):
            after = index + width
            ends = after >= clause_end or not words("denies_last_not_before").at(tokens, after, clause_end)
            if tokens[index - 1].clause == tokens[index].clause and (ends or glued(index - 1)):
                mark(index - 1, index, Scope.DENIED_AFTER)
        if index and title and stem not in title and words("versions").at(tokens, index, index + 1):
            before = text[tokens[index - 1].start]
            named = tokens[index - 1].stem in title and (before.isupper() or before.isdigit())
            if named and text[tokens[index].start].isupper():
                mark(index + 1, _turn(tokens, index + 1, sentence_end), Scope.ASIDE)
        if width := words("aside_rest").at(tokens, index, sentence_end):
            mark(index + width, sentence_end, Scope.ASIDE)
        elif width := words("aside_clause").at(tokens, index, clause_end):
            mark(index + width, _turn(tokens, index + width, clause_end), Scope.ASIDE)
        if width := words("others").at(tokens, index, clause_end):
            mark(index + width, _turn(tokens, index + width, clause_end), Scope.ASIDE)
        if width := words("aside_around").at(tokens, index, clause_end):
            first, last = begin_of(tokens, index, clause=True), clause_end
            if (first, last) == (index, index + width):
                if index and text[tokens[index - 1].end : tokens[index].start].strip() in _OPENING:
                    first = begin_of(tokens, index - 1, clause=True)  # "with a charger (optional)"
                else:
                    first, last = begin_of(tokens, index, clause=False), sentence_end
            mark(first, last, Scope.ASIDE)
        if width := words("aside_next").at(tokens, index, clause_end):
            mark(index + width, min(index + width + _LONGEST_LIKENESS, clause_end), Scope.ASIDE)
        begins = index - begin_of(tokens, index, clause=True)
        if begins <= _LONGEST_LIKENESS and (width := words("instructs").at(tokens, index, clause_end)):
            itself = index + width < clause_end and words("instructed_itself").at(tokens, index + width, clause_end)
            if not itself and not (begins and words("purposes").at(tokens, index - 1, index)):
                mark(index + width, clause_end, Scope.INSTRUCTION)
        if index + words("instructs_last").at(tokens, index, clause_end) == clause_end > index:
            mark(index - begins, index, Scope.INSTRUCTION)
        if index and words("aside_last").at(tokens, index, clause_end):
            mark(max(begin_of(tokens, index, clause=True), index - _LONGEST_LIKENESS), index, Scope.ASIDE)
        if width := words("like_next").at(tokens, index, clause_end):
            mark(index + width, min(index + width + _LONGEST_LIKENESS, clause_end), Scope.LIKENESS)
        if index and words("like_last").at(tokens, index, clause_end):
            first = begin_of(tokens, index, clause=True)
            reach = 1 if is_unspaced(stem) else _LONGEST_LIKENESS
            mark(max(first, index - reach), index, Scope.LIKENESS_AFTER)
    return under


_KINDS = (
    *("no", "fixed", "denies_clause", "denies_next", "denies_before", "denies_last", "exceptions"),
    "versions",
    *(
        "aside_rest",
        "aside_clause",
        "others",
        "aside_around",
        "aside_last",
        "aside_next",
        "instructs",
        "instructs_last",
        "like_next",
        "like_last",
    ),
)


_FIRSTS = frozenset(phrase[0] for kind in _KINDS for phrase in words(kind).all) | {"0"}


def _turn(tokens: Sequence[Token], first: int, last: int) -> int:
    """Where, from `first` on, a "but" ends what was said before; `last` if nowhere."""
    for index in range(first, last):
        if words("turns").at(tokens, index, last):
            return index
    return last


def _list_end(tokens: Sequence[Token], first: int, last: int) -> int:
    """Where a list ends that goes on after a comma and has an "or" before its last member ("no laces, zips or
    buckles"); 0 if none does."""
    at = first
    while at < last:
        end = end_of(tokens, at, clause=True)
        joined = any(words("carries_on").at(tokens, index, end) for index in range(at, end))
        if end - at > _LONGEST_MEMBER + 2 * joined:
            return 0
        if joined:
            return end
        at = end
    return 0


def _run_end(tokens: Sequence[Token], index: int, last: int) -> int:
    """Where the run of characters without a space ends that token `index` begins ("無地 ホワイト")."""
    end = index + 1
    while end < last and tokens[end].start == tokens[end - 1].end:
        end += 1
    return end


def _beyond(tokens: Sequence[Token], first: int, last: int) -> int:
    """Where what is denied ends within its reach: of "not dimmable with LED bulbs" nothing is said of LED. What is made
    with is told apart."""
    for index in range(first + 1, last):
        if words("company").at(tokens, index, last) and not words("made_with").at(tokens, index - 1, last):
            return index
    return last


def _denied_until(tokens: Sequence[Token], first: int, last: int) -> int:
    """A denial's reach: a few words, and a few more after each "or"."""
    until = min(first + _REACH, last)
    index = first
    while index < until:
        if words("turns").at(tokens, index, last):
            return index
        if (width := words("left_off").at(tokens, index, last)) and index + width < last:
            # "without laces leather white"
            index += width
            if not words("carries_on").at(tokens, index, last):
                return index
            until = min(index + 1 + _REACH, last)
        if index > first and words("carries_on").at(tokens, index, last):
            until = min(index + 1 + _REACH, last)
        index += 1
    if until < last and words("carries_on").at(tokens, until, last):
        return _denied_until(tokens, until + 1, last)
    return until
