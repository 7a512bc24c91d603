"""What was learnt of a category, on disk: one safetensors file, from which it is there again in milliseconds.

A file holds no product's text: words and phrases of labelled products (features, known values), and weights. It may be
taken over by another store, whose own labels, once there are enough, come before it.
"""

import hashlib
import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reaseq import ReaseqError
from reaseq.agents.confidence import Confidence
from reaseq.agents.labelled import LabelledProduct, Neighbours, Vectors
from reaseq.agents.learned import Learned, helpful, learnable, worthwhile
from reaseq.llm import encoders
from reaseq.taxonomy.schema import CategorySchema

_META = "reaseq student"
_FORMAT = 2
"""Of the file, and of the features and the way of learning: files of another one are learnt anew."""
_ENDING, _TAKEN_OVER = ".safetensors", "taken_over"


@dataclass(frozen=True)
class About:
    """category: of the store. labels: how many products taught it. f1: held-out, of values that would be proposed.
    fingerprint: of all that it was learnt from; of `labelled`: of the labelled products alone. encoder: whose vectors
    the weights are for."""

    category: str
    attributes: list[str]
    labels: int
    f1: float
    fingerprint: str
    labelled: str
    learnt_at: str
    encoder: str = encoders.DEFAULT
    format: int = _FORMAT


@dataclass(frozen=True)
class Kept:
    """A file of a student. taken_over: from another store?"""

    path: Path
    about: About
    taken_over: bool


def learnt(
    folder: Path | None,
    products: Sequence[LabelledProduct],
    labelled: str,
    schema: CategorySchema,
    vectors: Vectors,
    *,
    encoder: str = encoders.DEFAULT,
    others: Sequence[LabelledProduct] = (),
    seed: int = 0,
    on_learning: Callable[[], None] = lambda: None,
) -> tuple[Learned | None, str | None]:
    """What these products teach of the schema's category, learnt only if `folder` does not hold it already, else what
    was taken over for it; and the fingerprint of the labelled products. Nothing where there is neither.

    labelled: the products' fingerprint. encoder: which one `vectors` are of; a student of another one is not taken.
    others: labelled products of other categories. folder: where students are kept; None: they are not.
    """
    if not worthwhile(products, schema):
        if folder is None or not takes_over(folder, schema.category):
            return None, None
        kept = read(adopted := _file(folder / _TAKEN_OVER, schema.category))
        if kept.about.encoder != encoder:
            return None, None
        return _learned(adopted, kept.about, products, vectors), kept.about.labelled
    names = learnable(products, schema)
    beside = helpful(others, products, names)
    of_others = [[one.id, one.sources, one.values, one.weight] for one in beside]
    by = [encoder] if encoder != encoders.DEFAULT else []
    mark = _fingerprint([_FORMAT, labelled, names, seed, *([of_others] if of_others else []), *by])
    path = _file(folder, schema.category) if folder else None
    if path is not None and path.is_file():
        try:
            about = read(path).about
            if about.fingerprint == mark:
                return _learned(path, about, products, vectors), labelled
        except ReaseqError:
            pass  # what is broken is learnt anew
    on_learning()
    learned = Learned.learn(products, schema, vectors, beside=beside, seed=seed)
    if path is not None:
        about = About(
            schema.category,
            learned.tagger.attributes,
            len(products),
            round(learned.f1, 4),
            mark,
            labelled,
            datetime.now(UTC).isoformat(timespec="seconds"),
            encoder,
        )
        _save(path, learned, about)
    return learned, labelled


def takes_over(folder: Path, category: str) -> bool:
    """Was a student of this category taken over from another store?"""
    return _file(folder / _TAKEN_OVER, category).is_file()


def students(folder: Path) -> list[Kept]:
    """All that are kept, by category; broken files are left out."""
    found = []
    for path in sorted([*folder.glob(f"*{_ENDING}"), *(folder / _TAKEN_OVER).glob(f"*{_ENDING}")]):
        try:
            found.append(read(path))
        except ReaseqError:
            continue
    return sorted(found, key=lambda one: (one.about.category, one.taken_over))


def read(path: Path) -> Kept:
    """What a file says of itself.

    Raises:
        ReaseqError: it is no student, or was made by another version.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            said = json.loads((file.metadata() or {})[_META])["about"]
        said = {"encoder": encoders.DEFAULT, **said}  # which was the only one
        about = About(**{one.name: said[one.name] for one in fields(About)})
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ReaseqError(f"{path} is no student of reaseq: {error}", hint="reaseq models list") from error
    if about.format != _FORMAT:
        raise ReaseqError(
            f"{path} was learnt by another version of reaseq", hint=f"reaseq distill --category {about.category}"
        )
    return Kept(path, about, path.parent.name == _TAKEN_OVER)


def export(folder: Path, category: str, target: Path) -> Kept:
    """Copy the student of a category to a file, whole or not at all.

    Raises:
        ReaseqError: there is none.
    """
    mine = [one for one in students(folder) if one.about.category == category]
    if not mine:
        known = ", ".join(dict.fromkeys(one.about.category for one in students(folder))) or "none yet"
        raise ReaseqError(
            f"no student of {category!r}; there are: {known}", hint=f"reaseq distill --category {category} --gold FILE"
        )
    _copy(mine[0].path, target)
    return mine[0]


def take_over(folder: Path, source: Path) -> Kept:
    """Keep a student that another store has exported, for its category.

    Raises:
        ReaseqError: it is no student, or was made by another version.
    """
    kept = read(source)
    target = _file(folder / _TAKEN_OVER, kept.about.category)
    target.parent.mkdir(parents=True, exist_ok=True)
    _copy(source, target)
    return read(target)


def _copy(source: Path, target: Path) -> None:
    partial = target.with_name(f".{target.name}.partial")
    shutil.copyfile(source, partial)
    os.replace(partial, target)


def _file(folder: Path, category: str) -> Path:
    return folder / f"{category}{_ENDING}"


def _fingerprint(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def _save(path: Path, learned: Learned, about: About) -> None:
    from safetensors.numpy import save

    tagger = learned.tagger
    said = {
        "about": asdict(about),
        "confidence": asdict(learned.confidence),
        "known": tagger.known,
        "vocabulary": list(tagger.vocabulary),
        "written": [[*key, dict(forms)] for key, forms in tagger.written.items()],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    partial.write_bytes(save(vars(tagger.weights), {_META: json.dumps(said, sort_keys=True)}))
    os.replace(partial, path)


def _learned(path: Path, about: About, products: Sequence[LabelledProduct], vectors: Vectors) -> Learned:
    from safetensors import safe_open

    from reaseq.agents.crf import Weights
    from reaseq.agents.tagger import Tagger

    with safe_open(path, "np") as file:
        said: Mapping[str, Any] = json.loads(file.metadata()[_META])
        weights = Weights(**{name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
    vocabulary = {feature: number for number, feature in enumerate(said["vocabulary"])}
    tagger = Tagger(about.attributes, said["known"], vocabulary, vectors)
    tagger.written = {(name, text): Counter(forms) for name, text, forms in said["written"]}
    tagger.weights = weights
    return Learned(Neighbours(products), tagger, Confidence(**said["confidence"]), about.f1)
