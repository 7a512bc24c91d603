"""Words that feeds and logs use, by what they say and in which language: the files of `words/`."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType

from reaseq.documents.listed import listed

_FOLDER = Path(__file__).with_name("words")


@lru_cache
def words(name: str) -> Mapping[str, tuple[str, ...]]:
    """The lists of a file, each with the words of all languages, in the order of the file and in lower case.

    Raises:
        ValueError: what stands there is no word, as YAML reads it: `no` is one between quotes alone.
    """
    made: dict[str, tuple[str, ...]] = {}
    for key, of in listed(_FOLDER / f"{name}.yaml").items():
        read = [word for several in of.values() for word in several]
        if wrong := [word for word in read if not isinstance(word, str)]:
            raise ValueError(f"{name}.yaml, {key}: {wrong} are no words")
        made[key] = tuple(dict.fromkeys(word.casefold() for word in read))  # as what they are compared with: κωδικόσ
    return MappingProxyType(made)
