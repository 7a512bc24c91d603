"""Prices as shops write them."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, NamedTuple

from reaseq.knowledge_store.feeds.price_names import NOUNS as _NOUNS
from reaseq.knowledge_store.feeds.price_names import NOW as _NOW_WORDS

# Digits grouped by spaces or apostrophes come in threes, or two prices in one cell would read as one.
_NUMBER = re.compile(r"\d{1,3}(?:[ '’]\d{3}(?!\d))+(?:[.,]\d+)?|(?:(?<!\w)[.,])?\d[\d.,]*")
_LETTERS = re.compile(r"(?<![A-Z])[A-Z]{2,3}(?![A-Z])")
_DOLLARS = re.compile(r"(?<!\w)(US|AU?|CAN?|C|NZ|HK|SG?|NT|MX|R)\$")
_OF_DOLLARS = {
    **{"US": "USD", "A": "AUD", "AU": "AUD", "C": "CAD", "CA": "CAD", "CAN": "CAD", "NZ": "NZD", "HK": "HKD"},
    **{"S": "SGD", "SG": "SGD", "NT": "TWD", "MX": "MXN", "R": "BRL"},
}
_STRUCK = re.compile(r"<(del|s|strike)\b[^>]*>.*?</\1\s*>|~~.*?~~", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_SPLIT = re.compile(
    r"(?<![\d.,:€£$])(\d{1,3}(?:[ .]\d{3})+|\d+)"
    r"(?:([€£$:])(\d\d)(?![\d.,:])|\s([€£$])\s(\d\d)\s*$)(\s*(?:kr\.?|€)?\s*$)?"
)
"""Whole ones and hundredths with the currency, or a colon, between them: "89€90", "49:50 kr", "29 € 90"."""
_APART = re.compile(r"(?<=\d)\s+(?=[.,]\d\d(?!\d))")
_LETTER = re.compile(r"\d[.,]\d*[OolI]\b")
"""A letter that was typed for a digit."""
_OLD = re.compile(
    r"\b(?:statt|uvp|was|rrp|msrp|list|reg|regular|regulär|before|instead of|vorher|bisher|au lieu de|avant|antes|prima"
    r"|zamiast|istället för|ordinarie|ord|før|invece di|prix conseillé|pvp|normal)\.?(?:\s+price|\s+preis)?[^\w\d]*\Z",
    re.IGNORECASE,
)
"""Before a price that holds no longer, or that somebody recommends."""
_OF_A_PACK = re.compile(
    r"\b(?:pack|set|box|case|bundle|lot|paquet|packung|karton)\s+(?:of|de|à|von|mit)\s+\Z", re.IGNORECASE
)
"""Before how many things are in it."""
# The codes of ISO 4217 that shops use; any three letters would make a currency of "RRP" and "NOW".
CURRENCIES = frozenset(
    "AED ARS AUD BGN BHD BRL CAD CHF CLP CNY COP CZK DKK EGP EUR GBP HKD HUF IDR ILS INR IQD ISK JOD JPY KES KRW KWD "
    "KZT LYD MAD MXN MYR NGN NOK NZD OMR PEN PHP PKR PLN QAR RON RSD RUB SAR SEK SGD THB TND TRY TWD "
    "UAH USD UYU VND ZAR".split()
)
_WORD = re.compile(r"[^\W\d_]+")
_SIMPLE = re.compile(r"\d+(?:\.\d{1,2})?")
"""What most feeds write: nothing to be told."""
_SCIENTIFIC = re.compile(r"\s*\d+(?:[.,]\d+)?[eE][+-]?\d{1,2}\s*")
_DATE = re.compile(r"\s*(?:(?:19|20)\d\d-\d\d-\d\d|\d{1,2}([./])\d{1,2}\1(?:19|20)\d\d)(?!\d)")
_PER_CENT = re.compile(r"\s?%")
_SHARE = re.compile(r"^\s*[-−]?\d+(?:[.,]\d+)?\s*%")
_COUNTED = re.compile(
    r"\s*(?:[x×]\s*\d|(?:pcs|stk|stück|pack|pieces|per)\b)|\s?(?-i:[kmc]?g|[mcd]?l|[mck]?m|oz|lbs?|L|KG|ML)\b(?!²)",
    re.IGNORECASE,
)
"""Behind a number of things, or a measure."""
_BEHIND_MANY = re.compile(
    r"(?:^|.*[^\w])(?:for|für|pour|por|per|voor|för|za|за)\s+(?:(?:nur|only|just)\s+)?\D{0,4}|\s*/\s*[^\w\s]\s*",
    re.IGNORECASE | re.DOTALL,
)
"""Between how many and what all of them cost: that is the price of none ("2 for 10.00", "2 kg für 4.99 €", "3/$10")."""
_SIGNS = "€£₹₩₽₺₴₫₪฿₱₦$¥元円원¢"
_PER = re.compile(
    rf"(?:[.,]?[-–—]+)?\s*(?:[{re.escape(_SIGNS)}]|[^\W\d_]{{1,6}}\.?)?\s*(?:/|\b(?:per|pro|je|par|por|al)\b)\s*"
    r"(?:\d[\d.,]*\s*)?(?:[kmc]?g|gr|gramm?s?|kilos?|[mcd]?l|lit(?:er|re|ro)s?|[mck]?m[23]?|qm|sqm|(?:sq\.?\s?)?ft2?|yd|yards?"
    r"|(?:fl\.?\s?)?oz|lbs?|mo|mth|months?|monat|mois|mes|mese|years?|yr|jahr|weeks?|wk|woche|days?|tag)(?![^\W_])",
    re.IGNORECASE,
)
"""Behind what a measure of something costs ("0,80 €/100 g"), or a month of it."""
_TO = re.compile(r"\s*(?:[-–—/~,;|]|to|bis|à|a|al|hasta|tot|til|till|do|and|und|or|oder|et|y|e)\s*", re.IGNORECASE)
"""Between two prices of which the second alone has a currency ("10-20 €")."""
_FROM = (
    _NOUNS
    | _NOW_WORDS
    | frozenset("from ab von de des dès da desde od vanaf fra från ca between zwischen entre".split())
)
"""Words that may stand before both."""
_OF_MONEY = frozenset(
    "euro euros dollar dollars pound pounds franken francs kr rs rp rm tl lei zł kč лв руб рублей грн ct cent cents "
    "sfr fr".split()
)
"""Words that stand for a currency, beside the codes."""
_BEFORE_IT = re.compile(rf"(?:([^\W\d_]*[{re.escape(_SIGNS)}])|([^\W\d_]+))[.:]?(\s{{0,2}})\Z")
_BEHIND_IT = re.compile(rf"(\s{{0,2}})(?:[.,]?[-–—]+\s?)?(?:([{re.escape(_SIGNS)}])|([^\W\d_]+))")
_MONEY = re.compile(rf"[^\W\d_]{{0,3}}[{re.escape(_SIGNS)}]|[^\W\d_]+\.?")
_UP_TO = re.compile(r"\s*(?:[-–—−~〜/]+|\.{2,3})\s*")
"""Between two prices of a range."""
_LARGE = {
    **dict.fromkeys("tsd tausend thousand тыс тысяч tis tys teur keur".split(), 10**3),
    **dict.fromkeys("mio mill million millions millionen millones milioni mln млн milj meur".split(), 10**6),
    **dict.fromkeys("mrd milliarden billion bn млрд mld".split(), 10**9),
    **dict.fromkeys("lakh lakhs lac lacs".split(), 10**5),
    **dict.fromkeys("crore crores".split(), 10**7),
}
"""Words behind a number of thousands and more."""
_LETTERS_OF_LARGE = {"k": 10**3, "m": 10**6, "b": 10**9}
_INDIAN = {"l": 10**5, "cr": 10**7}
_MYRIADS = {"千": 10**3, "천": 10**3, "万": 10**4, "萬": 10**4, "만": 10**4, "億": 10**8, "亿": 10**8, "억": 10**8}
_NEXT_WORD = re.compile(r"(\s?)([^\W\d_]+)\.?")
_BELOW_ZERO = re.compile(r"\s*\([^()]*\)\s*|[^-−]*\d\s*[-−]\s*[^\d\s]{0,3}\s*")
"""As ledgers write it: "(45.00)", "129.00-"; but "129.-" is whole francs."""
_FRACTION = "\u2044"
_AMOUNTS = ("gross", "amount", "value", "price", "net", "text")
_CODES = ("currencyCode", "currency", "currency_code", "currencyIsoCode")
"""Keys of an object that is a price."""
_CENTS = re.compile(r"\s*(?:¢|(?:cents?|ct)\b)", re.IGNORECASE)
_NOW = re.compile(r"\b(?:nur|jetzt|only|now|seulement|ahora|adesso|solo|teraz|nu)\b(?=[^\d]{0,6}\d)", re.IGNORECASE)
"""Before the price that holds, where another stands in front of it."""
_DECIMALS = re.compile(r"(?:\d([.,])(?:\d{1,2}|\d{4,})|(?<![\d.,])(?:0|\d{4,})([.,])\d{3})(?!\d)(?!.*\d[.,]\d)")
"""Digits that are no group of thousands, of which three are one behind "0" or four others neither."""
_MAY_BE_GROUPED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}[.,]\d{3}(?![\d.,])")
_PLAIN = re.compile(r"[\d.,\s]*")
_GROUP = 3
_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
"""Currencies with three decimals (ISO 4217, minor unit 3)."""
NO_DECIMALS = frozenset(("CLP", "ISK", "JPY", "KRW", "UYI", "VND"))
"""Those with none (minor unit 0)."""
_NO_YEAR = 1970
"""The last in which a day is none: what programs write for nothing (0001-01-01, 1900-01-01, 1970-01-01)."""
_RENAMED = {"RUR": "RUB"}
# "$" and "¥" each stand for several currencies, so they name none.
_SYMBOLS = {
    **{"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "zł": "PLN", "R$": "BRL", "Kč": "CZK"},
    **{"лв": "BGN", "руб": "RUB", "₴": "UAH", "₫": "VND", "₪": "ILS", "฿": "THB", "₱": "PHP", "₦": "NGN", "円": "JPY"},
}
_SEVERAL = {
    "$": frozenset("USD CAD AUD NZD HKD SGD MXN ARS CLP COP UYU TWD".split()),
    "¥": frozenset(("JPY", "CNY")),
    "￥": frozenset(("JPY", "CNY")),
    "kr": frozenset(("SEK", "NOK", "DKK", "ISK")),
    "元": frozenset(("CNY", "TWD")),
}
"""Signs of currencies that are called alike."""
_WORDS = {"FT": "HUF", "TL": "TRY", "LEI": "RON", "RP": "IDR", "RM": "MYR"}
"""What people write for a currency, beside the codes; "kr" may be of three."""


Marks = Mapping[str, str]
"""Decimal marks by the currency of the cells that show them, "" for those that name none."""


def parse_price(
    value: Any, *, currency: str | None = None, marks: Marks = MappingProxyType({})
) -> tuple[float | None, str | None]:
    """Amount and ISO 4217 currency code of `"$1,299.00"`, `"1.299,00 €"`, `"USD 12.5"`; None where unknown.

    A number is taken as it is; of text with several prices the one that holds now ("statt 15 nur 9 EUR"), else the
    first. 0 is a price, less than 0 is none. currency: that of a text that names none. marks: those of its column,
    where other values show them.
    """
    if isinstance(value, bool):
        return None, None
    if isinstance(value, int | float | Decimal):
        return _known(float(value)), None
    if isinstance(value, list):
        return parse_price(value[0], currency=currency, marks=marks) if value else (None, None)
    if isinstance(value, dict):
        if isinstance(cents := value.get("centAmount"), int):
            amount: Any = cents / 10 ** int(value.get("fractionDigits", 2))
        else:
            amount = next((value[key] for key in _AMOUNTS if value.get(key) not in (None, "")), None)
        code = next((str(value[key]) for key in _CODES if value.get(key)), "")
        price, named = (None, None) if amount is None else parse_price(amount, currency=code or currency, marks=marks)
        return price, named or currency_in(code)
    if isinstance(value, str) and value.isascii() and _SIMPLE.fullmatch(value):
        return _known(float(value)), None
    text = _tidied(unicodedata.normalize("NFKC", str(value)).replace("٫", ".").replace("٬", ","))
    if _SCIENTIFIC.fullmatch(text):
        return _known(float(text.replace(",", "."))), None
    if _DATE.match(text) or _SHARE.search(text) or _FRACTION in text or _LETTER.search(text):
        return None, None
    found = _price_in(text)
    if found is None:
        return None, None
    before = text[: found.start].rstrip(f" {_SIGNS}")
    dashed = before.endswith(("-", "−")) and not any(map(str.isdigit, before))
    dashed = dashed and (before.strip(" -−") == "" or text[len(before)] != " ")  # "Set - $5" is none below zero
    named = found.currency if found.carried else currency_in(text)
    mark = marks.get(named or "") or marks.get("", "")  # of another currency it says nothing
    mark = "" if named in NO_DECIMALS else mark
    amount = _amount(found.digits, mark, decimals=3 if (named or currency) in _THREE_DECIMALS else 2)
    if found.times > 1:
        if mark == "" and _MAY_BE_GROUPED.fullmatch(found.digits):
            return None, None  # 1.250 Mio.: with decimals or without?
        amount = round(amount * found.times, 2)
    if _CENTS.match(text, found.end):
        amount /= 100
    return None if dashed or _BELOW_ZERO.fullmatch(text) else _known(amount), named


def _tidied(text: str) -> str:
    """Without markup and what it strikes out; with the hundredths behind a mark."""
    if "<" in text or "~~" in text:
        text = _TAG.sub(" ", _STRUCK.sub(" ", text))
    text = _APART.sub("", text)
    return _SPLIT.sub(_together, text)


def _together(found: re.Match[str]) -> str:
    whole, sign, cents, sign_apart, cents_apart, behind = found.groups()
    sign = sign_apart or sign
    return f"{re.sub('[ .]', '', whole)}.{cents or cents_apart} {'' if sign == ':' else sign}{behind or ''}"


class _Number(NamedTuple):
    """A number in a cell. carried: does a currency stand at it? currency: which, if that is of one meaning. end: that
    of its digits. times: what it is of (thousands); 0 where that is unclear."""

    digits: str
    start: int
    end: int
    carried: bool
    currency: str | None
    times: int


def _price_in(text: str) -> _Number | None:
    """The number with a currency, the first of several; where none has one the first that is no count ("2 x 4.99"), no
    measure and no part of a word ("ab3c"). None where what it is of is unclear: of several things, of which of two.
    What a measure of it costs ("0,80 €/100 g") is passed over."""
    now = _NOW.search(text)
    found = [
        _number_at(text, one)
        for one in _NUMBER.finditer(text)
        if not _is_inside(text, *one.span()) and not _PER_CENT.match(text, one.end())
    ]
    if of_measures := [(one.start, per.end()) for one in found if one.carried and (per := _PER.match(text, one.end))]:
        found = [one for one in found if not any(start <= one.start < end for start, end in of_measures)]
        if not any(one.carried for one in found):
            return None
    held = [one for one in found if now is None or one.start >= now.end()]
    held = [one for one in held if not _OLD.search(text, 0, one.start)] or held
    held = [one for one in held if one.carried or not _OF_A_PACK.search(text, 0, one.start)] or held
    priced = [one for one in held if one.carried] or [
        one for one in held if one.times != 1 or not _COUNTED.match(text, one.end)
    ]
    whole = [one for one in priced if one.carried or not text[one.end : one.end + 1].isalpha() or one.times != 1]
    if not priced or (price := (whole or priced)[0]).times == 0:
        return None
    at = found.index(price)
    counted = found[at - 1] if at else None
    if counted is not None and counted.times == 0:
        return None  # 1万2800円
    many = counted is not None and not counted.carried and counted.digits != "1"
    if many and counted is not None and _BEHIND_MANY.fullmatch(text, counted.end, price.start):
        return None
    if not price.carried and at + 1 < len(found) and _BEHIND_MANY.fullmatch(text, price.end, found[at + 1].start):
        return None if price.digits != "1" else found[at + 1]
    if counted is not None and many and _may_share(text, counted, price):
        words = {one.casefold() for one in _WORD.findall(text[: counted.start])}
        return counted._replace(currency=price.currency, carried=True) if words <= _FROM else None
    if price.carried and len(priced) > 1:
        between = text[price.end : priced[1].start].strip(f" {_SIGNS}")
        if between == ":" or (at and any(map(str.isalpha, between)) and currency_in(between) is None):
            return None  # "Buy 2 save $5: $45"
        if _are_two(text, price, priced[1]):
            return None
    return price


def _are_two(text: str, one: _Number, other: _Number) -> bool:
    """Are they amounts of a currency of which nothing says which is the price ("$10.00 $8.00")? A range is none, nor is
    a remark in brackets ("(£8.33 ex VAT)")."""
    between = text[one.end : other.start]
    if one.digits.endswith((".", ",")):
        between = between.lstrip("-–—")  # 10.-
    between = _MONEY.sub(lambda said: "" if _names_money(said[0]) else said[0], between)
    if sum(map(_names_money, _MONEY.findall(text))) < len((one, other)):
        return False  # 19 Euro 50
    remark = text[other.end :].partition(")")[0] if "(" in between else ""
    said = any(not _is_money(word) for word in _WORD.findall(remark))
    if said or any(map(str.isalnum, between)) or one.currency != other.currency:
        return False
    first, second = (_amount(number.digits, "", decimals=2) * (number.times or 1) for number in (one, other))
    return first != second and (first > second or _UP_TO.fullmatch(between) is None)


def _may_share(text: str, one: _Number, other: _Number) -> bool:
    """Is the currency behind a number that of one before it too? They are written alike, and but a sign or a word like
    "to" stands between them."""
    between = text[one.end : other.start]
    decimals = [len(number.digits) - max(number.digits.rfind("."), number.digits.rfind(",")) for number in (one, other)]
    whole = not any(mark in number.digits for number in (one, other) for mark in ".,")
    alike = whole or decimals[0] == decimals[1]
    return alike and (_TO.fullmatch(between) is not None or (between.isspace() and not whole))


def _number_at(text: str, found: re.Match[str]) -> _Number:
    start, end = found.span()
    before, times, behind = _BEFORE_IT.search(text, max(0, start - 12), start), 1, end
    sign, word, gap = before.groups() if before else (None, None, "")
    if sign and gap and text[before.start() - 1 : before.start()].isdigit() and before.start() > 0:  # type: ignore[union-attr]
        sign = None  # it is that of the number before it ("10€ 5")
    own = sign or (word if word and _is_money(word) else None)
    if text[end : end + 1] in _MYRIADS and end < len(text):
        times, behind = _MYRIADS[text[end]], end + 1
        times = 0 if text[behind : behind + 1].isdigit() else times
    elif (said := _NEXT_WORD.match(text, end)) is not None:
        blank, large = said.groups()
        after = text[said.end() :].lstrip()[:1]
        sure = own is not None or (after != "" and after in _SIGNS)
        one = _LETTERS_OF_LARGE.get(large.casefold())
        if large.casefold() in _LARGE:
            times = _LARGE[large.casefold()]
        elif large.casefold() in _INDIAN and own is not None and (own == "₹" or own.casefold() in ("rs", "inr")):
            times = _INDIAN[large.casefold()]
        elif large == "T" and after == "€":
            times = 10**3
        elif one and (sure or (not blank and large in "kKM")):
            times = one if large.isupper() or not blank or sure else 0
        elif blank and large in ("k", "K", "M"):
            times = 0
        behind = said.end() if times != 1 else end
    after_it = _BEHIND_IT.match(text, behind)
    own_behind = None
    if after_it is not None:
        gap, sign, word = after_it.groups()
        if sign and (not gap or _is_behind(sign, text, after_it.end())):
            own_behind = sign
        elif word and _is_money(word):
            own_behind = word
    currency = currency_in(own or "") or currency_in(own_behind or "")
    if currency is None and (own or own_behind):
        of = may_be(own or "") or may_be(own_behind or "")
        currency = currency_in(text)
        currency = currency if of is None or currency in of else None
    return _Number(found.group(), start, end, bool(own or own_behind), currency, times)


def _names_money(said: str) -> bool:
    return said[-1] in _SIGNS or _is_money(said.rstrip("."))


def _is_behind(sign: str, text: str, end: int) -> bool:
    """Is the sign that ends here of what stands before it? No number follows, or one that has its own behind it."""
    following = re.compile(r"\d[\d.,]*").match(text, end)
    return following is None or text[following.end() :].lstrip().startswith(sign)


def _is_money(word: str) -> bool:
    """Is it a code or another word for a currency? "ft" and "try" are words like others in small letters."""
    return word.casefold() in _OF_MONEY or word in CURRENCIES or word in _RENAMED or word in ("Ft", "FT", "eur", "Eur")


def _is_inside(text: str, start: int, end: int) -> bool:
    if not (text[start - 1 : start].isalpha() and text[end : end + 1].isalpha()):
        return False
    behind = _WORD.match(text, end)
    return behind is not None and currency_in(behind[0]) is None


def holds_now(begins: str, ends: str) -> bool:
    """Is it between two days, as far as they are given and can be read: in ISO 8601, or as Magento writes them? An end
    in a year that systems write for none is open."""
    today = datetime.now(UTC)
    for text, is_end in ((begins, False), (ends, True)):
        day = _day(text.strip())
        if day is None or (is_end and day.year <= _NO_YEAR):
            continue
        whole = timedelta(days=is_end and len(text.strip()) <= len("2026-01-31"))
        day = day if day.tzinfo else day.replace(tzinfo=UTC)
        if (day < today - whole) if is_end else (day > today):
            return False
    return True


def _day(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        pass
    for form in ("%d.%m.%Y", "%d.%m.%y", "%m/%d/%y", "%m/%d/%Y", "%d/%m/%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"):
        try:
            return datetime.strptime(text, form)
        except ValueError:
            continue
    return None


def decimal_marks(values: Iterable[Any]) -> Marks:
    """The marks before decimals in a column of prices: of those before one or two last digits, if all of a currency are
    the same; else the one of two in one number that stands last. Where the column names but one currency, its cells and
    those that name none are written alike."""
    seen: dict[str, set[str]] = {}
    for value in values:
        if isinstance(value, str):
            text = unicodedata.normalize("NFKC", value)
            marks = seen.setdefault(currency_in(text) or ("?" if any(map(str.isalpha, text)) else ""), set())
            if found := _DECIMALS.search(text):
                marks.add(found[1] or found[2])
    of_all = set().union(*seen.values()) if len(seen.keys() - {""}) <= 1 else seen.get("", set())
    made = {currency: marks.pop() for currency, marks in seen.items() if len(marks) == 1}
    return {**made, "": of_all.pop()} if len(of_all) == 1 else made


def currency_in(text: str) -> str | None:
    """The ISO 4217 code that `text` names by code or by a sign of one meaning, or None."""
    if _PLAIN.fullmatch(text):
        return None
    for letters in _LETTERS.findall(text.upper()):
        letters = _RENAMED.get(letters, _WORDS.get(letters, letters))
        if letters in CURRENCIES:
            return str(letters)
    if sign := next((currency for sign, currency in _SYMBOLS.items() if sign in text), None):
        return sign
    dollars = _DOLLARS.search(text)
    return _OF_DOLLARS[dollars[1]] if dollars else None


def may_be(value: Any) -> frozenset[str] | None:
    """The currencies that a price's sign may stand for where it stands for several; None where it has no such sign."""
    if not isinstance(value, str) or currency_in(value):
        return None
    low = value.casefold()
    return next((currencies for sign, currencies in _SEVERAL.items() if sign in low), None)


def may_be_grouped(value: Any) -> bool:
    """Is it a number whose three last digits may be thousands or decimals ("12.500")?"""
    return isinstance(value, str) and _MAY_BE_GROUPED.search(value) is not None


def _known(amount: float) -> float | None:
    return amount if 0 <= amount < math.inf else None


def _amount(digits: str, decimal: str, *, decimals: int) -> float:
    """decimal: the mark of decimals where that is known. decimals: how many the currency has."""
    digits = re.sub(r"[ '’]", "", digits).rstrip(".,")
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return float(digits)
    mark, following = digits[last], len(digits) - last - 1
    # One kind of mark, once or more, each followed by three digits, groups thousands.
    other = "," if mark == "." else "."
    alone = other not in digits
    grouped = alone and (
        digits.count(mark) > 1 or (following == _GROUP and digits[:last] not in ("", "0") and last <= _GROUP)
    )
    if grouped and digits.count(mark) == 1 and (mark == decimal or (decimals == _GROUP and decimal != other)):
        grouped = False
    if grouped:
        return float(digits.replace(mark, ""))
    whole = digits[:last].replace(".", "").replace(",", "")
    return float(f"{whole}.{digits[last + 1 :]}")
