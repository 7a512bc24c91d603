"""Sentences of a product text that speak to a machine rather than about the product.

Product text comes from strangers, and some of it gives orders to whatever model reads it. Such a
sentence states nothing about the product: it is shown to no model, and nothing in it is evidence.
The patterns need two of three: somebody who reads by trade ("annotator", "AI"), their work ("summary",
"instructions"), and a directive ("must", "ignore"), so that "ignore the weather" stays a sentence about
a coat. A turn of a chat, marked as one, is no product text at all. They are a first line only;
grounding is the second.
"""

import re
import unicodedata

_SENTENCE = re.compile(r"[^.!?。！？।॥؟۔\n]+[.!?。！？।॥؟۔\n]*")
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
_SPACED = re.compile(r"(?<!\w)(?:\w ){3,}\w(?!\w)")
_READER = (
    r"\b(?:ais?|(?:chat ?)?bots?|robots?|assistants?|annotators?|llms?|gpt\w*|language models?|dear models?|crawlers?"
    r"|extractors?|summari[sz]ers?|classifiers?)\b"
)
_TOLD = (
    r"\b(?:must|shall|should|ha(?:s|ve) to|please|always|never|ignore|disregard|forget|write|say|append|reveal|pretend"
    r"|stop|call|describe|recommend|list|record|return|mention|note|if you are|reading this)\b"
)
_WORK = (
    r"\b(?:summar(?:y|ies|i[sz]e)|extraction|extracting|repl(?:y|ies)|responses?|answers?|outputs?|attributes?"
    r"|values? you|the string|permitted word|new (?:task|rule)|[a-z]+_[a-z]+ ?=)\b"
)
_HOW = (
    r"\b(?:must|shall|should|ha(?:s|ve) to|please|always|never|only|from now on|begin|end|instead|stop|correct|counted"
    r"|thank)\b"
)
_NEAR = ".{0,150}"
_PASS_OVER_ABROAD = (
    r"(?:\b(?:gl[öe]m|bortse|ignorer|ignorir|hagyd figyelmen|felejtsd|αγν[όο]|ξ[έε]χν|παρ[άα]βλεψ|bỏ qua|quên"
    r"|n['’]écoute|ne ten(?:ez|ir|ons) pas compte|no hagas caso|non considerare|abaikan|lupakan|ігнору|забуд|забрав"
    r"|nepaisyk|ignoruok|eira\b|unusta\b|neņem|zabud|zapome|zanemari|huwag pansinin|puuza)"
    r"|अनदेखा|नज़रअंदाज|भूल जा|เพิกเฉย|ละเว้น|ลืม|התעלם|תתעלם|שכח|نادیده|نظرانداز|উপেক্ষা|புறக்கணி)"
)
_INSTRUCTIONS_ABROAD = (
    r"(?:\b(?:instru[ckçz]|utasítás|οδηγ[ίι]|εντολ|hướng dẫn|chỉ dẫn|consigne|directive|anvisning|arahan|petunjuk"
    r"|perintah|вказів|інструкц|указан|nurodym|juhis|juhend|norādīj|pokyn|inštruk|uput|navodil|tagubilin|maagizo"
    r"|maelekezo)|निर्देश|คำสั่ง|คำแนะนำ|הוראות|הנחיות|دستور|ہدایات|নির্দেশ|வழிமுறை)"
)
_ORDER = re.compile(
    rf"{_READER}{_NEAR}{_TOLD}|{_TOLD}{_NEAR}{_READER}|{_WORK}{_NEAR}{_HOW}|{_HOW}{_NEAR}{_WORK}"
    rf"|{_PASS_OVER_ABROAD}{_NEAR}{_INSTRUCTIONS_ABROAD}|{_INSTRUCTIONS_ABROAD}{_NEAR}{_PASS_OVER_ABROAD}"
    r"|\bpretend (?:that|to be)\b|</?(?:system|user|assistant|instructions?|prompt)>|\b(?:from now on|ab jetzt"
    r"|(?:à partir de|dès) maintenant|a partir de a(?:hora|gora)|d'ora in poi|od teraz|vanaf nu|från och med nu)\b"
    r"|\b(?:begin|end) of (?:product|text|description|input|data)\b|\bbegin (?:new )?(?:task|instructions?)\b"
    r"|\bthe (?:previous|above|preceding) (?:text|description)\b|\bthe real (?:product|item|shoe|text)\b"
    r"|\band (?:write|say) so\b|"
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


def _gives_orders(text: str) -> bool:
    # "I g n o r e" reads as one word.
    read = _SPACED.sub(lambda letters: letters.group().replace(" ", ""), text)
    return _ORDER.search(read) is not None


def orders(text: str) -> list[tuple[int, int]]:
    """Where the sentences stand that give orders: spans of `text`, in order."""
    # Characters that nobody sees must not hide an order.
    seen = text if text.isascii() else "".join(char for char in text if unicodedata.category(char) != "Cf")
    turns = [match.span() for match in _TURN.finditer(seen)]
    if not turns and not _gives_orders(seen):
        return []
    found, after = [], 0
    for start, end in [*turns, (len(seen), len(seen))]:
        between = _SENTENCE.finditer(seen, after, start)
        found += [match.span() for match in between if _gives_orders(match.group())] + [(start, end)]
        after = end
    places = [place for place, char in enumerate(text) if unicodedata.category(char) != "Cf"] + [len(text)]
    return [(places[start], places[end]) for start, end in found[:-1]]


def without_orders(text: str) -> str:
    """`text` with such sentences taken out."""
    for start, end in reversed(orders(text)):
        text = text[:start] + " " + text[end:]
    return text
