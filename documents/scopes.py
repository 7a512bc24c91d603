"""What is said of something else, or denied: which tokens of a field are under which small word's sway.

A scope reaches over tokens, never over the end of a sentence: the next few words of the clause after "not", the clause
after "inspired by", the rest of the sentence after "pairs well with". What the words are is in `language.yaml`.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache
from itertools import groupby

from reaseq.documents.language import answer, any_words, crossed_out, ticked, words
from reaseq.documents.subjects import contrasted, once, other_version, others, siblings, turn, verb_at
from reaseq.documents.tokens import Token, begin_of, end_of, is_glued, is_inflected, is_unspaced, run_begin

_REACH = 3
_NEXT = 2
"""Tokens that a phrase reaches which speaks of the next or last word or two."""
_LONGEST_MEMBER = 2
OPENING = ("(", "[", "（")
CLOSING = (")", "]", "）")
_JOINED = ("・", "や")
_LONGEST_JOINED = 24
"""Characters."""
_NUMBERED = re.compile(r"n[or][.°º]\s*\d|n°\s*\d", re.IGNORECASE)
"""The no of "No. 5" denies nothing."""
_ASKS = "?？"
_LONGEST_OFFER = 8
"""Tokens of each of the things that are offered."""
_COMPARED_WITHIN = 4
"""Tokens from a word for more to what it is more than."""
_LONGEST_NAME = 6
"""Tokens, with its article."""
_LONGEST_LETTERS = 6
"""Letters of a word in a script without blanks."""
_LONGEST_OWN = 6
"""Tokens of a part that another is paired with, with what describes it."""
_LONGEST_TO = 2
"""Letters of "zu" and "te", which are both "too" and "to"."""
_LONGEST_ANSWERED = 4
"""Tokens, with the no that ends them."""


class Scope:
    """denied: the text says that it is not so. aside: said of something else. likeness: only looks like it.
    instruction: what to do with the product, or with others. What the
    words after a token do to it is told apart from what those before it do.

    Bits of a plain number: they are combined for every token, and an `IntFlag` takes many times as long to do so."""

    NONE = 0
    DENIED = 1
    ASIDE = 2
    LIKENESS = 4
    DENIED_AFTER = 8
    LIKENESS_AFTER = 16
    INSTRUCTION = 32
    ASIDE_AFTER = 64


_BEFORE = Scope.DENIED | Scope.ASIDE | Scope.LIKENESS | Scope.INSTRUCTION


def over(under: Sequence[int], first: int, last: int) -> int:
    """What a term at tokens `first` to `last` (exclusive) is under; its own words do nothing to it ("grain-free")."""
    before, after = under[first], under[last - 1]
    found = before & _BEFORE
    if after & Scope.DENIED_AFTER:
        found |= Scope.DENIED
    if after & Scope.LIKENESS_AFTER:
        found |= Scope.LIKENESS
    if before & after & Scope.ASIDE_AFTER:
        found |= Scope.ASIDE
    return found


def scopes(text: str, tokens: Sequence[Token], title: Collection[str] = ()) -> list[int]:
    """For each token, what it is under.

    text: what the tokens were read from. title: stems of the product's title, which tell its own model from "the Kea
    Pro".
    """
    reader = _Reader(text, tokens, title)
    for first, last in crossed_out(text, tokens):
        if first < last and not words("denies_next").at(tokens, first):  # "❌ No grain" denies once
            reader.mark(first, last, Scope.DENIED)
    known = _kinds_by_first()
    for index, token in enumerate(tokens):
        if begins := known.get(token.stem):
            after = tokens[index + 1].stem if index + 1 < len(tokens) else ""
            kinds, rules = begins.get(after) or begins[""]
            if kinds:
                reader.at(index, kinds, rules)
    if "?" in text or "？" in text:
        reader.answers()
    if title:
        for first, last in siblings(text, tokens, title):
            reader.mark(first, last, Scope.ASIDE)
        for first, last in others(text, tokens, title):
            reader.mark(first, last, Scope.ASIDE)
    return reader.under


class _Reader:
    """Marks what the phrases that begin at one token after the other do to the words around them."""

    def __init__(self, text: str, tokens: Sequence[Token], title: Collection[str]) -> None:
        self.text, self.tokens, self.title = text, tokens, title
        self.under = [Scope.NONE] * len(tokens)
        self._clauses = _spans([token.clause for token in tokens])
        self._sentences = _spans([token.sentence for token in tokens])

    def mark(self, first: int, last: int, scope: int) -> None:
        for index in range(max(first, 0), min(last, len(self.tokens))):
            self.under[index] |= scope

    def answers(self) -> None:
        """A question states nothing. What it asks is denied by the no that the next sentence begins with, and is so if
        that is a yes."""
        tokens, first = self.tokens, 0
        while first < len(tokens):
            last = end_of(tokens, first, clause=False)
            after = tokens[last].start if last < len(tokens) else len(self.text)
            sign = self.text[tokens[last - 1].end : after]
            if any(mark in sign for mark in _ASKS):
                at = last
                while at < len(tokens) and (width := words("answer_labels").at(tokens, at)):
                    at += width
                until = end_of(tokens, at, clause=False) if at < len(tokens) else at
                said = ticked(sign.lstrip(" ?？")) if at == last else None
                said = answer(tokens, at, until) if said is None else said
                if said is not True:
                    self.mark(first, last, Scope.ASIDE if said is None else Scope.DENIED)
            first = last

    def at(self, index: int, kinds: frozenset[str], rules: Sequence[Callable[["_Reader"], None]]) -> None:
        """kinds: those of which a phrase begins with the token's stem; rules: those that heed them."""
        if _NUMBERED.match(self.text, self.tokens[index].start):
            return
        self.index, self.kinds = index, kinds
        self.clause, self.sentence = self._clauses[index], self._sentences[index]
        if kinds.isdisjoint(_DENYING) or self._denies_what_follows():
            for rule in rules:
                rule(self)

    def _width(self, kind: str, *, in_sentence: bool = False) -> int:
        """Tokens of the longest phrase of the kind that begins here; 0 if none does."""
        if kind not in self.kinds:
            return 0
        return words(kind).at(self.tokens, self.index, (self.sentence if in_sentence else self.clause)[1])

    def _says(self, kind: str, index: int) -> int:
        """The same at another place of the clause."""
        return words(kind).at(self.tokens, index, self.clause[1]) if index < self.clause[1] else 0

    def _denies_what_follows(self) -> bool:
        """False if it is one of the fixed phrases in which nothing else is said."""
        tokens, index, end = self.tokens, self.index, self.clause[1]
        if width := self._width("denies_clause"):
            # From its second word on: "no apta para inducción" denies "apta para inducción".
            self.mark(index + 1, turn(tokens, index + width, end), Scope.DENIED)
        elif self._width("fixed"):
            return False
        elif words("aside_clause").over(tokens, index, index + 1) > self._width("denies_next"):
            # "Do not use on suede" denies no suede.
            return True
        elif index > 1 and tokens[index - 1].stem == "h" and tokens[index - 2].stem[0].isdigit():
            # "50 hours without noise cancelling": it may be left off.
            return True
        elif (width := self._width("denies_next")) and (
            words("with_or_without").over(tokens, index, index + width) or self._leaves_a_choice(width)
        ):
            # What may be left off is neither there nor not.
            self.mark(index, turn(tokens, index + width, end), Scope.ASIDE)
        elif width:
            after = index + width
            if is_glued(self.text, tokens, after - 1):
                self.mark(after, after + 1, Scope.DENIED)
            elif self._is_for_something(after):
                self.mark(after, turn(tokens, after, end), Scope.DENIED)  # "not made for hiking"
            elif more := self._says("denies_more", after):
                self.mark(after + more, after + more + _NEXT, Scope.ASIDE)
            elif after < end and not self._says("denies_not_before", after):
                until = _denied_until(tokens, after, end)
                if until == end and (list_end := _list_end(tokens, end, self.sentence[1])):
                    self.mark(end, list_end, Scope.DENIED)
                if is_unspaced(tokens[index].stem):
                    until = _run_end(tokens, index, until) if width == 1 else self._enumerated(until)
                beyond = _beyond(tokens, after, until)
                self.mark(after, beyond, Scope.DENIED)
                self.mark(beyond, until, Scope.ASIDE)
                if index == self.clause[0] and (verb := verb_at(tokens, after + 1, min(after + _REACH, end))):
                    # "No watch is truly waterproof": it is said of all of them.
                    self.mark(verb, turn(tokens, verb, end), Scope.ASIDE)
        if tokens[index].stem == "0" and index + 1 < end and tokens[index + 1].stem == "%":
            self.mark(index + 2, min(index + 4, end), Scope.DENIED)
        return True

    def _leaves_a_choice(self, width: int) -> bool:
        """ "Wear them without the laces" """
        tokens, index, begin = self.tokens, self.index, self.clause[0]
        return words("without").at(tokens, index) == width and any(
            words("may_be_worn").at(tokens, at, index) == index - at for at in range(max(begin, index - _NEXT), index)
        )

    def _is_too_much(self) -> None:
        """ "Too delicate for hiking", "für Wanderungen zu dünn" """
        tokens, index, (begin, end) = self.tokens, self.index, self.clause
        if not self._width("too") or index + 1 >= end or self._is_no_quality(index + 1):
            return
        purpose = next((at for at in range(index + 1, min(index + 2 + _NEXT, end)) if self._says("purposes", at)), None)
        if purpose is not None:
            self.mark(purpose, turn(tokens, purpose, end), Scope.DENIED)
        elif index + _NEXT >= end and words("purposes").at(tokens, begin, index):
            self.mark(begin, index, Scope.DENIED)

    def _is_no_quality(self, index: int) -> bool:
        """Is it a verb or a noun behind a German or Dutch "to" ("zu empfehlen", "zu Hause", "te dragen")?"""
        before, here = self.tokens[index - 1], self.tokens[index]
        return len(before.stem) == _LONGEST_TO and (self.text[here.start].isupper() or here.stem.endswith("en"))

    def _is_for_something(self, index: int) -> bool:
        """ "Made for", "really ideal for", "conçue pour" """
        made = next((at for at in range(index, min(index + _NEXT, self.clause[1])) if self._says("suited", at)), None)
        return made is not None and any(self._says("purposes", at) for at in range(made + 1, made + 1 + _NEXT))

    def _denies_what_precedes(self) -> None:
        tokens, index, (begin, end) = self.tokens, self.index, self.clause
        if is_unspaced(tokens[index].stem):
            # "拉链 不含腰带": a blank parts what is said.
            begin = max(begin, run_begin(tokens, index))
        if index + 1 == end and self._width("denies_next"):
            # "Wasserdicht ist er nicht", "waterproof it is not"
            if self._says("being", index - 1) and self._says("pronouns", index - 2) and index - 2 > begin:
                self.mark(begin, index - 2, Scope.DENIED)  # "relaxed through the thigh it is not"
            before = range(max(begin, index - 4), index)
            verbs = [at for at in before if self._says("being", at) or self._says("having", at)]
            self.mark(begin, verbs[0] if verbs and verbs[0] - begin <= 2 else begin, Scope.DENIED)
        width = 0 if tokens[index].stem[0].isdigit() else self._width("no")
        # "Wasserdicht nein"; but "Leder reißt nicht" denies the verb.
        longest = _LONGEST_MEMBER if self._width("denies_next") else _LONGEST_ANSWERED
        if width and begin < index and index + width == end <= begin + longest:
            self.mark(begin, index, Scope.DENIED)
        if width := self._width("denies_before"):
            if self._says("purposes", index + width) or self._says("prepositions", index + width):
                # "not suitable for induction"
                self.mark(index + 1, end, Scope.DENIED)
            else:
                self.mark(begin, index, Scope.DENIED)
        width = self._width("but_is_not")
        if width and index + width == end:
            self.mark(self.sentence[0], index, Scope.DENIED)
        width = self._width("this_one_not", in_sentence=True)
        if width and index + width == self.sentence[1]:
            self.mark(self.sentence[0], index, Scope.ASIDE)
        if index - begin > 1 and self._width("no") and words("denied_verbs").at(tokens, index - 2, index - 1):
            self.mark(index - 1, index, Scope.DENIED)  # "la montre ne chronomètre pas"
        if index > begin and (width := self._width("denies_last")):
            after = index + width
            if not self._says("denies_last_not_before", after) or is_glued(self.text, tokens, index - 1):
                for last in self._joined_before(index):
                    self.mark(last, last + 1, Scope.DENIED_AFTER)

    def _joined_before(self, index: int) -> Iterator[int]:
        """The last tokens of all that are joined before `index` in a script without blanks ("本革・合皮")."""
        yield index - 1
        begin = max(self.clause[0], index - _LONGEST_JOINED)
        if is_unspaced(self.tokens[index - 1].stem):
            yield from (at - 1 for at in range(begin + 1, index - 1) if self.tokens[at].stem in _JOINED)

    def _enumerated(self, until: int) -> int:
        """Where a list ends that the enumeration comma goes on with ("不含酒精、香精")."""
        tokens = self.tokens
        while until < len(tokens) and "、" in self.text[tokens[until - 1].end : tokens[until].start]:
            end = end_of(tokens, until, clause=True)
            if words("denies_next").at(tokens, until, end):
                break  # "不含酒精、不含香精" denies twice
            until = end
        return until

    def _excepts(self) -> None:
        """ "For all hobs except induction" """
        tokens, index, begin = self.tokens, self.index, self.sentence[0]
        if self._width("exceptions", in_sentence=True):
            whole = next((at for at in range(begin, index) if words("wholes").at(tokens, at, index)), index)
            if whole < index:
                self.mark(max(begin, whole - 1), index, Scope.ASIDE)

    def _is_of_version(self) -> None:
        if self._width("versions") and self._is_other_version():
            self.mark(self.index + 1, turn(self.tokens, self.index + 1, self.sentence[1]), Scope.ASIDE)

    def _is_of_others(self) -> None:
        tokens, index, end = self.tokens, self.index, self.clause[1]
        width = self._width("aside_rest", in_sentence=True) or self._width("deals", in_sentence=True)
        if width and not self._is_of_its_parts(index + width):
            self.mark(index + width, self.sentence[1], Scope.ASIDE)
        elif width := self._width("aside_clause"):
            until = self._with_brackets(turn(tokens, index + width, end))
            if until == end and end < self.sentence[1] and words("relatives").at(tokens, end, self.sentence[1]):
                until = end_of(tokens, end, clause=True)
            self.mark(index + width, until, Scope.ASIDE)
        elif (width := self._width("aside_orders")) and self._is_order():
            self.mark(index + width, turn(tokens, index + width, self.sentence[1]), Scope.ASIDE)

    def _is_worn_with(self) -> None:
        if self._width("wears") and self.index == self.sentence[0] and (other := self._worn_with()):
            self.mark(other, self.sentence[1], Scope.ASIDE)

    def _evokes(self) -> None:
        tokens, index, end = self.tokens, self.index, self.clause[1]
        if (width := self._width("evokes")) and not self._says("pointing", index + width):
            own = next((at for at in range(index + width, end) if self._says("company", at)), end)
            self.mark(index + width, turn(tokens, index + width, own), Scope.ASIDE)
            if own == end < self.sentence[1] and self._names_it_again(end):
                self.mark(end, end_of(tokens, end, clause=True), Scope.ASIDE)

    def _feels_like(self) -> None:
        index, end = self.index, self.clause[1]
        if width := self._width("feel_of"):
            joined = (at for at in range(index + width, end) if self._says("joins", at))
            self.mark(index + width, turn(self.tokens, index + width, next(joined, end)), Scope.ASIDE)

    def _names_others(self) -> None:
        if width := self._width("others"):
            after = self.index + width
            self.mark(after, turn(self.tokens, after, self.clause[1]), Scope.ASIDE)

    def _sends_away(self) -> None:
        """ "Not for you? Try the Kea, which is waterproof." """
        if self._width("sends_away", in_sentence=True) and self._is_asked():
            after = self.sentence[1]
            until = end_of(self.tokens, after, clause=False) if after < len(self.tokens) else after
            self.mark(self.index, until, Scope.ASIDE)

    def _is_aside_around(self) -> None:
        tokens, index, (begin, end) = self.tokens, self.index, self.clause
        if width := self._width("aside_around"):
            if (begin, end) != (index, index + width):
                self.mark(begin, end, Scope.ASIDE)
            elif index and self.text[tokens[index - 1].end : tokens[index].start].strip() in OPENING:
                # "with a charger (optional)"
                self.mark(begin_of(tokens, index - 1, clause=True), end, Scope.ASIDE)
            else:
                self.mark(*self.sentence, Scope.ASIDE)

    def _is_given(self) -> None:
        tokens, index = self.tokens, self.index
        if self._width("gifts") and index and "+" in self.text[tokens[index - 1].end : tokens[index].start]:
            self.mark(index, self.sentence[1], Scope.ASIDE)

    def _is_aside_beside(self) -> None:
        index, (begin, end) = self.index, self.clause
        if width := self._width("aside_next"):
            self.mark(index + width, min(index + width + _NEXT, end), Scope.ASIDE)
        width = self._width("aside_last")
        if width and not self._says("used_to", index + width):  # "the grip needed to win"
            reach = _LONGEST_LETTERS if is_unspaced(self.tokens[index].stem) else _NEXT
            self.mark(max(begin, index - reach), index, Scope.ASIDE_AFTER)

    def _is_order(self) -> bool:
        """ "Just add a lace", not "a knit that adds a": does it begin a clause, uninflected?"""
        token = self.tokens[self.index]
        bare = not is_inflected(self.text, token)
        return self.index == self.clause[0] or (bare and self._says("before_orders", self.index - 1) > 0)

    def _worn_with(self) -> int:
        """Where the other thing begins that an order tells to wear a thing with ("wear this tee with cycling shorts");
        0 if there is none."""
        tokens, end = self.tokens, self.clause[1]
        for at in range(self.index + 1, end):
            if self._says("company", at) and not self._says("purposes", at):
                goods = range(at + 1, min(at + 1 + _LONGEST_OWN, end))
                return at + 1 if any(words("goods").at(tokens, one) for one in goods) else 0
        return 0

    def _is_of_its_parts(self, after: int) -> bool:
        """Is it of what the product consists of: "the footbed pairs with a foam", "paired with soft fabric"?"""
        tokens, end = self.tokens, min(after + _LONGEST_OWN, self.sentence[1])
        return (self.index > 0 and words("parts").at(tokens, self.index - 1, self.index) > 0) or any(
            words("consists_of").at(tokens, at, end) for at in range(after, end)
        )

    def _is_of_another_subject(self) -> None:
        index, end = self.index, self.clause[1]
        found = once(self.tokens, index) if self._width("once") else None
        if found is None and self._width("version_nouns"):
            found = other_version(self.tokens, index, self.title)
        if found is not None:
            self.mark(*found, Scope.ASIDE)
        width = self._width("no") or self._width("denies_next")
        if width and index + width == end and (other := contrasted(self.tokens, index, end, self.title)):
            self.mark(*other[0], Scope.DENIED if other[1] else Scope.ASIDE)

    def _with_brackets(self, end: int) -> int:
        """Where the brackets end that open after token `end - 1`: "compared to the X1 (4G, LCD)"; else `end`."""
        tokens = self.tokens
        if not 0 < end < len(tokens) or tokens[end].sentence != tokens[end - 1].sentence:
            return end
        if self.text[tokens[end - 1].end : tokens[end].start].strip() not in OPENING:
            return end
        last = end_of(tokens, end, clause=False)
        closing = (at for at in range(end, last) if _closes(self.text, tokens, at))
        return next(closing, last - 1) + 1

    def _compares(self) -> None:
        """ "Lighter than leather", "plus doux que le cuir", "kühler als Leinen und Satin"; not "more than 10 hours"."""
        tokens, index, (begin, end) = self.tokens, self.index, self.clause
        width = self._width("than")
        if not width and (width := self._width("than_after_more")):
            before = range(max(begin, index - _COMPARED_WITHIN), index)
            if not self._is_comparative(index - 1) and not any(self._says("more", at) for at in before):
                return
        after = index + width
        if width and after < end and not tokens[after].stem[0].isdigit():
            until = next((at for at in range(after + 1, end) if self._says("joins", at)), end)
            # "than cotton and satin", but "than leather and fully waterproof"
            last = self._with_brackets(end) if end - until <= _LONGEST_MEMBER else until
            self.mark(after, last, Scope.ASIDE)

    def _is_comparative(self, index: int) -> bool:
        """Is it a Germanic adjective in -er, of the same clause: "kühler (als)", but no "oder" and no noun?"""
        if index < self.clause[0]:
            return False
        word = self.text[self.tokens[index].start : self.tokens[index].end]
        begins = index == self.sentence[0]
        return (word.islower() or begins) and word.endswith(("er", "ere")) and not self._says("no_comparatives", index)

    def _offers(self) -> None:
        """Of several things that a product may be had in, nobody knows which this one is: "available in black or red",
        "in Schwarz und Rot erhältlich"."""
        tokens, index, (begin, end) = self.tokens, self.index, self.sentence
        if self._width("offered") and any(self._says("also", at) for at in range(self.clause[0], index)):
            self.mark(*self.clause, Scope.ASIDE)  # "auch gemahlen erhältlich"
        if width := self._width("offers", in_sentence=True):
            first, last = index + width, min(end, index + width + _LONGEST_OFFER)
        elif (width := self._width("offered", in_sentence=True)) and index + width == end:
            first, last = max(begin, index - _LONGEST_OFFER), index
        else:
            return
        if any(words("mixtures").at(tokens, at) for at in range(first, min(first + _NEXT, last))):
            return
        joined = [at for at in range(first + 1, last) if words("joins").at(tokens, at)]
        with_ = [at for at in range(first + 1, last) if words("company").at(tokens, at)]
        if joined and not (with_ and with_[0] < joined[-1]):
            self.mark(first, end_of(tokens, joined[-1], clause=True) if last > index else last, Scope.ASIDE)

    def _names_it_again(self, index: int) -> bool:
        """Does a name with its article follow a comma, up to the end of the sentence: "last season's pair, the React
        Boot"?"""
        end = end_of(self.tokens, index, clause=True)
        article = words("articles").at(self.tokens, index, end)
        return end == self.sentence[1] and 0 < article < end - index <= _LONGEST_NAME

    def _chooses_another(self) -> None:
        """ "If you need a hood, take the Storm", "For puppies, try our lamb", "Für Regen empfehlen wir den Sturm"."""
        index, (begin, end), tokens = self.index, self.sentence, self.tokens
        width = self._width("chooses")
        if not width or self._says("pointing", index + width):
            return
        clauses = [at for at in range(begin, index) if at == begin or tokens[at].clause != tokens[at - 1].clause]
        conditions = [at for at in clauses if words("conditions").at(tokens, at, index)]
        if conditions and (self.clause[0] == index or self.clause[0] in conditions):
            self.mark(conditions[0], end, Scope.ASIDE)

    def _is_asked(self) -> bool:
        """Does the sentence end with a question mark?"""
        last, tokens = self.sentence[1], self.tokens
        ends = tokens[last].start if last < len(tokens) else len(self.text)
        return any(sign in self.text[tokens[last - 1].end : ends] for sign in _ASKS)

    def _is_other_version(self) -> bool:
        """ "The Kea Pro", of a product whose title says Kea: both as names, and no Pro in the title."""
        index, tokens = self.index, self.tokens
        if not index or tokens[index].stem in self.title or tokens[index - 1].stem not in self.title:
            return False
        before = self.text[tokens[index - 1].start]
        return self.text[tokens[index].start].isupper() and (before.isupper() or before.isdigit())

    def _instructs(self) -> None:
        index, (begin, end) = self.index, self.clause
        if index - begin <= _NEXT and (width := self._width("instructs")):
            to_do = index > begin and self._says("purposes", index - 1)  # "for use"
            told = is_inflected(self.text, self.tokens[index])  # "the Kea uses mesh"
            if not to_do and not (told and index > begin) and not self._says("instructed_itself", index + width):
                self.mark(index + width, end, Scope.INSTRUCTION)
        if (width := self._width("instructs_last")) and index + width == end:
            self.mark(begin, index, Scope.INSTRUCTION)

    def _likens(self) -> None:
        index, (begin, end) = self.index, self.clause
        if width := self._width("like_next"):
            until = min(index + width + _NEXT, end)
            joined = (
                at for at in range(index + width, until) if self._says("joins", at)
            )  # "the synthetic and mesh upper"
            self.mark(index + width, next(joined, until), Scope.LIKENESS)
        if (width := self._width("like_last")) and not self._says(
            "articles", index + width
        ):  # "rubber soles finish the look"
            reach = 1 if is_unspaced(self.tokens[index].stem) else _NEXT
            self.mark(max(begin, index - reach), index, Scope.LIKENESS_AFTER)


_RULES: tuple[tuple[Callable[["_Reader"], None], frozenset[str]], ...] = (
    (
        _Reader._denies_what_precedes,
        frozenset(("no", "denies_next", "denies_before", "denies_last", "but_is_not", "this_one_not")),
    ),
    (_Reader._is_too_much, frozenset(("too",))),
    (_Reader._excepts, frozenset(("exceptions",))),
    (_Reader._is_of_version, frozenset(("versions",))),
    (_Reader._is_of_others, frozenset(("aside_rest", "deals", "aside_clause", "aside_orders"))),
    (_Reader._is_worn_with, frozenset(("wears",))),
    (_Reader._evokes, frozenset(("evokes",))),
    (_Reader._feels_like, frozenset(("feel_of",))),
    (_Reader._names_others, frozenset(("others",))),
    (_Reader._sends_away, frozenset(("sends_away",))),
    (_Reader._is_aside_around, frozenset(("aside_around",))),
    (_Reader._is_given, frozenset(("gifts",))),
    (_Reader._is_aside_beside, frozenset(("aside_next", "aside_last"))),
    (_Reader._is_of_another_subject, frozenset(("once", "version_nouns", "no", "denies_next"))),
    (_Reader._chooses_another, frozenset(("chooses",))),
    (_Reader._compares, frozenset(("than", "than_after_more"))),
    (_Reader._offers, frozenset(("offers", "offered"))),
    (_Reader._instructs, frozenset(("instructs", "instructs_last"))),
    (_Reader._likens, frozenset(("like_next", "like_last"))),
)
"""What phrases do to the words around them, and the kinds of phrases that do it."""
_DENYING = frozenset(("denies_clause", "fixed", "denies_next"))
"""The kinds that `_denies_what_follows` heeds."""


_Begun = tuple[frozenset[str], tuple[Callable[[_Reader], None], ...]]
"""Kinds of which a phrase begins somewhere, and the rules to be tried there."""


@lru_cache
def _kinds_by_first() -> dict[str, dict[str, _Begun]]:
    """For each stem, by the stem behind it, what begins with the two; under "" what begins whatever follows. Most small
    words begin phrases, and few of these stand there."""
    found: dict[str, dict[str, set[str]]] = {"0": {"%": {"denies_next"}}}
    for kind in _DENYING.union(*(kinds for _, kinds in _RULES)):
        for first, *more in words(kind).all:
            found.setdefault(first, {}).setdefault(more[0] if more else "", set()).add(kind)
    return {
        first: {after: _begun(kinds | by_next.get("", set())) for after, kinds in {"": set[str](), **by_next}.items()}
        for first, by_next in found.items()
    }


def _begun(kinds: set[str]) -> _Begun:
    return frozenset(kinds), tuple(rule for rule, heeded in _RULES if not heeded.isdisjoint(kinds))


def _spans(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """For each of some numbers, where the run of its like begins and ends (exclusive)."""
    spans: list[tuple[int, int]] = []
    for _, run in groupby(numbers):
        first, count = len(spans), len(list(run))
        spans += [(first, first + count)] * count
    return spans


def _closes(text: str, tokens: Sequence[Token], index: int) -> bool:
    """Does a bracket close behind token `index`?"""
    behind = tokens[index + 1].start if index + 1 < len(tokens) else len(text)
    return any(sign in text[tokens[index].end : behind] for sign in CLOSING)


def _list_end(tokens: Sequence[Token], first: int, last: int) -> int:
    """Where a list ends that goes on after a comma and has an "or" before its last member ("no laces, zips or
    buckles"); 0 if none does."""
    at = first
    while at < last:
        end = end_of(tokens, at, clause=True)
        if _denies_by_itself(tokens, at, end):
            return 0
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
    """A denial's reach: a few words, and a few more after each "or"; what only says by whose word ("not yet certified
    cruelty-free") does not count."""
    while first < last and any_words("attested", "articles").at(tokens, first, last):
        first += 1
    until = min(first + _REACH, last)
    index = first
    while index < until:
        if words("turns").at(tokens, index, last):
            return index
        if index > first and _denies_by_itself(tokens, index, last):
            return index
        if (width := words("left_off").at(tokens, index, last)) and index + width < last:
            # "without laces leather white"
            index += width
            if not (words("carries_on").at(tokens, index, last) or words("joins").at(tokens, index, last)):
                return index
            until = min(index + 1 + _REACH, last)
        if index > first and words("carries_on").at(tokens, index, last):
            until = min(index + 1 + _REACH, last)
        index += 1
    if until < last and words("carries_on").at(tokens, until, last):
        return until if _denies_by_itself(tokens, until + 1, last) else _denied_until(tokens, until + 1, last)
    return until


def _denies_by_itself(tokens: Sequence[Token], index: int, last: int) -> bool:
    """ "No parabens and no alcohol", "not sticky and alcohol-free": does a denial of its own stand there?"""
    if index >= last or words("carries_on").at(tokens, index, last):
        return False
    behind = index + 1 < last and words("denies_last").at(tokens, index + 1, last) > 0
    return behind or words("denies_next").at(tokens, index, last) > 0
