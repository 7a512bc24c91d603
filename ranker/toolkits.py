"""A run's split, cases and vectors as files that other toolkits read, so that their rankers can be judged beside it.

RecBole 1.2: atomic files (https://recbole.io/docs/user_guide/data/atomic_files.html), split beforehand by
`benchmark_filename` (https://recbole.io/docs/user_guide/config/data_settings.html; for sequential models each row
holds its history, https://github.com/RUCAIBox/RecBole/issues/1303), read by `pandas.read_csv`.
RecTools 0.19: what `Dataset.construct` takes, interactions of user_id, item_id, weight and datetime, and features as
rows of id, feature and value (https://rectools.readthedocs.io/en/stable/api/rectools.dataset.dataset.Dataset.html).
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import yaml
from numpy.typing import NDArray

from reaseq import ReaseqError
from reaseq.knowledge_store import atomic_files
from reaseq.knowledge_store.atomic_files import floats, token, tokens
from reaseq.knowledge_store.export import whole
from reaseq.knowledge_store.log import Ints, Log, Sequences
from reaseq.knowledge_store.store import Store
from reaseq.ranker import runs
from reaseq.ranker.score import encode_histories
from reaseq.ranker.split import Cases, Split

Layout = Literal["recbole", "parquet", "csv"]
Vectors = NDArray[np.float32]
_NAME = "about.json"


@dataclass(frozen=True)
class Lab:
    """What is written: a run's log and split; its model's vectors of items [I, d] and of the test cases' users [C, d],
    whose product is the score but for repetition; what is known of each item; `most` events of a history that count."""

    log: Log
    split: Split
    items: Vectors
    users: Vectors
    products: list[dict[str, Any]]
    facts: dict[str, list[tuple[str, str]]]
    most: int


def export_split(store: Store, folder: Path, target: Path, layout: Layout) -> dict[str, int]:
    """Write the split that a run is judged on into the folder `target`, made if it is not there; folder: of the run.

    Returns rows by file, `about.json` aside, which says what they are. Each file appears whole or not at all; those of
    an earlier export that this one has not go.

    Raises:
        ReaseqError: a model of the run is missing, or a file cannot be written.
    """
    lab, about = _read(store, folder)
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReaseqError(f"{target}: {error.strerror or error}", hint="name a folder that can be written") from error
    made: dict[str, int] = {}
    before = _written_before(target)

    def write(name: str, one: Callable[[Path], int]) -> None:
        made[name] = whole(target / name, one)

    if layout == "recbole":
        _recbole(lab, target.resolve().name, write)
    else:
        _tables(lab, layout, write)
    for name in before - made.keys():
        (target / name).unlink(missing_ok=True)
    told = json.dumps(about | {"layout": layout, "rows": made}, indent=1)
    whole(target / _NAME, lambda part: part.write_text(f"{told}\n", encoding="utf-8"))
    return made


def _written_before(target: Path) -> set[str]:
    """The files that an earlier export wrote into a folder, by what it says of itself."""
    try:
        rows = json.loads((target / _NAME).read_text(encoding="utf-8"))["rows"]
        return {name for name in rows if Path(name).name == name}
    except (OSError, ValueError, KeyError, TypeError):
        return set()


def _read(store: Store, folder: Path) -> tuple[Lab, dict[str, Any]]:
    opened = runs.reopen(store, folder)
    prepared = opened.prepared
    log, split, config = prepared.dataset.log, prepared.data.split, prepared.config
    fitted = opened.models[next(variant.name for variant in reversed(config.variants()))][0]
    vectors = fitted.vectors()
    users, _ = encode_histories(fitted.model, vectors, split.test.history)
    facts = {
        product: [(name, value) for name, _, value in (fact.partition("=") for fact in known)]
        for product, known in store.facts().items()
    }
    products = [product for product, _, _ in store.products_of(log.items)]
    lab = Lab(log, split, vectors.keys.cpu().numpy(), users.cpu().numpy(), products, facts, config.model.most)
    about = {
        "run": folder.name,
        "dataset": runs.fingerprint(log),
        "log_is_that_of_the_training": prepared.id == folder.name,
        "split": split.name,
        "cuts": config.cuts,
        "clock": "seconds since 1970, UTC" if log.timed else "position",
        "users": len(log.users),
        "items": len(log.items),
        "train_events": len(split.train.items),
        "validation_cases": len(split.valid),
        "test_cases": len(split.test),
    }
    return lab, about


def _next_times(log: Log, cases: Cases) -> NDArray[np.float64]:
    """When the first event after each case's history was: [C]. A history is the beginning of its user's events."""
    at: NDArray[np.float64] = log.events.at[log.events.offsets[cases.users] + cases.history.lengths]
    return at


# RecBole


def _recbole(lab: Lab, name: str, write: Callable[[str, Callable[[Path], int]], None]) -> None:
    users, items = [token(one) for one in lab.log.users], [token(one) for one in lab.log.items]

    def table(ending: str, columns: Sequence[str], rows: Iterator[Sequence[str]]) -> None:
        write(f"{name}.{ending}", lambda part: atomic_files.write(part, columns, rows))

    pair = ("user_id:token", "item_id:token", "timestamp:float")
    listed = ("user_id:token", "item_id_list:token_seq", "item_id:token")
    train, everybody = lab.split.train, np.arange(len(lab.log.users))
    table("train.inter", pair, _events(train, everybody, users, items))
    table("train.seq.inter", listed, _prefixes(train, lab.most, users, items))
    for part, cases in (("valid", lab.split.valid), ("test", lab.split.test)):
        targets = Sequences(
            cases.offsets, cases.targets, np.repeat(_next_times(lab.log, cases), np.diff(cases.offsets))
        )
        table(f"{part}.inter", pair, _events(targets, cases.users, users, items))
        table(f"{part}.seq.inter", listed, _listed(cases, lab.most, users, items))
    attributes = sorted({fact for known in lab.facts.values() for fact, _ in known} - {"brand", "category"})
    columns = ["item_id:token", "title:token_seq", "brand:token", "category:token", "price:float"]
    columns += [f"{_field(one, columns)}:token_seq" for one in attributes]
    table("item", columns, (_item(product, lab.facts, attributes) for product in lab.products))
    table(
        "user",
        ("user_id:token", "events:float"),
        ((user, str(n)) for user, n in zip(users, train.lengths, strict=True)),
    )
    table("itememb", ("iid:token", "item_emb:float_seq"), _vectors(items, lab.items))
    table("useremb", ("uid:token", "user_emb:float_seq"), _vectors([users[u] for u in lab.split.test.users], lab.users))
    shared = {"USER_ID_FIELD": "user_id", "ITEM_ID_FIELD": "item_id", "TIME_FIELD": "timestamp", "data_path": ".."}
    plain = {
        "benchmark_filename": ["train", "valid", "test"],
        "load_col": {"inter": ["user_id", "item_id", "timestamp"], "item": ["item_id"], "user": ["user_id"]},
    }
    sequential = {
        "benchmark_filename": ["train.seq", "valid.seq", "test.seq"],
        "load_col": {"inter": ["user_id", "item_id_list", "item_id"], "item": ["item_id"], "user": ["user_id"]},
        "alias_of_item_id": ["item_id_list"],
        "MAX_ITEM_LIST_LENGTH": lab.most,
        "train_neg_sample_args": None,
    }
    for ending, config in (("yaml", plain), ("seq.yaml", sequential)):
        text = yaml.safe_dump(shared | config, sort_keys=False)
        write(f"{name}.{ending}", lambda part, text=text: part.write_text(text, encoding="utf-8") and 0)  # type: ignore[misc]


def _events(some: Sequences, owners: Ints, users: Sequence[str], items: Sequence[str]) -> Iterator[Sequence[str]]:
    """Rows of user, item and time; owners: [S], the user of each sequence."""
    of = owners[some.owner].tolist()
    for user, item, at in zip(of, some.items.tolist(), some.at.tolist(), strict=True):
        yield users[user], items[item], repr(at)


def _prefixes(train: Sequences, most: int, users: Sequence[str], items: Sequence[str]) -> Iterator[Sequence[str]]:
    """Every event but a user's first, with what came before it."""
    bounds = train.offsets.tolist()
    for user, name in enumerate(users):
        mine = [items[item] for item in train.items[bounds[user] : bounds[user + 1]].tolist()]
        for place in range(1, len(mine)):
            yield name, " ".join(mine[max(0, place - most) : place]), mine[place]


def _listed(cases: Cases, most: int, users: Sequence[str], items: Sequence[str]) -> Iterator[Sequence[str]]:
    """Every target with its case's history."""
    bounds = cases.history.offsets.tolist()
    for case, target in zip(cases.owner.tolist(), cases.targets.tolist(), strict=True):
        mine = cases.history.items[max(bounds[case], bounds[case + 1] - most) : bounds[case + 1]].tolist()
        yield users[cases.users[case]], " ".join(items[item] for item in mine), items[target]


def _item(product: dict[str, Any], facts: dict[str, list[tuple[str, str]]], attributes: Sequence[str]) -> Sequence[str]:
    values: dict[str, list[str]] = {}
    for name, value in facts.get(product["id"], ()):
        values.setdefault(name, []).append(value)
    price = product["price"]
    return [
        token(product["id"]),
        tokens((product["title"] or "").split()),
        token(product["brand"] or ""),
        token(product["category"] or ""),
        "" if price is None else repr(float(price)),
        *(tokens(dict.fromkeys(values.get(name, ()))) for name in attributes),
    ]


def _field(attribute: str, taken: Sequence[str]) -> str:
    """What an attribute's column is called: a colon would end the name, and no two columns are called alike."""
    name = token(attribute).replace(":", "%3A")
    return f"{name}_claimed" if name in {one.partition(":")[0] for one in taken} else name


def _vectors(names: Sequence[str], vectors: Vectors) -> Iterator[Sequence[str]]:
    for name, vector in zip(names, vectors, strict=True):
        yield name, floats(vector.tolist())


# Tables


def _tables(lab: Lab, layout: Layout, write: Callable[[str, Callable[[Path], int]], None]) -> None:
    users, items = pa.array(lab.log.users, pa.string()), pa.array(lab.log.items, pa.string())
    train, test = lab.split.train, lab.split.test

    def events(some: Sequences, owners: Ints) -> pa.Table:
        # Positions are told as seconds: what reads them wants times, and only their order counts.
        times = pa.array(np.round(some.at * 1e6).astype(np.int64)).cast(pa.timestamp("us"))
        return pa.table(
            {
                "user_id": users.take(pa.array(owners[some.owner])),
                "item_id": items.take(pa.array(some.items)),
                "weight": pa.array(np.ones(len(some.items))),
                "datetime": times,
            }
        )

    def targets(cases: Cases) -> pa.Table:
        of = pa.array(cases.users[cases.owner])
        return pa.table({"user_id": users.take(of), "item_id": items.take(pa.array(cases.targets))})

    facts = [(product, name, value) for product in lab.log.items for name, value in lab.facts.get(product, ())]
    known = {
        name: pa.array([row[at] for row in facts], pa.string()) for at, name in enumerate(("id", "feature", "value"))
    }
    columns = {
        "item_id": "id",
        "title": "title",
        "description": "description",
        "brand": "brand",
        "category": "category",
    }
    texts = {name: pa.array([one[own] for one in lab.products], pa.string()) for name, own in columns.items()}
    price = pa.array([None if one["price"] is None else float(one["price"]) for one in lab.products], pa.float64())
    made = {
        "interactions": events(train, np.arange(len(train))),
        "valid_histories": events(lab.split.valid.history, lab.split.valid.users),
        "valid_targets": targets(lab.split.valid),
        "test_histories": events(test.history, test.users),
        "test_targets": targets(test),
        "items": pa.table({**texts, "price": price}),
        "item_features": pa.table(known),
        "item_vectors": _table_of(items, "item_id", lab.items, layout),
        "user_vectors": _table_of(users.take(pa.array(test.users)), "user_id", lab.users, layout),
    }
    for name, table in made.items():
        write(f"{name}.{layout}", lambda part, table=table: _write_table(part, table, layout))  # type: ignore[misc]


def _table_of(names: Any, called: str, vectors: Vectors, layout: Layout) -> Any:
    """Ids with their vectors: a column of lists, in CSV a column for each number."""
    if layout == "csv":
        return pa.table({called: names} | {f"v{at}": pa.array(vectors[:, at]) for at in range(vectors.shape[1])})
    flat = pa.array(vectors.ravel(), pa.float32())
    return pa.table({called: names, "vector": pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])})


def _write_table(path: Path, table: Any, layout: Layout) -> int:
    if layout == "csv":
        pacsv.write_csv(table, path)
    else:
        pq.write_table(table, path)
    return int(table.num_rows)
