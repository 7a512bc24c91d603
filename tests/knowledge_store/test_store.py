"""The store: people's decisions stay, failures lose nothing, errors name the store."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from reaseq import ReaseqError
from reaseq.bench.catalogue import fill
from reaseq.knowledge_store.store import CLAIM, PRODUCT, ProductKnowledge, Store, StoreError, among, insert_all
from reaseq.knowledge_store.tables import CONTENT, ClaimStatus, fingerprint, now
from reaseq.taxonomy.schema import starter_for


def claim(attribute: str, value: str) -> dict[str, Any]:
    return {
        "attribute": attribute,
        "value": value,
        "facet": "supply",
        "claim_type": "stated",
        "status": "verified",
        "verdict": "the title says so",
        "found_by": "both",
        "field": "title",
        "start": 0,
        "end": 1,
        "quote": "x",
        "reason": None,
        "confidence": None,
        "model": "m",
        "prompt_fingerprint": "p",
        "schema_version": 1,
    }


@pytest.fixture
def run_id(store: Store) -> int:
    fill(store, 2)
    return store.start_run(command="distill", model="m", engine="e", settings={}, versions={})


PROSE = {"text": "A shoe.", "model": "m", "prompt_fingerprint": "p"}
FAILURE = {"stage": "attribute_extractor", "reason": "no", "attempts": 3}


def values(store: Store) -> list[tuple[str, str]]:
    return [(row["attribute"], row["value"]) for row in store.knowledge("made-000001")[0]]


def test_new_claims_replace_old_ones(store: Store, run_id: int) -> None:
    old = ProductKnowledge("made-000001", {}, claims=[claim("color", "red")], prose=PROSE)
    store.save_knowledge(old, run_id=run_id)
    new = ProductKnowledge("made-000001", {}, claims=[claim("color", "blue")], failures=[FAILURE])
    store.save_knowledge(new, run_id=run_id)
    claims, prose, failures = store.knowledge("made-000001")
    assert [row["value"] for row in claims] == ["blue"]
    assert prose is None, "prose on other claims would be out of date"
    assert [row["reason"] for row in failures] == ["no"]
    store.save_knowledge(old, run_id=run_id)
    assert store.failures() == []


def test_a_failure_that_found_nothing_out_leaves_what_was_known(store: Store, run_id: int) -> None:
    store.save_knowledge(
        ProductKnowledge("made-000001", {"a": "1"}, claims=[claim("color", "red")], prose=PROSE), run_id=run_id
    )
    store.save_knowledge(ProductKnowledge("made-000001", {"a": "2"}, failures=[FAILURE]), run_id=run_id)
    claims, prose, failures = store.knowledge("made-000001")
    assert [row["value"] for row in claims] == ["red"]
    assert prose is not None
    assert len(failures) == 1
    assert next(store.products("shoes"))[1:] == ({"a": "2"}, "failed")


@pytest.mark.parametrize(
    ("status", "several", "expected"),
    [
        (ClaimStatus.APPROVED, (), ["closure=lace-up", "color=red"]),
        (ClaimStatus.EDITED, (), ["closure=lace-up", "color=red"]),
        (ClaimStatus.REJECTED, (), ["closure=lace-up", "color=blue", "color=red"]),
        (ClaimStatus.APPROVED, ("color",), ["closure=lace-up", "color=blue", "color=red"]),
    ],
)
def test_what_people_decided_stays(
    store: Store, run_id: int, status: ClaimStatus, several: tuple[str, ...], expected: list[str]
) -> None:
    first = ProductKnowledge("made-000001", {}, claims=[claim("color", "red"), claim("closure", "zip")])
    store.save_knowledge(first, run_id=run_id)
    with store.writing() as connection:
        decided = update(CLAIM).where(CLAIM.c.attribute == "color").values(status=status, decided_by="ann")
        connection.execute(decided)
    found = [claim("color", "Red"), claim("color", "blue"), claim("closure", "lace-up")]
    store.save_knowledge(ProductKnowledge("made-000001", {}, claims=found, several=several), run_id=run_id)
    assert sorted(f"{name}={value}" for name, value in values(store)) == expected


def test_schema_versions(store: Store, run_id: int) -> None:
    shoes = starter_for("shoes")
    assert shoes is not None
    assert store.save_schema(shoes, derived_from="a", run_id=run_id).version == 1
    assert store.save_schema(shoes, derived_from="b", run_id=run_id).version == 1
    assert store.save_schema(shoes.replace(description="Other."), derived_from="b", run_id=run_id).version == 2
    latest = store.latest_schema("shoes")
    assert latest is not None
    assert (latest.version, latest.derived_from, latest.schema.description) == (2, "b", "Other.")
    assert store.latest_schema("hats") is None


def test_products_come_in_order_and_in_batches(store: Store, run_id: int) -> None:
    ids = [product["id"] for product, _, _ in store.products("shoes", batch=1)]
    assert ids == ["made-000001", "made-000002"]


@pytest.mark.parametrize(
    ("url", "message"),
    [("nonsense", "cannot open the store"), ("sqlite:////proc/nowhere/store.sqlite", "cannot open the store")],
)
def test_a_store_that_cannot_be_opened(url: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        Store.open(url)
    assert caught.value.hint


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    path.write_bytes(b"this is no database at all, but a text of some length" * 10)
    with pytest.raises(StoreError, match="not a database"):
        Store.open(f"sqlite:///{path}")


def test_a_newer_store_is_refused(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with Store.open(url) as store, store.engine.begin() as connection:
        connection.exec_driver_sql("update alembic_version set version_num = '9999'")
    with pytest.raises(ReaseqError, match="written by a newer reaseq"):
        Store.open(url)


JSON_VALUES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()


@given(st.lists(JSON_VALUES, min_size=6, max_size=6), st.dictionaries(st.text(), JSON_VALUES | st.lists(JSON_VALUES)))
def test_fingerprints_are_of_the_canonical_json(values: list[Any], attributes: dict[str, Any]) -> None:
    """As earlier versions wrote it: else every product would be new."""
    canonical = json.dumps([*values, attributes], sort_keys=True, ensure_ascii=False)
    product = dict(zip(CONTENT, [*values, attributes], strict=True))
    assert fingerprint(product) == hashlib.sha256(canonical.encode()).hexdigest()[:16]


def test_many_rows_are_stored_like_one(store: Store) -> None:
    stamp = now()
    seen = {"fingerprint": "f", "source": "s", "line": 1, "import_id": 1, "created_at": stamp, "updated_at": stamp}
    texts = ["plain", 'a "quote", \\ and [brackets]', "\u20ac \U0001f45f\n", ""]
    rows: list[dict[str, Any]] = [
        {
            "id": f"{at}{text}",
            "title": text,
            "description": "",
            "price": price,
            "attributes": {"n": 10**20, text: [text]},
        }
        for at, (text, price) in enumerate(zip(texts, (None, 1, 0.1, -0.0), strict=True))
    ]
    rows = [row | seen for row in rows]
    stored = []
    for write in (insert_all, lambda connection, table, these: connection.execute(insert(table), these)):
        with store.writing() as connection:
            connection.execute(delete(PRODUCT))
            write(connection, PRODUCT, rows)
            stored.append(connection.execute(select(PRODUCT).order_by(PRODUCT.c.id)).all())
    assert stored[0] == stored[1]
    assert len(stored[0]) == len(rows)
    ids = [str(row["id"]) for row in rows]
    with store.reading() as connection:
        for wanted in ([], ids[:2], ids, ["none"]):
            found = connection.execute(select(PRODUCT.c.id).where(among(connection, PRODUCT.c.id, wanted))).scalars()
            assert sorted(found) == sorted(set(wanted) & set(ids))
