"""Sentences of a product text that speak to a machine rather than about the product.

Product text comes from strangers, and some of it gives orders to whatever model reads it. Such a
sentence states nothing about the product: it is shown to no model, and nothing in it is evidence.
The patterns need an order *and* its object ("ignore … instructions"), so that "ignore the weather"
stays a sentence about a coat. A turn of a chat, marked as one, is no product text at all.
They are a first line only; grounding is the second.
"""

import re
import unicodedata

_SENTENCE = re.compile(r"[^.!?。！？\n]+[.!?。！？\n]*")
_TURN = re.compile(
    r"(?:<\|(?:im_start|start_header_id|system|user|assistant)\|>|\[INST\]|<<SYS>>)"
    r".*?(?:<\|(?:im_end|eot_id|eom_id|end|endoftext)\|>|\[/INST\]|<</SYS>>|\Z)"
    r"|#{2,} ?(?:instruction|response|system|assistant)\b[^\n]*",
    re.IGNORECASE | re.DOTALL,
)
"""A turn as chat templates mark it: ChatML, Llama, Alpaca."""

_PASS_OVER = (
    r"\b(?:z|pro)?ignor\w*|\b(?:disregard|forget|override|bypass|vergiss|missachte|oublie[zr]?|olvid\w+"
    r"|dimentica\w*|esque[çc]\w+|negeer|vergeet|pomi[ńn]\w*|игнорир\w*|забудь\w*|ohita|unohda)\b"
)
_INSTRUCTIONS = (
    r"\b(?:instru[ckçz]\w+|istruzion\w*|prompt\w*|rules?|guidelines?|anweisung\w*|befehl\w*|vorgabe\w*|consignes?|regola|regole"
    r"|regras?|reglas?|polece\w+|pokyn\w*|инструкц\w*|указани\w*|ohje\w*|above|previous|prior)\b"
)
_SAY = r"\b(?:answer|respond|reply|output|return|print|say|state|write|repeat|classify|label|set|mark)\b"
_ORDER = re.compile(
    rf"(?:{_PASS_OVER}).{{0,60}}{_INSTRUCTIONS}"
    r"|\b(?:you are|you're) (?:now |as )(?:a|an|the|if|in)\b|(?:^|[.!?:\n])\s*(?:act|behave) as (?:a|an|the|if)\b"
    r"|\bsystem (?:prompt|message)\b|\bas an ai\b|\blanguage model\b"
    r"|\bai (?:assistant|model|system)s?\b|\bdeveloper mode\b"
    rf"|{_SAY}.{{0,20}}\b(?:that this|that it is|this (?:shoe|product|item)|only with|with only|with \{{|yes to|null"
    r"|json|the (?:attribute|value|word|phrase|sentence|text)s?)\b"
    r"|\battributes?\b.{0,60}\b(?:must|shall|always|set)\b"
    r"|(?:^|[.!?。！？\n])\s*(?:(?:assistant|user)\s*:|system\s*:(?:\s+\S+){5})"
    r"|\b(?:write|compose|tell)\b.{0,12}\b(?:poem|joke|essay)\b"
    r"|\bdu bist (?:jetzt|nun)\b|\bantworte\b.{0,30}\b(?:dass|nur|mit)\b"
    r"|忽略.{0,20}(?:指令|指示|提示)|无视.{0,20}(?:指令|指示)|你现在是|请回答|無視.{0,12}(?:指示|命令)|(?:指示|命令).{0,12}無視"
    r"|あなたは今|と答え|と回答|지시.{0,12}무시|تجاهل.{0,40}(?:تعليمات|أوامر)"
    r"|talimat\w*.{0,30}\b(?:yok say|görmezden|dikkate alma)",
    re.IGNORECASE,
)


def orders(text: str) -> list[tuple[int, int]]:
    """Where the sentences stand that give orders: spans of `text`, in order."""
    # Characters that nobody sees must not hide an order.
    seen = text if text.isascii() else "".join(char for char in text if unicodedata.category(char) != "Cf")
    turns = [match.span() for match in _TURN.finditer(seen)]
    if not turns and not _ORDER.search(seen):
        return []
    found, after = [], 0
    for start, end in [*turns, (len(seen), len(seen))]:
        between = _SENTENCE.finditer(seen, after, start)
        found += [match.span() for match in between if _ORDER.search(match.group())] + [(start, end)]
        after = end
    places = [place for place, char in enumerate(text) if unicodedata.category(char) != "Cf"] + [len(text)]
    return [(places[start], places[end]) for start, end in found[:-1]]


def without_orders(text: str) -> str:
    """`text` with such sentences taken out."""
    for start, end in reversed(orders(text)):
        text = text[:start] + " " + text[end:]
    return text
