"""RecBole's atomic files: tables whose columns have types, with tabs between cells and spaces between what a cell lists
(https://recbole.io/docs/user_guide/data/atomic_files.html)."""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import quote, unquote

_APART = re.compile(r'[\s"%\x00-\x1f\x7f]')
_MISSING = frozenset(
    "#N/A #NA -1.#IND -1.#QNAN -NaN -nan 1.#IND 1.#QNAN <NA> N/A NA NULL NaN None n/a nan null".split()
)
"""Words that pandas, with which RecBole reads, takes for nothing at all
(https://pandas.pydata.org/docs/reference/api/pandas.read_csv.html, na_values)."""


def token(text: str) -> str:
    """The text as one token: what would end a token or a cell, or be taken for a quote, is written as in an address
    (`a b` as `a%20b`), and so is the first letter of a word for nothing. `untoken` reads it; most ids stay as they are.
    """
    made = _APART.sub(lambda found: quote(found[0], safe=""), text)
    return f"%{ord(made[0]):02X}{made[1:]}" if made in _MISSING else made


def untoken(written: str) -> str:
    """The text that `token` wrote so."""
    return unquote(written)


def tokens(texts: Iterable[str]) -> str:
    """A cell of the type token_seq."""
    return " ".join(map(token, texts))


def floats(values: Iterable[float]) -> str:
    """A cell of the type float_seq."""
    return " ".join(format(value, ".6g") for value in values)


def write(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> int:
    """Write a table; columns: `name:type`. Returns the number of rows."""
    number = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\t".join(columns) + "\n")
        for row in rows:
            file.write("\t".join(row) + "\n")
            number += 1
    return number
