"""What a text says in its own words beyond the values of a schema: "ribbed bomber collar", "built for fast-paced play".

A phrase is read by its form. A noun that is known (a part, a substance, one that the attribute lists) counts with what
describes it before it, up to a word that no noun goes on over. A purpose or an origin is what stands behind words that
the attribute lists ("inspired by"), to the end of its clause; of languages whose adjectives stand behind their nouns,
or that are written without blanks, only those are read.
"""

import html
import re
from collections.abc import Iterator
from functools import cached_property, lru_cache

from reaseq.documents.document import Document, Field, Kind, as_seen
from reaseq.documents.language import Phrases, any_words, words
from reaseq.documents.scopes import Scope
from reaseq.documents.surroundings import PARTING, QUOTES, is_aside_above, is_denied_above
from reaseq.documents.tokens import (
    STOP,
    begin_of,
    bracketed_end,
    end_of,
    is_glued,
    is_inflected,
    is_unspaced,
    sentence_of,
)
from reaseq.taxonomy.evidence import Evidence, Match, Standing
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.said_of import NOUN_FIRST
from reaseq.taxonomy.schema import Attribute

_LONGEST = 6
"""Tokens of a noun with what describes it."""
_LONGEST_BEHIND = 9
"""Tokens of a purpose or an origin."""
_DENIED_WITHIN = 3
"""Tokens from what denies a purpose to it."""
_FEWEST = 2
"""Words that must describe a noun that says little by itself ("look")."""
_COMPOUNDING = ("de", "nl", "sv", "da", "no")
_NO_NOUN = (
    *(*PARTING, "articles", "possessives", "pointing", "pronouns", "adverbs", "copulas", "containing", "relatives"),
    *("turns", "whereas", "denies_next", "verbs", "determiners", "used_from", "used_to"),
)
"""Kinds of words that no noun goes on over."""
_BEFORE_NOUN = ("articles", "possessives", "prepositions", "company", "having", "containing", "joins")
_BEHIND_NOUN = ("links", "prepositions")
_BEHIND_VERB = ("articles", "possessives")
_NO_PART = ("packagings", "bearers", "feet", "verbs")
"""Kinds of words that are no part of the product, whatever else they may be."""
_TURNS = ("relatives", "turns", "whereas")
_DONE = ("suited", "made_for", "made_with")
_PARTICLES = ("up", "down", "off", "out", "in")
_BEFORE_DOING = ("by", "for", "of", "while", "when")
_DASH = re.compile(r"\s[-–—]|[-–—]\s|\.")
"""A dash, or a full stop without a blank behind it."""
_FIELD = "description"

Range = tuple[int, int]
"""Tokens, the last exclusive."""


def phrases(
    document: Document, lexicon: Lexicon, *attributes: Attribute
) -> Iterator[tuple[Attribute, Iterator[Match]]]:
    """Each attribute, of the kind *phrase*, with what the description says of the product in phrases of it, as people
    see it."""
    field = document.fields.get(_FIELD)
    if field is not None:
        nouns = _Nouns(field, lexicon, document.language)
        for attribute in attributes:
            yield attribute, _of_one(attribute, document, _Reader(attribute, nouns))


def _of_one(attribute: Attribute, document: Document, reader: "_Reader") -> Iterator[Match]:
    field = reader.field
    for first, last in reader.behind() if attribute.facet == "demand" else reader.described():
        piece = field.pieces[field.piece_at(first)]
        told = words("persons").at_any(field.tokens, sentence_of(field.tokens, first))
        aside = told or is_denied_above(field, piece) or is_aside_above(field, piece)
        aside = aside or (attribute.facet == "supply" and _is_left_out(field, last - 1))
        if not (piece.kind is Kind.GRID or piece.sure or aside):
            limits = attribute.facet == "demand" and words("denies_next").at(field.tokens, first) > 0
            begin = reader.behind_it(first, last) if limits else first
            start = field.tokens[first].start
            end = bracketed_end(field.text, start, field.tokens[last - 1].end)
            said = html.unescape(as_seen(_FIELD, document.quote(_FIELD, field.tokens[begin].start, end)))
            standing = Standing.DENIED if limits else Standing.STATED
            yield Match(said, _FIELD, start, end, Evidence.WORDS, standing)


def _is_left_out(field: Field, noun: int) -> bool:
    """Is the noun at that token not there, as its sentence says where it speaks of it once more ("up to 400 screws on a
    4 Ah battery (battery not included)")?"""
    others = (at for at in sentence_of(field.tokens, noun) if field.tokens[at].stem == field.tokens[noun].stem)
    return any(field.under(at, at + 1) & (Scope.DENIED | Scope.ASIDE) for at in others if at != noun)


@lru_cache
def _single(kinds: tuple[str, ...]) -> frozenset[str]:
    """The stems of all phrases of these kinds that are one word."""
    return frozenset(phrase[0] for kind in kinds for phrase in words(kind).all if len(phrase) == 1)


@lru_cache
def _phrases(listed: tuple[str, ...]) -> Phrases:
    return Phrases(listed)


@lru_cache
def _small() -> frozenset[str]:
    """The stems of words that no noun goes on over."""
    return STOP | _single(_NO_NOUN)


class _Nouns:
    """Of one field, what is a noun whatever the attribute: read once for all."""

    def __init__(self, field: Field, lexicon: Lexicon, language: str) -> None:
        self.field, self.lexicon, self.language = field, lexicon, language
        self.joins = words("joins", language or "en")  # Dutch "of" is no English one.
        self.goods = words("goods", language or "en")  # Spanish "collar" is no English one.

    @cached_property
    def widths(self) -> list[int]:
        """How many tokens the words for a part or a substance have that begin at each."""
        tokens, parts, substance_at = self.field.tokens, self.lexicon.parts, self.lexicon.substance_at
        return [max(parts.at(tokens, at), substance_at(tokens, at)) for at in range(len(tokens))]

    @cached_property
    def general(self) -> frozenset[int]:
        """Tokens that begin a word for goods or for the product, and all nouns that are told by their capitals."""
        tokens, text, whole = self.field.tokens, self.field.text, self.lexicon.labels.whole
        return frozenset(
            at
            for at, token in enumerate(tokens)
            if self.goods.at(tokens, at)
            or whole.at(tokens, at)
            or (self.language == "de" and self.is_joined(at) and text[token.start].isupper())
        )

    def is_joined(self, at: int) -> bool:
        """Does token `at` stand in the clause of the one before it, and no dash between them?"""
        tokens = self.field.tokens
        return at > 0 and tokens[at].clause == tokens[at - 1].clause and not self.is_dashed(at)

    def is_dashed(self, at: int) -> bool:
        """Does a dash stand before token `at`, and no hyphen ("natural- and artificial-grass pitches")?"""
        tokens, text = self.field.tokens, self.field.text
        first, last = tokens[at - 1].end, tokens[at].start
        if last - first == 1 and text[first] == " ":
            return False
        return _DASH.search(text, first, last) is not None and not self.joins.at(tokens, at)


class _Reader:
    """Of one field, for one attribute."""

    def __init__(self, attribute: Attribute, nouns: _Nouns) -> None:
        self.field, self.tokens, self.lexicon, self.language = (
            nouns.field,
            nouns.field.tokens,
            nouns.lexicon,
            nouns.language,
        )
        self.nouns, self.joins = nouns, nouns.joins
        self._is_joined, self._is_dashed = nouns.is_joined, nouns.is_dashed
        self.listed = _phrases(attribute.around)
        self._widths: dict[int, int] = {}
        """Of nouns, by where they begin."""

    def described(self) -> Iterator[Range]:
        """Nouns with what describes them."""
        at, done = 0, 0
        while self.language not in NOUN_FIRST and at < len(self.tokens):
            end = at + self._noun(at)
            while (
                end > at
                and self._goes_on(end)
                and (width := self._noun(end))
                and not self._is_verb(end + width - 1, known=True)
            ):
                end += width  # "mesh panels"
            if end > at and not self._acts(at, end) and (last := self._end(end)):
                first = self._begin(at, max(done, end - _LONGEST))
                if first is not None and first > done and self._is_joined(first) and self._is_number(first - 1):
                    first -= 1  # "5.5 cm high block heel"
                if (
                    first is not None
                    and last - first > 1
                    and not self._says_nothing(first, last)
                    and not self._is_swayed(first, last)
                ):
                    yield first, last
                    done = last
            at = max(at + 1, end)

    def behind(self) -> Iterator[Range]:
        """What stands behind words that the attribute lists; behind one alone, if it is the whole sentence."""
        at, begins = 0, self.listed.firsts
        if begins.isdisjoint(self.field.words):
            return
        while at < len(self.tokens):
            if self.tokens[at].stem not in begins:
                at += 1
                continue
            width = self.listed.at(self.tokens, at)
            first = at + width
            while width and first < len(self.tokens) and words("articles").at(self.tokens, first, first + 1):
                first += 1
            last = self._list_end(at, first) if width and first < len(self.tokens) else at
            if 0 < last - first <= _LONGEST_BEHIND and not self._is_left_open(first, last):
                begin = begin_of(self.tokens, at, clause=False)
                ends = last == len(self.tokens) or not self._is_in_sentence(last)
                denied = begin < at == begin + words("denies_next").at(self.tokens, begin, at)
                if width > 1 and not self._is_swayed(at, at + 1):
                    yield first, self._with_exception(last)
                elif width > 1 and (denial := self._denial(at)) is not None:
                    # "Not made for hiking"; "not for homes with cats" is not for homes.
                    yield denial, end_of(self.tokens, last - 1, clause=True)
                elif ends and width == 1 and denied:
                    yield begin, last  # "Not for wet areas."
                elif ends and width == 1 and at == begin and self._says_what_for(first, last):
                    yield first, last  # "For city walking in hot weather."
            at = max(last, at + 1)

    def _with_exception(self, last: int) -> int:
        """Where the clause ends that takes something out of what ends at token `last`: "dishwashers (except lids)"."""
        goes_on = last < len(self.tokens) and self._is_in_sentence(last)
        excepts = goes_on and words("exceptions").at(self.tokens, last)
        return end_of(self.tokens, last, clause=True) if excepts else last

    def behind_it(self, first: int, last: int) -> int:
        """Where what is denied begins: "hiking" of "not made for hiking"."""
        ends = (at + width for at in range(first, last) if (width := self.listed.at(self.tokens, at)))
        begin = next(ends, first)
        while begin < last - 1 and words("articles").at(self.tokens, begin, last):
            begin += 1
        return min(begin, last - 1)

    def _says_what_for(self, first: int, last: int) -> bool:
        """Is it more than a word ("for yourself"), and no instruction ("for best results, wash cold")?"""
        return last - first > 1 and not self._is_small(first) and not self._is_swayed(first, last)

    def _denial(self, at: int) -> int | None:
        """Where the word begins that denies what begins at token `at`."""
        begin = max(begin_of(self.tokens, at, clause=True), at - _DENIED_WITHIN)
        denied = self.field.under(at, at + 1) == Scope.DENIED
        denials = [one for one in range(begin, at) if denied and words("denies_next").at(self.tokens, one, at)]
        return denials[-1] if denials else None

    def _noun(self, at: int) -> int:
        """How many tokens the noun has that begins there; 0 if none does."""
        if at not in self._widths:
            self._widths[at] = self._width_of_noun(at)
        return self._widths[at]

    def _width_of_noun(self, at: int) -> int:
        compounds = self.language in _COMPOUNDING
        width = max(self.nouns.widths[at], self.listed.at(self.tokens, at))
        if not (width or compounds):
            return 0
        stem = self.tokens[at].stem
        if is_unspaced(stem) or self.nouns.goods.at(self.tokens, at) or any_words(*_NO_PART).at(self.tokens, at):
            return 0
        if compounds and not width:
            return int(stem.endswith(self.lexicon.parts.endings))
        return next((n for n in range(1, width) if not self._is_joined(at + n)), width)

    def _acts(self, first: int, end: int) -> bool:
        """Is what may be a noun a verb ("covers the toe"), or half of an adjective ("low-profile")?"""
        goes_on = end < len(self.tokens) and self._is_joined(end)
        if goes_on and self._is_inflected(end - 1) and self.tokens[end].stem in _PARTICLES:
            end += 1  # "the heel counter locks in the fit"
            goes_on = end < len(self.tokens) and self._is_joined(end)
        return self._is_glued(first - 1) or (goes_on and self._is_any(_BEHIND_VERB, end))

    @cached_property
    def _nouns(self) -> frozenset[int]:
        """Tokens that are nouns, and describe nothing behind an "and" or a comma."""
        return self.nouns.general.union(at for at in range(len(self.tokens)) if self._noun(at))

    def _is_any(self, kinds: tuple[str, ...], at: int) -> bool:
        """Does a word of these kinds stand there?"""
        return self.tokens[at].stem in _single(kinds)

    def _is_subject(self, at: int) -> bool:
        """Does a pronoun stand there that is none of possession?"""
        return self._is_any(("pronouns",), at) and not self._is_any(("possessives",), at)

    def _is_number(self, at: int) -> bool:
        return self.tokens[at].stem[0].isdigit()

    def _is_small(self, at: int) -> bool:
        return self.tokens[at].stem in _small()

    def _is_glued(self, at: int) -> bool:
        return is_glued(self.field.text, self.tokens, at)

    def _is_inflected(self, at: int) -> bool:
        """Is it a word in -s, and not joined to the next: a verb or a plural?"""
        token, text = self.tokens[at], self.field.text
        owns = text[token.start : token.end].casefold().endswith(("'s", "’s", "s'", "s’"))
        return is_inflected(text, token) and not self._is_glued(at) and not owns

    def _is_verb(self, at: int, *, known: bool) -> bool:
        """Is a word in -s behind a noun a verb: does more follow it than a noun would end before? known: is it a noun,
        too?"""
        after = at + 1
        if not self._is_inflected(at) or after == len(self.tokens) or not self._is_joined(after):
            return False
        if self.joins.at(self.tokens, after) or self.tokens[after].stem == "of" or self._is_any(("relatives",), after):
            return False
        return not known or self._is_any(_BEHIND_VERB, after) or not self._is_any(_BEHIND_NOUN, after)

    def _is_in_sentence(self, at: int) -> bool:
        """Does token `at` stand in the sentence of the one before it?"""
        return self.tokens[at].sentence == self.tokens[at - 1].sentence

    def _goes_on(self, at: int) -> bool:
        """May a noun that ends before token `at` go on there? "Translucent details fit in" names no fit."""
        return at < len(self.tokens) and self._is_joined(at) and not self._is_inflected(at - 1)

    def _end(self, end: int) -> int:
        """Where a noun that the words to token `end` (exclusive) name ends; 0 if they are but part of a compound."""
        if end == len(self.tokens) or not self._is_joined(end):
            return end
        if self._is_glued(end - 1):
            return 0
        if self.language in _COMPOUNDING or self._is_small(end) or self._is_inflected(end - 1):
            return end if not self._is_shared(end) else 0
        if not self._is_inflected(end):
            return 0
        if not self._is_verb(end, known=False):
            return end + 1  # "design lines of the original"
        # "The upper wraps around" is an upper, but "foam beads underfoot" are no foam.
        substance = self.lexicon.substance_at(self.tokens, end - 1) > 0
        return 0 if substance and not self._is_any(_BEHIND_VERB, end + 1) else end

    def _is_shared(self, end: int) -> bool:
        """Does an "and" join it to half of a compound: "increased forefoot and midfoot stiffness"?"""
        after = end + self.joins.at(self.tokens, end)
        if not end < after < len(self.tokens) or not self._is_joined(after):
            return False
        other = after + self._noun(after)
        return after < other < len(self.tokens) and self._is_joined(other) and not self._end(other)

    def _begin(self, head: int, least: int) -> int | None:
        """Where what describes the noun at token `head` begins: with "chunky" of "a chunky, sculpted outsole". None
        where what stands before it may describe it, too, or what is said is not of it alone ("leather and suede
        upper")."""
        at = self._described_from(head, least)
        if at == least:
            return None if self._is_joined(at) and self._describes(at - 1) else at
        before = at - 1
        if self.joins.at(self.tokens, before, at) and self._is_joined(at):
            of_other = self._is_joined(before) and before - 1 in self._nouns and not self._substance_ends(before)
            return at if of_other or not self._is_joined(before) or self._is_inflected(before - 1) else None
        if self._is_joined(at) or not self._is_in_sentence(at) or at == head:
            return at
        if before < least or before in self._nouns or not self._describes(before):
            return at
        alone = self._is_joined(before) and not self._describes(before - 1)
        return before if alone and self._is_any(_BEFORE_NOUN, before - 1) else at

    def _substance_ends(self, end: int) -> bool:
        """Do the words for a substance end before token `end`?"""
        return any(self.lexicon.substance_at(self.tokens, at) == end - at for at in range(max(0, end - 3), end))

    def _described_from(self, head: int, least: int) -> int:
        """Where the words that may describe what begins at token `head` begin."""
        at = head
        while at > least and self._is_joined(at) and self._describes(at - 1):
            at -= 1
        while self._is_glued(at - 1):
            at -= 1  # "low-to-the-ground"
        if not 0 < at < head:
            return at
        doing = self.tokens[at].stem.endswith("ing") and self.tokens[at - 1].stem in _BEFORE_DOING
        subject = at - 1 in self._nouns or self._is_subject(at - 1)
        # "By buying cotton", "these shoes meld styles" and "we suggest toe caps" begin with a verb.
        return at + 1 if doing or (subject and self._is_joined(at)) else at

    def _describes(self, at: int) -> bool:
        """May token `at` describe a noun behind it?"""
        glued = self._is_glued(at) or self._is_glued(at - 1)
        return (glued or not self._is_small(at)) and not self._is_inflected(at)

    def _says_nothing(self, first: int, last: int) -> bool:
        """Is it a noun that says little with too few words to it, or half of what stands in quotes, or may it be a
        verb, or begin with an order ("Add classic details to your look")?"""
        tokens = self.tokens
        if sum(char in QUOTES for char in self.field.text[tokens[first].start : tokens[last - 1].end]) % 2:
            return True
        if last - first == 2 and tokens[first].stem == "one":
            return True  # "on one sleeve"
        if not any(token.stem.isalpha() and len(token.stem) > 1 for token in tokens[first : last - 1]):
            return True  # "bis 260 °C stand"
        if tokens[last - 2].stem.endswith("ly") and not self._is_glued(last - 2):
            return True  # "quickly switch"
        told = [at for at in range(first, last - 1) if (tokens[at].stem,) not in words("praise")]
        if self._is_any(("vague_nouns",), last - 1) and (len(told) < _FEWEST or not self._is_of_product(first, last)):
            return True
        begins = first == begin_of(tokens, first, clause=False)
        item = self.field.pieces[self.field.piece_at(first)].kind is Kind.ITEM
        goes_on = last < end_of(tokens, first, clause=True) and tokens[last].stem in STOP
        return begins and goes_on and not item and not self.joins.at(tokens, last)

    def _is_of_product(self, first: int, last: int) -> bool:
        """Does the sentence speak of the product, or a part of it, besides tokens `first` to `last`?"""
        others = (at for at in sentence_of(self.tokens, first) if not first <= at < last)
        return any(
            (at in self._nouns and not self.listed.at(self.tokens, at))
            or words("pointing").at(self.tokens, at)
            or self._is_subject(at)
            for at in others
        )

    def _is_swayed(self, first: int, last: int) -> bool:
        """Is it denied, or said of something else? A thing may well have the look of another."""
        looks = Scope.LIKENESS | Scope.LIKENESS_AFTER
        return any(self.field.under(at, at + 1) & ~looks for at in range(first, last))

    def _list_end(self, begin: int, first: int) -> int:
        """Where the clause of token `begin` ends, with the members of a list that it opens ("firm ground, artificial
        grass and hard"), before what is said of all of it."""
        tokens, end = self.tokens, end_of(self.tokens, begin, clause=True)
        while end < len(tokens) and tokens[end].sentence == tokens[begin].sentence:
            more = end_of(tokens, end, clause=True)
            member = all(self.joins.at(tokens, at, at + 1) or not self._is_small(at) for at in range(end, more))
            member = member and not self._is_done(end) and not self._acts_there(end, more)
            if more - first > _LONGEST_BEHIND or not member:
                break
            end = more
        for at in range(first + 1, end):
            after = at + 2 if at + 1 < end and tokens[at + 1].stem in _PARTICLES else at + 1
            verb = self._is_inflected(at) and after < end and self._is_any(_BEHIND_VERB, after)
            another = self._is_any((*_TURNS, "company"), at) and not words("purposes").at(tokens, at, at + 1)
            behind = at + 1 < end and (self._is_done(at + 1) or self._acts_there(at + 1, end))
            joined = self.joins.at(tokens, at, at + 1) and behind
            if verb and after == at + 1:
                return first  # of "the sharks our designer met" or "the sea makes a look" nobody knows
            if verb or self._is_subject(at) or another or joined or self._is_dashed(at):
                return self._trimmed(first, at)
        return self._trimmed(first, end)

    def _trimmed(self, first: int, end: int) -> int:
        """Where a purpose ends without the small words, and in German the participle, that follow it ("für lange Reisen
        gemacht"); none where it is too much for that ("für Wanderungen zu dünn")."""
        if self.language in _COMPOUNDING and any(words("too").at(self.tokens, at, at + 1) for at in range(first, end)):
            return first
        done = _DONE if self.language in _COMPOUNDING else ()
        while end > first + 1 and (self._is_small(end - 1) or self._is_any(done, end - 1)):
            end -= 1
        return end

    def _acts_there(self, first: int, end: int) -> bool:
        """Does a clause begin with a verb in -s ("wipes clean", not "walks and hikes"), or remark on what was said
        ("obviously")?"""
        verb = end - first > 1 and self._is_inflected(first) and not self.joins.at(self.tokens, first + 1)
        return verb or (end - first == 1 and self.tokens[first].stem.endswith("ly"))

    def _is_done(self, at: int) -> bool:
        """Does a participle stand there: "shipped flat", "gefertigt in Porto"?"""
        return self.tokens[at].stem.endswith("ed") or self._is_any(_DONE, at)

    def _is_left_open(self, first: int, last: int) -> bool:
        """Does it hang on what is said elsewhere: "both", "the athlete who ..."?"""
        relative = last < len(self.tokens) and last - first == 1 and self._is_any((*_TURNS, "pronouns"), last)
        empty = (
            self.tokens[at].stem in STOP or self._is_any(("determiners", "pronouns", "vague_nouns"), at)
            for at in range(first, last)
        )
        return relative or self._is_any(("pronouns",), first) or all(empty)
