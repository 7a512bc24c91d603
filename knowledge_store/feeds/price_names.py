"""What columns of prices are called: told by the words that their names are made of, in a dozen languages.

A name has a noun for a price ("preis", "tarif", "VK"), and words that say which: what things cost now, what they cost
otherwise or should, or what the shop pays, which is nobody's price.
"""

import re
from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache

NOUNS = frozenset(
    "price prices preis preise prix precio precios prezzo preço preco prijs pris priser cena ceny hinta ár цена "
    "価格 价格 售价 tarif tarifs tarifa tariffa vk retail".split()
)
_RECOMMENDED = frozenset("uvp rrp msrp mrp srp uvpe avp рц".split())
"""Nouns of what a maker thinks it should cost."""
NOW = frozenset(
    "sale sell selling endkunden verbraucher "
    "final current offer discounted discount special new now promo promotional promotion reduced "
    "deal your our sales angebots angebot aktions aktion verkaufs verkauf verkoop sonder neuer neue neu aktueller end "
    "laden shop webshop promotionnel promotionnelle soldé nouveau actuel vente oferta rebajado nuevo venta "
    "offerta scontato nuovo vendita promocional novo aanbiedings actie nieuwe kampanj rea nytt tilbuds ny "
    "promocyjna aktualna nowa акционная новая".split()
)
_OTHERWISE = frozenset(
    "list listing regular original initial old former standard normal full usual compare compared strike crossed "
    "regulärer regulaerer regulier reguliere listen liste alter alte alt bisheriger streich statt vorheriger "
    "recommended suggested unverbindliche régulier habituel ancien conseillé barré anterior recomendado listino "
    "consigliato vecchio originale antigo advies oude adviesverkoop ordinarie tidigare ordinær førpris regularna "
    "stara старая".split()
)
_LIKE_IT = frozenset(
    "tax taxes vat inc incl including included inkl inklusive mwst mw st ust iva tva ttc moms btw brutto gross with "
    "amount value eur text number my web online store at de du of in the unit item product variant consumer customer "
    "fr en it es nl gb us uk s dph kdv dahil ндс с".split()
)
"""Words beside it that change nothing."""
_ENDS = re.compile(r"^(?P<which>.+?)(?:s|en)?(?:preis|preise|prijs|pris|priset)$")
"""Compounds: Angebotspreis, verkoopprijs."""


class PriceKind(StrEnum):
    NOW = "now"
    PLAIN = "plain"
    OTHERWISE = "otherwise"
    RECOMMENDED = "recommended"
    UNKNOWN = "unknown"
    """It names a price, and a word that is not understood, or one that nobody pays."""


@lru_cache(maxsize=10_000)
def price_kind(name: str) -> PriceKind | None:
    """What a folded name of a column says; None where it names no price."""
    initials = re.sub(r"\b(\w) (?=\w\b)", r"\1", name)  # "M.R.P."
    words = [part for word in initials.split() for part in _parts(word.rstrip("0123456789") or word)]
    if not {*NOUNS, *_RECOMMENDED}.intersection(words):
        return None
    left = [word for word in words if word not in NOUNS | _LIKE_IT and not word.isdigit()]
    if not left:
        return PriceKind.PLAIN
    if any(word not in NOW | _OTHERWISE | _RECOMMENDED for word in left):
        return PriceKind.UNKNOWN
    if not _RECOMMENDED.isdisjoint(left) or {"compare", "recommended", "suggested", "advies"} & {*left}:
        return PriceKind.RECOMMENDED
    return PriceKind.OTHERWISE if not _OTHERWISE.isdisjoint(left) else PriceKind.NOW


def _parts(word: str) -> Sequence[str]:
    found = _ENDS.match(word)
    if found is None or word in NOUNS:
        return (word,)
    which = found["which"]
    return (next((one for one in (which, f"{which}s", f"{which}en") if one in NOW | _OTHERWISE), which), "preis")
