"""Languages as feeds and files name them: `de`, `de-AT`, `zh-Hans-CN` (BCP 47)."""

from collections.abc import Collection
from functools import lru_cache


@lru_cache(maxsize=1_000)
def locale_of(text: str) -> str | None:
    """The language, and perhaps script and country, that a text is the code of, as BCP 47 writes it (`de_at`: de-AT);
    None: it is the code of none."""
    from babel import Locale, localedata
    from babel.core import parse_locale

    try:
        language, territory, script, variant = parse_locale(text.strip().replace("-", "_"))[:4]
    except ValueError:
        return None
    english = Locale("en")
    known = len(language) <= 3 and localedata.exists(language) and variant is None
    if not known or (territory or "US") not in english.territories or (script or "Latn") not in english.scripts:
        return None
    return "-".join(filter(None, (language, script, territory)))


def steps_of(locale: str) -> list[str]:
    """A locale with all that it is one of, the widest first: `de-AT` is one of `de`."""
    parts = locale.split("-")
    return ["-".join(parts[: count + 1]) for count in range(len(parts))]


def nearest(locale: str | None, known: Collection[str]) -> str | None:
    """The narrowest of `known` that a product's locale is one of; None: none."""
    return next((one for one in reversed(steps_of(locale or "")) if one in known), None)
