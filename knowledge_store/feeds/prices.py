"""Prices as shops write them."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any

# Digits grouped by spaces or apostrophes come in threes, or two prices in one cell would read as one.
_NUMBER = re.compile(r"\d{1,3}(?:[ '’]\d{3}(?!\d))+(?:[.,]\d+)?|(?:(?<!\w)[.,])?\d[\d.,]*")
_LETTERS = re.compile(r"(?<![A-Z])[A-Z]{2,3}(?![A-Z])")
_DOLLARS = re.compile(r"(?<!\w)US\$")
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
_SHARE = re.compile(r"^\s*[-−]?\d+(?:[.,]\d+)?\s*%")
_COUNTED = re.compile(r"\s*(?:[x×]\s*\d|(?:pcs|stk|stück|pack|pieces|per)\b)", re.IGNORECASE)
_OF_SEVERAL = re.compile(r"^\D*\d+\s*(?:for|für|pour|por|per|voor|för)\s+\D{0,3}\d", re.IGNORECASE)
"""What several cost is the price of none ("2 for 10.00")."""
_BELOW_ZERO = re.compile(r"\s*\([^()]*\)\s*|[^-−]*\d\s*[-−]\s*[^\d\s]{0,3}\s*")
"""As ledgers write it: "(45.00)", "129.00-"; but "129.-" is whole francs."""
_FRACTION = "\u2044"
_AMOUNTS = ("gross", "amount", "value", "price", "net", "text")
_CODES = ("currencyCode", "currency", "currency_code", "currencyIsoCode")
"""Keys of an object that is a price."""
_CENTS = re.compile(r"\s*(?:¢|(?:cents?|ct)\b)", re.IGNORECASE)
_NOW = re.compile(r"\b(?:nur|jetzt|only|now|seulement|ahora|adesso|solo|teraz|nu)\b(?=[^\d]{0,6}\d)", re.IGNORECASE)
"""Before the price that holds, where another stands in front of it."""
_DECIMALS = re.compile(r"\d([.,])\d{1,2}(?!\d)(?!.*\d[.,]\d)")
_PLAIN = re.compile(r"[\d.,\s]*")
_GROUP = 3
_THREE_DECIMALS = frozenset(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"))
"""Currencies with three decimals (ISO 4217, minor unit 3)."""
_RENAMED = {"RUR": "RUB"}
# "$" and "¥" each stand for several currencies, so they name none.
_SYMBOLS = {
    **{"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "zł": "PLN", "R$": "BRL", "Kč": "CZK"},
    **{"лв": "BGN", "руб": "RUB", "₴": "UAH", "₫": "VND", "₪": "ILS", "฿": "THB", "₱": "PHP", "₦": "NGN"},
}
_SEVERAL = {
    "$": frozenset("USD CAD AUD NZD HKD SGD MXN ARS CLP COP UYU TWD".split()),
    "¥": frozenset(("JPY", "CNY")),
    "￥": frozenset(("JPY", "CNY")),
    "kr": frozenset(("SEK", "NOK", "DKK", "ISK")),
    "元": frozenset(("CNY", "TWD")),
    "円": frozenset(("JPY",)),
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
    text = unicodedata.normalize("NFKC", str(value)).replace("٫", ".").replace("٬", ",")
    if _SCIENTIFIC.fullmatch(text):
        return _known(float(text.replace(",", "."))), None
    if _DATE.match(text) or _SHARE.search(text) or _FRACTION in text or _OF_SEVERAL.match(text):
        return None, None
    found = _price_in(text)
    if found is None:
        return None, None
    negative = text[: found.start()].rstrip(" $€£").endswith(("-", "−")) or bool(_BELOW_ZERO.fullmatch(text))
    named = currency_in(text)
    mark = marks.get(named or "") or marks.get("", "")  # of another currency it says nothing
    amount = _amount(found.group(), mark, decimals=3 if (named or currency) in _THREE_DECIMALS else 2)
    if _CENTS.match(text, found.end()):
        amount /= 100
    return None if negative else _known(amount), named


def _price_in(text: str) -> re.Match[str] | None:
    """The first number that is no count ("2 x 4.99 EUR", "12 pcs / 4.99") and no part of a word ("ab3c")."""
    now = _NOW.search(text)
    for found in _NUMBER.finditer(text, now.end() if now else 0):
        if not _COUNTED.match(text, found.end()) and not _is_inside(text, *found.span()):
            return found
    return None


def _is_inside(text: str, start: int, end: int) -> bool:
    if not (text[start - 1 : start].isalpha() and text[end : end + 1].isalpha()):
        return False
    behind = _WORD.match(text, end)
    return behind is not None and currency_in(behind[0]) is None


def holds_now(begins: str, ends: str) -> bool:
    """Is it between two days, as far as they are given and can be read: in ISO 8601, or as Magento writes them?"""
    today = datetime.now(UTC)
    for text, is_end in ((begins, False), (ends, True)):
        day = _day(text.strip())
        if day is None:
            continue
        if is_end and len(text.strip()) <= len("2026-01-31"):
            day += timedelta(days=1)
        day = day if day.tzinfo else day.replace(tzinfo=UTC)
        if (day < today) if is_end else (day > today):
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
                marks.add(found[1])
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
    return "USD" if _DOLLARS.search(text) else None


def may_be(value: Any) -> frozenset[str] | None:
    """The currencies that a price's sign may stand for where it stands for several; None where it has no such sign."""
    if not isinstance(value, str) or currency_in(value):
        return None
    low = value.casefold()
    return next((currencies for sign, currencies in _SEVERAL.items() if sign in low), None)


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
    grouped = alone and (digits.count(mark) > 1 or (following == _GROUP and digits[:last] not in ("", "0")))
    if grouped and digits.count(mark) == 1 and (mark == decimal or (decimals == _GROUP and decimal != other)):
        grouped = False
    if grouped:
        return float(digits.replace(mark, ""))
    whole = digits[:last].replace(".", "").replace(",", "")
    return float(f"{whole}.{digits[last + 1 :]}")
