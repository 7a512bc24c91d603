"""Sentences of a product text that speak to a machine rather than about the product.

Product text comes from strangers, and some of it gives orders to whatever model reads it. Such a
sentence states nothing about the product: it is shown to no model, and nothing in it is evidence.
The patterns need an order *and* its object ("ignore … instructions"), so that "ignore the weather"
stays a sentence about a coat. They are a first line only; grounding is the second.
"""

import re

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？\n]*")
_ORDER = re.compile(
    r"\b(?:ignor\w*|disregard|forget|override|bypass)\b.{0,60}\b(?:instruction|prompt|rule|guideline|above|previous|prior)"
    r"|\b(?:you are|you're|act|behave) (?:now |as )(?:a|an|the|if)\b"
    r"|\bsystem (?:prompt|message)\b|\bas an ai\b|\blanguage model\b"
    r"|\b(?:answer|respond|reply|output|return|print|say|state|write|classify|label|set|mark)\b.{0,20}"
    r"\b(?:that this|this (?:shoe|product|item)|only with|with only|yes to|null|json|the (?:attribute|value|field)s?)\b"
    r"|\b(?:write|compose|tell)\b.{0,12}\b(?:poem|joke|essay)\b"
    r"|\bignorier\w*\b.{0,60}\b(?:anweisung|befehl|vorgabe)|\b(?:vergiss|missachte)\b.{0,60}\b(?:anweisung|befehl)"
    r"|\bdu bist (?:jetzt|nun)\b|\bantworte\b.{0,30}\b(?:dass|nur|mit)\b"
    r"|\b(?:ignore[zr]?|oublie[zr]?)\b.{0,60}\b(?:instruction|consigne)|\b(?:ignora|olvida)\b.{0,60}\binstruccion"
    r"|忽略.{0,20}(?:指令|指示|提示)|无视.{0,20}(?:指令|指示)|你现在是|请回答|無視.{0,12}(?:指示|命令)|(?:指示|命令).{0,12}無視"
    r"|あなたは今|と答え|と回答|지시.{0,12}무시",
    re.IGNORECASE,
)


def orders(text: str) -> list[tuple[int, int]]:
    """Where the sentences stand that give orders: spans of `text`, in order."""
    if not _ORDER.search(text):
        return []
    return [match.span() for match in _SENTENCE.finditer(text) if _ORDER.search(match.group())]


def without_orders(text: str) -> str:
    """`text` with such sentences taken out."""
    for start, end in reversed(orders(text)):
        text = text[:start] + " " + text[end:]
    return text
