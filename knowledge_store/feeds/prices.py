"""Prices as shops write them."""

import re

_NUMBER = re.compile(r"\d[\d.,'\u00a0\u202f ]*")
_CODE = re.compile(r"\b([A-Z]{3})\b")
# "$" and "¥" each stand for several currencies, so they name none.
_SYMBOLS = {"€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "zł": "PLN", "US$": "USD"}


def parse_price(text: str) -> tuple[float | None, str | None]:
    """Amount and ISO 4217 currency code of `"$1,299.00"`, `"1.299,00 €"`, `"USD 12.5"`; None where unknown.

    A price of 0 means that the shop does not know it.
    """
    found = _NUMBER.search(text)
    if found is None:
        return None, None
    code = _CODE.search(text.upper().replace("US$", " "))
    symbol = next((currency for sign, currency in _SYMBOLS.items() if sign in text), None)
    amount = _amount(found.group())
    return (amount or None), code.group(1) if code else symbol


def _amount(digits: str) -> float | None:
    digits = re.sub(r"['\s]", "", digits).rstrip(".,")
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return float(digits)
    mark, decimals = digits[last], len(digits) - last - 1
    # One kind of mark, once or more, each followed by three digits, groups thousands.
    other = "," if mark == "." else "."
    grouped = other not in digits and (digits.count(mark) > 1 or (decimals == 3 and digits[:last] != "0"))
    if grouped:
        return float(digits.replace(mark, ""))
    whole = digits[:last].replace(".", "").replace(",", "")
    return float(f"{whole}.{digits[last + 1 :]}")
