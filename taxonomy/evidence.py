"""Where a value was found, on what kind of evidence, and whether it is stated there."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

_LISTED = re.compile(r"[,;/|、，；]")
_REMARK = re.compile(r"\d.*\s.*\s|\s.*\d.*\s|\S+\s\S+\s\S+\s\S+")
"""A number among other words, or more than three words."""
_MEASURE = re.compile(
    r"\s*(?:(?:max|ca|approx|circa|env|bis|up to)\.?\s*)?(?:\d[\d.,]*\s*[^\W\d]{0,4}[\"″%°]?\s*)?", re.IGNORECASE
)


class Evidence(StrEnum):
    """What a value rests on: its class, by which it is trusted (`reaseq.taxonomy.trust`); the strongest first."""

    COLUMN = "column"
    LABEL = "label"
    READ = "label, read by the model"
    NEAR = "label taken by its meaning"
    HEAD = "title head"
    PHRASE = "beside the title's head"
    OPENING = "opening of the description"
    POINTED = "a word that points to it"
    PART = "part beside"
    PURPOSE = "what it is for"
    WORDS = "the text's own words"
    CUE = "cue in sentence"
    ITEM = "list item"
    TITLE = "title"
    PROSE = "free mention"
    PATH = "step of a category path"
    CELL = "whole cell of another column"
    OTHER = "other label"
    TAGGED = "found by the tagger"
    CONTRADICTED = "contradicted"
    OUTWEIGHED = "outweighed by a label"
    HEAD_OUTWEIGHED = "beside the title's head, outweighed by a label"
    VARIANTS = "contradicted by its variants"
    LISTED = "one of several in a cell"
    OTHER_KIND = "of a product of another kind"
    DENIED = "denied by the text"
    IMPLIED = "another value suggests it"
    SUGGESTED = "words that suggest it"
    INDIRECT = "words that say something else"


GUESSED = ("demand", "inferred")
"""Types of claims that no words state."""


class Standing(StrEnum):
    """Is a value stated where its words stand, and if not, why not?"""

    STATED = "stated"
    DENIED = "denied"
    ASIDE = "said of something else"
    LIKENESS = "only looks like it"
    PART = "said of a part"
    LABEL = "under a label that asks for something else"
    CUE = "no word of the attribute stands beside it"
    ASKED = "a label or a question, no statement"
    KIND = "not what the title says the product is"
    NUMBER = "one of several numbers, of a range, or what it may come to have"
    NAME = "part of a name"
    WORDS = "part of words that mean something else"


class Match(NamedTuple):
    """A value found in `field` at `start:end` (characters of the field as received). `beside`: the words that decided,
    a label or a part, as received."""

    value: str
    field: str
    start: int
    end: int
    evidence: Evidence = Evidence.PROSE
    standing: Standing = Standing.STATED
    beside: str = ""

    @property
    def stated(self) -> bool:
        return self.standing is Standing.STATED

    @property
    def denied(self) -> bool:
        return self.standing is Standing.DENIED


@dataclass(frozen=True, slots=True)
class Labelled:
    """What stands at `start:end` of `field` under a label (or in a column) that asks for one attribute and no other.
    `values`: those of the lexicon that are stated there."""

    label: str
    field: str
    start: int
    end: int
    quote: str
    values: frozenset[str]

    @property
    def several(self) -> bool:
        """Does the cell list several things? What is but a measure beside one ("E27, max. 60 W") is none, and no remark
        ("automatic, 42 hours of power reserve")."""
        parts = [part for part in _LISTED.split(self.quote) if part.strip()]
        return len([part for part in parts if not (_MEASURE.fullmatch(part) or _REMARK.search(part.strip()))]) > 1
