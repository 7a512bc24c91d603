"""What every feed reader yields: records, and rows that were set aside."""

import codecs
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, NamedTuple

from reaseq import ReaseqError
from reaseq.knowledge_store.feeds.price_names import price_kind

_DEEPEST = 50
_PEEKED = 100
_LONGEST_SHOWN = 10_000
_INVISIBLE = re.compile("[\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
"""Soft hyphens, signs of width 0, and those that say which way is read."""
LANGUAGE = re.compile(r"[a-z]{2,3}(?:[_-][A-Za-z]{2})?")
"""The code of one, by two letters or three, perhaps of a country."""
_LANGUAGE_KEYS, _TEXT_KEYS = (
    ("lang", "language", "locale", "languageCode"),
    ("value", "text", "content", "name", "data"),
)
_MOST_KEYS = 4
_SEVERAL = 2
_DECIMALS = re.compile(r"(\d+)\.0+")
_QUOTED = re.compile(r"'(\w[^']*)")
MINOR_UNITS = ("currency_minor_unit", "decimals", "minor_unit", "fraction_digits", "precision")
"""Keys of an object of prices that say how many decimals its whole numbers have; `precision` but beside a currency."""
_AMOUNTS = ("amount", "value")
_TYPE_KEYS = ("type", "price_type", "priceType", "name", "group")
_MOST_DECIMALS = 4
_LETTERS = 3
"""Of a language's code in ISO 639-2."""
EMPTY = frozenset(
    (
        "",
        "-",
        "–",
        "—",
        "--",
        "k.a.",
        "k. a.",
        "n.a.",
        "null",
        "none",
        "nan",
        "n/a",
        r"\n",
        "#n/a",
        "#name?",
        "#ref!",
        "#value!",
        "#div/0!",
        "#num!",
        "#null!",
    )
)
"""Signs and words for nothing; among them what MySQL writes (`\\N`), and the errors of spreadsheets."""
_LONG = 20
"""Characters, more than any word for nothing has with blanks around it."""
EXPORT_AS = "export it as CSV, TSV, Excel (.xlsx), JSON, XML or Parquet"


def _as_surrogates(error: UnicodeError) -> tuple[str | bytes, int]:
    """Bytes that break the encoding become surrogates, which mark the one row they stand in; and back again.

    Python's own "surrogateescape" gives up on UTF-16, where a broken byte may be below 128.
    """
    if isinstance(error, UnicodeEncodeError):
        codes = [ord(sign) - 0xDC00 for sign in error.object[error.start : error.end]]
        if any(not 0 <= code < 256 for code in codes):
            raise error
        return bytes(codes), error.end
    assert isinstance(error, UnicodeDecodeError)
    return "".join(chr(0xDC00 + byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error("reaseq.surrogates", _as_surrogates)


ONLY_NAMED = "Name"
"""What a variant differs by of which its row says nothing but what it is called."""


class FeedError(ReaseqError):
    """A feed that cannot be read at all."""


class Variant(NamedTuple):
    """One of the things a product is sold as. `options` are what it differs by: size, colour; `names` what else it goes
    by, each behind its column: a SKU, a barcode; `attributes` what else its own cells say, empty ones included; `lacks`
    cells of its product that it has nothing in."""

    id: str
    product_id: str
    options: dict[str, str]
    price: Any = None
    names: tuple[tuple[str, Any], ...] = ()
    attributes: Mapping[str, Any] = MappingProxyType({})
    lacks: frozenset[str] = frozenset()


class Record(NamedTuple):
    """One record; `line` is the line it begins on (where a format has no lines, its number, from 1).

    `variants` are those it brings. A record that is no `product` only says more of one: `values` are not used.
    """

    line: int
    values: dict[str, Any]
    variants: tuple[Variant, ...] = ()
    product: bool = True

    def set_aside(self, reason: str) -> "BadRow":
        return BadRow(self.line, reason, json.dumps(self.values, ensure_ascii=False, default=str))


class BadRow(NamedTuple):
    """A row that was set aside."""

    line: int
    reason: str
    raw: str


Row = Record | BadRow


@dataclass(frozen=True)
class Layout:
    """How a file is laid out, for whoever writes it anew; only delimited text has a `delimiter`.

    `columns` are as in the file, `header` is the last line of theirs; `spaced` that blanks
    may stand between a delimiter and a quote; `escaped` says that a backslash stands before a
    quote within quotes. `place` is where the records are: the sheet of a workbook, the local names from an XML
    document's root to a record, with slashes, or what ijson calls the elements of an array in a JSON document
    (`data.products.item`; "" is all of it). `line_end` is the only sign that ends a line; "" where several do.
    """

    kind: Literal["delimited", "JSON lines", "JSON", "XML", "Excel", "Parquet"]
    encoding: str = ""
    delimiter: str | None = None
    columns: tuple[str, ...] = ()
    header: int = 0
    place: str = ""
    escaped: bool = False
    spaced: bool = False
    line_end: str = ""


@dataclass(frozen=True)
class Packing:
    """The column of a system's files whose cells hold what has no column of its own: each an `entry` of {name} or
    {title} and {value}, with `parts` between them and `values` between several values of one. `own` are names that may
    have columns beside it."""

    column: str
    entry: str
    parts: str
    values: str
    own: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Writing:
    """Where values of ours go in a system's files: `column_name` is what a column of an attribute's {name} or {title}
    is called, `packing` where it goes instead.

    `system` are columns that the system keeps for itself, or reads a category in; `labels` what columns ask for whose
    names do not say it; `joined` signs between several values, by column; `spelled` words for values, of columns that
    take no others.
    """

    column_name: str = "{name}"
    packing: Packing | None = None
    system: frozenset[str] = frozenset()
    labels: Mapping[str, str] = dataclass_field(default_factory=dict)
    joined: Mapping[str, str] = dataclass_field(default_factory=dict)
    spelled: Mapping[str, Mapping[str, str]] = dataclass_field(default_factory=dict)


PLAIN = Writing()
"""Columns of our own, by their names."""


@dataclass(frozen=True)
class Feed:
    """An opened feed. `position()` is how many of the file's `size` bytes were read so far.

    `fields` says which column is which field, where the format does, `writing` where values of ours go. `taken` is how
    the file is read, by what each of it is called: its encoding, its delimiter. `doubled` are keys that an object has
    twice, of which the last counts: in how many, and where the first is; of a document those near its beginning.
    `doubts` are sentences of what may be meant otherwise. `repeated_rows()` is how many rows are left out as the
    store says the same, `repeated_cells()` how many cells but repeat what an
    export of ours wrote into them.
    """

    path: Path
    format: str
    columns: list[str]
    rows: Iterator[Row]
    size: int
    position: Callable[[], int]
    fields: Mapping[str, str] = dataclass_field(default_factory=dict)
    layout: Layout | None = None
    writing: Writing = PLAIN
    taken: Mapping[str, str] = dataclass_field(default_factory=dict)
    doubled: dict[str, tuple[int, str]] = dataclass_field(default_factory=dict)
    doubts: tuple[str, ...] = ()
    repeated_cells: Callable[[], int] = lambda: 0
    repeated_rows: Callable[[], int] = lambda: 0


def with_columns(rows: Iterator[Row]) -> tuple[list[str], Iterator[Row]]:
    """The columns that the first records have, and all the rows. Later records may bring more: raw attributes."""
    peeked = list(islice(rows, _PEEKED))
    columns = dict.fromkeys(name for row in peeked if isinstance(row, Record) for name in row.values)
    return list(columns), chain(peeked, rows)


def unstorable(text: str) -> str | None:
    """What no database takes as text: NUL characters, and bytes that broke the encoding."""
    if "\x00" in text:
        return "holds a NUL character"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "holds bytes that are not text in the file's encoding"
    return None


def strings(value: Any, depth: int = 0) -> Iterator[str]:
    """Every string inside JSON data, keys too. Raises RecursionError if it is nested too deeply to work with."""
    if depth > _DEEPEST:
        raise RecursionError("nested too deeply")
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from strings(item, depth + 1)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item, depth + 1)


def text_of(value: Any) -> str:
    """A cell as text, "" for nothing; the strings of a list stand on lines of their own, other JSON stays JSON."""
    if isinstance(value, str):
        return value
    if value is None or value in ([], {}):
        return ""
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(value)
    return json.dumps(plain(value), ensure_ascii=False) if isinstance(value, list | dict) else str(value)


def identifier(value: Any) -> str:
    """An id as people mean it, "" for nothing: 4711.0, which a data frame made of 4711, is 4711, and what keeps a
    spreadsheet from reading digits as a number goes, like signs that nobody sees."""
    if isinstance(value, str):
        if value.isalnum():
            return value  # the commonest
        text = value.strip() if value.isascii() else " ".join(_INVISIBLE.sub("", value).split())
        if "." not in text and "'" not in text:
            return text
    elif isinstance(value, float) and value.is_integer():
        return str(int(value))
    else:
        text = "" if value is None or isinstance(value, list | dict) else str(value).strip()
    if found := _QUOTED.fullmatch(text) or _DECIMALS.fullmatch(text):
        return found[1]
    return text


def plain(value: Any) -> Any:
    """`value` as JSON holds it: dates and decimals of a Parquet file as text."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def checked(line: int, values: dict[str, Any]) -> Row:
    """A record, unless it holds what no database takes as text."""
    try:
        nested = any(isinstance(value, list | dict) for value in values.values())
        texts = strings(values) if nested else (value for value in values.values() if isinstance(value, str))
        problem = unstorable(" ".join(texts))
    except RecursionError as error:
        problem = str(error)
    if problem:
        return BadRow(line, problem, json.dumps(plain(values), ensure_ascii=True)[:_LONGEST_SHOWN])
    return Record(line, values)


def _in_a_language(one: Any) -> tuple[str, Any] | None:
    """What an object says in which language: `{"lang": "en", "value": "Boot"}`."""
    if not isinstance(one, dict) or len(one) > _MOST_KEYS:
        return None
    language = next((str(one[key]) for key in _LANGUAGE_KEYS if one.get(key)), "")
    text = next((one[key] for key in _TEXT_KEYS if isinstance(one.get(key), str)), None)
    return (short_language(language), text) if text is not None and LANGUAGE.fullmatch(language) else None


def _by_language(value: Any) -> dict[str, Any]:
    """Of objects with several texts each, all in a language of their own, the texts by their names and languages:
    `[{"lang": "en", "name": "Boot", "description": "Warm"}, ...]`; none of others."""
    found: dict[str, Any] = {}
    languages = set()
    for one in value if isinstance(value, list) else []:
        key = next((key for key in _LANGUAGE_KEYS if isinstance(one, dict) and isinstance(one.get(key), str)), "")
        if not key or not LANGUAGE.fullmatch(one[key]) or one[key] in languages:
            return {}
        texts = {name: text for name, text in one.items() if name != key}
        says_one = not texts.keys().isdisjoint({*_TEXT_KEYS} - {"name"})
        if says_one or sum(isinstance(text, str) for text in texts.values()) < _SEVERAL:
            return {}
        languages.add(one[key])
        found |= {f"{name}.{short_language(one[key])}": text for name, text in texts.items()}
    return found


def _by_type(name: str, value: Any) -> dict[str, Any]:
    """Several prices, each of which says its type, under names of their own: `price retail`, `price purchase`."""
    if not isinstance(value, list) or len(value) < 2 or price_kind(name.casefold().replace("_", " ")) is None:
        return {}
    made: dict[str, Any] = {}
    for one in value:
        said = one if isinstance(one, dict) else {}
        kind = next((str(said[key]) for key in _TYPE_KEYS if isinstance(said.get(key), str)), "")
        amount = next((said[key] for key in (*_AMOUNTS, "text") if key in said), None)
        if not kind or amount is None or f"{name} {kind}" in made:
            return {}
        made[f"{name} {kind}"] = amount
    return made


def _is_magentos(one: Any) -> bool:
    """Is it an attribute of Adobe Commerce's REST interface?"""
    return isinstance(one, dict) and isinstance(one.get("attribute_code"), str) and "value" in one


def _is_of_no_language(one: Any) -> bool:
    """Is it a value of Akeneo's, of no language and no channel?"""
    return isinstance(one, dict) and one.keys() >= {"locale", "scope", "data"}


@lru_cache
def short_language(code: str) -> str:
    """A language by two letters, where there are two for its three (`eng`: `en`), as the Unicode CLDR has them."""
    from babel.core import get_global

    main, sign, rest = code.partition("-") if "-" in code else code.partition("_")
    return str(get_global("language_aliases").get(main, main)) + sign + rest if len(main) == _LETTERS else code


def flat(values: Mapping[str, Any]) -> dict[str, Any]:
    """Objects inside taken apart: `{"brand": {"name": x}}` has the column `brand.name`. Lists stay."""
    made: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, dict) and value:
            value = in_major(value)
            made |= {f"{name}.{inner}": item for inner, item in flat(value).items()}
        elif by_language := _by_language(value):
            made |= {f"{name}.{inner}": text for inner, text in by_language.items()}
        elif isinstance(value, list) and (said := [_in_a_language(one) for one in value]) and all(said):
            made |= {f"{name}.{one[0]}": one[1] for one in said if one is not None}
        elif typed := _by_type(name, value):
            made |= typed
        elif isinstance(value, list) and len(value) == 1 and _is_of_no_language(value[0]):
            made[name] = value[0]["data"]
        elif name == "custom_attributes" and isinstance(value, list) and all(map(_is_magentos, value)):
            made |= {one["attribute_code"]: one["value"] for one in value if one["attribute_code"] not in values}
        elif isinstance(value, list):
            made[name] = [in_major(one) if isinstance(one, dict) else one for one in value]
        else:
            made[name] = value
    return made


_TYPE = re.compile(
    r"\$[A-Za-z]\w*|(?:string|integer|double|boolean|timestamp|null|reference|bytes|geoPoint|array|map)Value"
)
"""The only key of an object that says what type its value has: MongoDB's extended JSON
(https://www.mongodb.com/docs/manual/reference/mongodb-extended-json/) and Firestore's
(https://firebase.google.com/docs/firestore/reference/rest/v1/Value)."""
_LETTERS_OF_TYPES = frozenset(("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"))
"""The same of DynamoDB, where they may be sizes too: of a record all of whose values have one
(https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_AttributeValue.html)."""


def untyped(record: dict[str, Any]) -> dict[str, Any]:
    """A record without the objects of one key in which databases wrap each value, and without what they wrap itself
    in: DynamoDB's `Item`, Firestore's `fields`, whose name ends with its id."""
    item = record.get("Item")
    if len(record) == 1 and isinstance(item, dict) and _is_lettered(item):
        record = item
    if _is_lettered(record):
        return {name: _untyped(value, by_letters=True) for name, value in record.items()}
    nested = {name: value for name, value in record.items() if isinstance(value, dict | list)}
    if not nested:
        return record
    made = record | {name: _untyped(value, by_letters=False) for name, value in nested.items()}
    fields, name = made.get("fields"), record.get("name")
    if isinstance(fields, dict) and isinstance(name, str) and "/documents/" in name and record["fields"] != fields:
        return {"id": name.rpartition("/")[2], **fields}
    return made


def _is_lettered(values: Mapping[str, Any]) -> bool:
    return bool(values) and all(isinstance(one, dict) and _has_a_letter(one) for one in values.values())


def _has_a_letter(value: dict[str, Any]) -> bool:
    if len(value) != 1:
        return False
    ((key, said),) = value.items()
    if key == "M":
        return isinstance(said, dict) and (not said or _is_lettered(said))
    wanted = {"BOOL": bool, "NULL": bool}.get(key, list if key in ("L", "SS", "NS", "BS") else str)
    return key in _LETTERS_OF_TYPES and isinstance(said, wanted)


def _untyped(value: Any, *, by_letters: bool) -> Any:
    if isinstance(value, list):
        return [_untyped(one, by_letters=by_letters) if isinstance(one, dict | list) else one for one in value]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((key, said),) = value.items()
        if by_letters and _has_a_letter(value):
            return None if key == "NULL" else _untyped(said, by_letters=True)
        if _TYPE.fullmatch(key):
            if key in ("arrayValue", "mapValue") and isinstance(said, dict):
                said = said.get("values", []) if key == "arrayValue" else said.get("fields", {})
            return _untyped(said, by_letters=False)
    return {
        name: _untyped(one, by_letters=by_letters) if isinstance(one, dict | list) else one
        for name, one in value.items()
    }


def in_major(value: dict[str, Any]) -> dict[str, Any]:
    """An object of prices that says how many decimals its whole numbers have, with these
    (https://developer.woocommerce.com/docs/apis/store-api/); commercetools' money as an amount
    (https://docs.commercetools.com/api/types#centprecisionmoney)."""
    if "name" not in value and isinstance(inner := value.get("value"), dict) and "centAmount" in inner:
        value = {name: said for name, said in value.items() if name != "value"} | inner
    if isinstance(cents := value.get("centAmount"), int):
        digits = int(value.get("fractionDigits", 2))
        rest = {name: said for name, said in value.items() if name not in ("type", "centAmount", "fractionDigits")}
        return {"amount": f"{cents / 10**digits:.{digits}f}", **rest}
    told = next((str(value[name]) for name in MINOR_UNITS if name in value), "")
    decimals = int(told) if told.isdecimal() else 0
    if not 0 < decimals <= _MOST_DECIMALS:
        return value
    if "precision" in value and not any("currency" in name.casefold() for name in value):
        return value  # a measure
    whole = {
        name: int(said)
        for name, said in value.items()
        if name not in MINOR_UNITS and re.fullmatch(r"\d+", str(said)) and ("price" in name or name in _AMOUNTS)
    }
    return value | {name: f"{said / 10**decimals:.{decimals}f}" for name, said in whole.items()}


def is_empty(value: Any) -> bool:
    """Nothing, or a word that feeds write for it."""
    if isinstance(value, str):
        # Most cells are long, and no word for nothing is.
        return value.isspace() if len(value) > _LONG else value.strip().casefold() in EMPTY
    return value is None or value in ([], {}) or str(value).strip().casefold() in EMPTY
