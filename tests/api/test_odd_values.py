"""Values as notebooks have them: missing ones, numbers for ids, times of other libraries, and what is none of these."""

import ast
import pydoc
import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import reaseq
from reaseq.api import checking
from reaseq.api.errors import hint_in_python, in_python, message_in_python
from reaseq.api.settings import Settings
from reaseq.beyond_log.fit import BeyondLogConfig
from reaseq.knowledge_store import embeddings, samples
from reaseq.knowledge_store.native import native
from reaseq.ranker import runs
from reaseq.ranker.own import of_file
from reaseq.ranker.score import case_scores

ROOT = Path(__file__).resolve().parents[2]
TINY: dict[str, Any] = {"features": "id", "epochs": 1, "dim": 16, "blocks": 1, "progress": False}
BOOT = {"id": "1", "title": "Boot"}


class NAType:
    """As pandas' NA is: whether it is equal to anything, nobody knows."""

    def __eq__(self, other: object) -> "NAType":  # type: ignore[override]
        return self

    __ne__ = __eq__  # type: ignore[assignment]
    __hash__ = object.__hash__

    def __bool__(self) -> bool:
        raise TypeError("boolean value of NA is ambiguous")


class NaTType(datetime):
    """As pandas' NaT is: a datetime that is not equal to itself."""

    def __eq__(self, other: object) -> bool:
        return False

    def __ne__(self, other: object) -> bool:
        return True

    __hash__ = datetime.__hash__


NA, NAT = NAType(), NaTType(2025, 1, 1)
MISSING = [None, float("nan"), np.float32("nan"), np.datetime64("NaT"), np.timedelta64("NaT"), NA, NAT]


@pytest.fixture
def kb(tmp_path: Path) -> reaseq.KnowledgeBase:
    return reaseq.open(tmp_path / "kb", engine="none")


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[reaseq.KnowledgeBase]:
    """One with a ranker and vectors, which nobody changes."""
    with reaseq.open(tmp_path_factory.mktemp("shop") / "kb", engine="none") as made:
        made.add_products(samples.SHOES, category="shoes")
        made.add_events(samples.SHOE_EVENTS)
        made.add_events([{"user": 100, "item": "FS-1001", "time": f"2025-05-0{day}"} for day in range(1, 8)])
        with_vectors(made)
        made.train_ranker(**TINY)
        yield made


def with_vectors(kb: reaseq.KnowledgeBase) -> None:
    """Vectors for all products, drawn."""
    space = embeddings.open_space(kb.store, "drawn", "drawn", 16)
    texts = list(embeddings.texts(kb.store))
    drawn = np.random.default_rng(0).normal(size=(len(texts), 16)).astype(np.float16)
    embeddings.save_vectors(kb.store, space, texts, drawn)
    embeddings.fit_whitening(kb.store, space)


# What comes in


@pytest.mark.parametrize("missing", MISSING, ids=lambda one: type(one).__name__)
def test_what_is_missing_is_nothing(kb: reaseq.KnowledgeBase, missing: Any) -> None:
    row = BOOT | {"brand": missing, "launched": missing, "sizes": [missing, "9"], "deep": {"a": missing, "b": "c"}}
    assert kb.add_products([row, {"id": missing, "title": "Shoe"}, {"id": "3", "title": missing}]).set_aside == 1
    assert kb.product("1").texts == {
        "title": "Boot",
        "attributes.sizes": '[null, "9"]',
        "attributes.deep.b": "c",
    }
    event = {"user": "u", "item": "1", "time": "2025-01-01", "kind": "view"}
    rows = [event, *(event | {name: missing} for name in ("user", "item", "time"))]
    report = kb.add_events([*rows, event | {"kind": missing}])
    assert [reason for _, reason in report.first_rejected] == ["has no user", "has no item", "its time cannot be read"]
    assert [one["kind"] for one in kb.events()] == ["purchase", "view"]


def test_values_of_other_libraries() -> None:
    when = datetime(2025, 6, 1, tzinfo=UTC).replace(tzinfo=None)
    cases: list[tuple[Any, Any]] = [
        (np.int64(3), 3),
        (np.str_("a"), "a"),
        (np.bool_(True), True),
        (np.array([1.5, np.nan]), [1.5, None]),
        (np.datetime64("2025-06-01"), date(2025, 6, 1)),
        (np.datetime64("2025-06-01", "ns"), when),
        (np.array(["2025-06-01"], "datetime64[ns]"), [when]),
        (pa.scalar(5), 5),
        (pa.scalar(None, pa.int64()), None),
        ({1: NAT, "b": (NA, "x")}, {"1": None, "b": [None, "x"]}),
    ]
    for given, expected in cases:
        assert native(given) == expected
        assert type(native(given)) is type(expected)


def test_users_of_the_log_can_be_listed(shop: reaseq.KnowledgeBase) -> None:
    users = shop.users()
    events = [one for one in shop.events() if one["kind"] != "impression"]
    assert set(users["user_id"]) == {one["user_id"] for one in events}
    assert sum(users["events"]) == len(events)
    assert users["events"] == sorted(users["events"], reverse=True)
    first = users[0]
    mine = [one for one in events if one["user_id"] == first["user_id"]]
    assert first == {
        "user_id": mine[0]["user_id"],
        "events": len(mine),
        "products": len({one["product_id"] for one in mine}),
        "first": min(one["at"] for one in mine),
        "last": max(one["at"] for one in mine),
    }
    assert list(shop.users(limit=2)) == list(users[:2])
    with pytest.raises(reaseq.ReaseqError, match="limit = 0"):
        shop.users(limit=0)


def test_a_structured_array_is_a_table(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(np.array([(7, "Boot"), (8, "Clog")], dtype=[("id", "i8"), ("title", "U9")]))
    assert kb.products()["title"] == ["Boot", "Clog"]
    log = np.array([("u", 7, 1.7e9)], dtype=[("user_id", "U3"), ("item", "i8"), ("time", "f8")])
    assert kb.add_events(log).events == 1


@pytest.mark.parametrize(
    "empty", [[], (), iter(()), pa.table({"id": pa.array([], pa.string()), "title": pa.array([], pa.string())})]
)
def test_of_nothing_nothing_is_imported_and_told(kb: reaseq.KnowledgeBase, empty: Any) -> None:
    for report in (kb.add_products(empty), kb.add_events(empty)):
        assert "nothing imported" in repr(report)
        assert "nothing imported" in report._repr_html_()
    assert repr(kb.add_products([BOOT, BOOT])) == "<ImportReport: 2 rows: 1 new, 1 repeated>"


def test_an_empty_file_is_an_error(kb: reaseq.KnowledgeBase, tmp_path: Path) -> None:
    kb.add_products([BOOT])
    for text, said in (("", "is empty"), ("id,title\n", "holds no rows")):
        (tmp_path / "feed.csv").write_text(text)
        for read in (kb.add_products, kb.add_events):
            with pytest.raises(reaseq.ReaseqError, match=said):
                read(tmp_path / "feed.csv")


def test_columns_of_data_frames(kb: reaseq.KnowledgeBase) -> None:
    pandas = pytest.importorskip("pandas")
    kb.add_products(pandas.DataFrame([["1", "Boot", "x"]], columns=["id", "title", "title"]))
    assert kb.product("1").texts == {"title": "Boot", "attributes.title 2": "x"}
    kb.add_products(pandas.DataFrame([["2", "Shoe"]]), columns={"id": 0, "title": 1})
    assert kb.product("2").title == "Shoe"
    levels = pandas.MultiIndex.from_tuples([("a", "id"), ("a", "title")])
    kb.add_products(pandas.DataFrame([["3", "Clog"]], columns=levels))
    assert kb.product("3").title == "Clog"
    nothing = pandas.DataFrame(
        {"id": ["4", 5], "title": ["Mule", "Pump"], "at": [pandas.NaT, "x"], "n": [pandas.NA, 1]}
    )
    kb.add_products(nothing)
    assert kb.product("4").texts == {"title": "Mule"}
    assert "nothing imported" in repr(kb.add_products(pandas.DataFrame()))


# Arguments


def test_one_is_one_and_numbers_are_ids(shop: reaseq.KnowledgeBase) -> None:
    ranker = shop.ranker()
    small: dict[str, Any] = {"epochs": 1, "dim": 16, "heads": 2, "progress": False}
    assert shop.imagine("100", **small).users == ["100"]
    for users in (100, [100], ["100", 100.0], np.array([100]), pa.array([100]), {100}):
        assert shop.imagine(users, **small).users == ["100"]  # type: ignore[arg-type]
        assert {one["user_id"] for one in ranker.rank(users, "FS-1001")} == {"100"}  # type: ignore[arg-type]
    assert len(shop.imagined(100)) > 0
    assert len(shop.imagine("100", slots=10, **small).users) == 1
    assert len(shop.imagined("100")) == 10
    assert ranker.recommend(100, k=np.int64(2)) == ranker.recommend("100", k=2)  # type: ignore[arg-type]
    assert ranker.explain(100, "FS-1001")[0].product_id == "FS-1001"


Call = Callable[[reaseq.KnowledgeBase], Any]
NO_IDS: list[Any] = [None, "", True, float("nan"), b"1"]
NO_NUMBERS: list[Any] = [-1, "3", 0, 1.5, True]
NO_RUNS: list[Any] = ["", [], True]
NO_PATHS: list[Any] = [5, [], True, b"kb", ""]
REFUSED: list[tuple[Call, str]] = [
    (lambda kb: kb.imagine([], progress=False), "no users to imagine for"),
    (lambda kb: kb.imagine([None], progress=False), "no id: None"),  # type: ignore[list-item]
    (lambda kb: kb.imagine(True, progress=False), "no id: True"),
    (lambda kb: kb.imagine({"a": 1}, progress=False), "a dict is no list of ids"),  # type: ignore[arg-type]
    (lambda kb: kb.imagine(kb.events(), progress=False), "a Frame is no list of ids"),  # type: ignore[arg-type]
    (lambda kb: kb.imagine("nobody", progress=False), "no events of user 'nobody'"),
    *((lambda kb, wrong=wrong: kb.imagine(slots=wrong, progress=False), "slots = ") for wrong in NO_NUMBERS),
    (lambda kb: kb.imagine(dim=30, heads=4, progress=False), "30 is no multiple of 4"),
    (lambda kb: kb.imagine(folds="x", progress=False), "folds: 'x' is not a whole number"),
    *((lambda kb, wrong=wrong: kb.imagined(wrong), "no id") for wrong in (*NO_IDS, NAT)),
    (lambda kb: kb.imagined(["u001"]), "one user at a time"),  # type: ignore[arg-type]
    *((lambda kb, wrong=wrong: kb.product(wrong), "no id") for wrong in NO_IDS),
    (lambda kb: kb.product(["FS-1001"]), "one product at a time"),  # type: ignore[arg-type]
    *((lambda kb, wrong=wrong: kb.ranker().rank(wrong), "no id") for wrong in ("", True, [NA], [["u001"]], b"u")),
    (lambda kb: kb.ranker().rank(), "for whom"),
    (lambda kb: kb.ranker().rank("u001", history=["FS-1001"]), "for whom"),
    (lambda kb: kb.ranker().rank(None, {"u001": ["FS-1001"]}, history=["FS-1001"]), "candidates by user, and no users"),
    *((lambda kb, wrong=wrong: kb.ranker().rank("u001", wrong), "no id") for wrong in ("", True, [None])),
    *((lambda kb, wrong=wrong: kb.ranker().recommend("u001", wrong), "k = ") for wrong in NO_NUMBERS),
    (lambda kb: kb.ranker().recommend("u001", new_only="no"), "new_only = 'no'"),  # type: ignore[arg-type]
    *((lambda kb, wrong=wrong: kb.plan("shoes", limit=wrong), "limit = ") for wrong in NO_NUMBERS),
    *((lambda kb, wrong=wrong: kb.distill("shoes", limit=wrong), "limit = ") for wrong in NO_NUMBERS),
    *((lambda kb, wrong=wrong: kb.distill("shoes", max_tokens=wrong), "max_tokens = ") for wrong in (-1, "3", 0)),
    *(
        (lambda kb, wrong=wrong: kb.distill("shoes", max_cost=wrong), "max_cost = ")
        for wrong in (-1, "3", float("nan"))
    ),
    *(
        (lambda kb, name=name, wrong=wrong: getattr(kb, name)(wrong), "category = .*: it must be a text")
        for name in ("plan", "distill", "products", "claims", "embed")
        for wrong in (5, "", [], ["shoes"], True)
    ),
    (lambda kb: kb.add_products([BOOT], category=5), "category = 5"),  # type: ignore[arg-type]
    (lambda kb: kb.add_products([BOOT], columns=["title"]), "columns = "),  # type: ignore[arg-type]
    (lambda kb: kb.add_products([BOOT], columns={"titel": "title"}), r'columns=\{"titel": …\}: no such field'),
    (lambda kb: kb.add_products([BOOT], columns={"title": "x"}), r"columns=\{\"title\": 'x'\}: no such column"),
    (lambda kb: kb.add_products([BOOT], name=5), "name = 5"),  # type: ignore[arg-type]
    (lambda kb: kb.add_products([BOOT], replaces="no"), "replaces = 'no'"),  # type: ignore[arg-type]
    (lambda kb: kb.add_products([BOOT], progress="bar"), "progress = 'bar'"),  # type: ignore[arg-type]
    (lambda kb: kb.add_products(""), "'' is no path of a file"),
    (lambda kb: kb.add_events([{"user": "u", "item": "FS-1001"}], kind=None), "kind = None"),  # type: ignore[arg-type]
    (lambda kb: kb.ranker(6829), "no finished run '6829'"),  # type: ignore[arg-type]
    *((lambda kb, wrong=wrong: kb.ranker(wrong), "run = ") for wrong in NO_RUNS),
    (lambda kb: kb.ranker().to_onnx(5), "5 is no path of a file"),  # type: ignore[arg-type]
    (lambda kb: kb.ranker().export_split(None), "None is no path of a folder"),  # type: ignore[arg-type]
    *((lambda kb, wrong=wrong: reaseq.open(wrong), "is no path of a folder") for wrong in NO_PATHS),
    (lambda kb: kb.undo("1"), "decision = '1'"),  # type: ignore[arg-type]
    (lambda kb: kb.undo(99), "decision 99 cannot be taken back: there is no such decision"),
    (lambda kb: kb.undo(True), "decision = True"),
    (lambda kb: kb.ranker().explain("u001"), "which products are to be explained"),
    (lambda kb: kb.ranker().rank(kb.products()), "a Frame is no list of ids"),  # type: ignore[arg-type]
    (lambda kb: kb.ranker().rank(history=kb.events()), "a history is one person's, and these are events of 401 users"),
    (lambda kb: kb.ranker().recommend(history=list(kb.events())), "a history is one person's"),
    (lambda kb: kb.ranker().explain(history=kb.events().to_arrow(), products="FS-1001"), "a history is one person's"),
    (lambda kb: kb.products()[True], "no column True"),
    (lambda kb: kb.products()[["id", "title"]], "one column or row at a time"),  # type: ignore[call-overload]
    (lambda kb: kb.products()[np.array([True, False])], "one column or row at a time"),
    (lambda kb: reaseq.open(str(kb.store.engine.url.database)), "is a file, and a base is a folder"),
    (lambda kb: kb.decide({"id": float("nan"), "product_id": "1"}, "approve"), "no claim"),
    (lambda kb: kb.decide({"id": 10**6, "product_id": "1"}, "approve"), "claim 1000000 is gone"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_what_is_none_is_refused_in_words(shop: reaseq.KnowledgeBase, number: int) -> None:
    call, said = REFUSED[number]
    with pytest.raises(reaseq.ReaseqError, match=said) as caught:
        call(shop)
    assert caught.value.hint
    assert "--" not in f"{caught.value} {caught.value.hint}"


NO_FEATURES: list[Any] = ["", "ids", [["id"]], [1], [None], [{}]]
NO_KINDS: list[Any] = [[["view"]], [5], [None]]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"dim": 30, "heads": 4}, "the heads share dim evenly, and 30 is no multiple of 4"),
        ({"dim": 10**9}, "dim: Input should be less than or equal to 16384"),
        ({"seed": -1}, "seed: Input should be greater than or equal to 0"),
        ({"seed": 2**70}, "seed: Input should be less than"),
        ({"seeds": 0}, "seeds: "),
        ({"lr": float("inf")}, "lr: Input should be a finite number"),
        ({"features": ()}, "features: at least one is needed"),
        *(({"features": wrong}, f"features: {wrong} is not a list of texts") for wrong in (5, True)),
        ({"features": {"id": 1}}, "features: {'id': 1} is not a list of texts"),
        *(({"features": wrong}, "features: .* is none of 'id', ") for wrong in NO_FEATURES),
        ({"kinds": ()}, "kinds: at least one is needed"),
        *(({"kinds": wrong}, "kinds: .* is not a text") for wrong in NO_KINDS),
        *(
            ({name: wrong}, f"{name}: .* is not a whole number")
            for name in ("epochs", "seeds", "dim", "most", "seed", "negatives")
            for wrong in (True, "2", 2.0, None, [2])
        ),
        *(
            ({name: wrong}, f"{name}: .* is not a number")
            for name in ("lr", "discount", "dropout", "skipped", "temperature")
            for wrong in (True, "0.1", None, [0.1])
        ),
        *(
            ({name: wrong}, f"{name}: .* is not True or False")
            for name in ("ablate", "repeats")
            for wrong in (1, "yes")
        ),
        *(({"split": wrong}, "split: .* is none of 'temporal', ") for wrong in (5, "random", ["temporal"])),
        ({"epoch": 1}, "epoch: no such setting"),
        *(({name: True}, f"{name}: no such setting") for name in ("timed", "by_basket", "cuts", "model", "train")),
        ({"model": 3}, "model: no such setting"),
    ],
)
def test_wrong_settings_of_a_ranker(shop: reaseq.KnowledgeBase, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(reaseq.ReaseqError, match=re.escape(said).replace(r"\.\*", ".*")) as caught:
        shop.train_ranker(**TINY | settings)
    assert caught.value.hint
    assert "--" not in caught.value.hint


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"enginee": "none"}, "enginee: no such setting; did you mean engine?"),
        ({"colour": 1}, "colour: no such setting"),
        *(
            ({name: wrong}, f"{name}: {wrong!r} is not a number")
            for name in ("concurrency", "timeout", "retries", "votes", "columns", "temperature", "seed")
            for wrong in (True, "8", [8])
        ),
        ({"retries": -1}, "retries: Input should be greater than or equal to 0"),
        ({"engine": "opnai"}, "engine: 'opnai' is none of embedded, openai, vllm, replay, none; did you mean openai?"),
        ({"engine": 5}, "engine: 5 is none of embedded, openai, vllm, replay, none"),
        *(
            ({"base_url": wrong}, f"base_url: {wrong!r} is no address: it begins with http:// or https://")
            for wrong in ("localhost:8000/v1", "api.example.com", "", "http://", "ftp://host/v1", "http://h:99999/v1")
        ),
        ({"base_url": "host/v1"}, "(do you mean http://host/v1?)"),
        ({"pipeline": "nope.yaml"}, "nope.yaml"),
        ({"engine": "replay", "replay_file": "nope.jsonl"}, "replay_file: there is no file /"),
        *(({name: "nope"}, f"{name}: there is no folder /") for name in ("prompts_dir", "schemas_dir")),
        ({"pipeline": 5}, "5 is no pipeline"),
        ({"pipeline": ["verifier"]}, "['verifier'] is no pipeline"),
    ],
)
def test_wrong_settings_of_a_base(tmp_path: Path, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(reaseq.ReaseqError, match=re.escape(said)) as caught:
        reaseq.open(tmp_path / "kb", **settings)
    assert caught.value.hint


def test_settings_of_a_base_are_documented() -> None:
    page = reaseq.open.__doc__ or ""
    for name, field in Settings.model_fields.items():
        assert re.search(rf"\b{name}\b", page), name
        if isinstance(field.default, int | float) or field.default is None:
            assert re.search(rf"\b{name}={field.default}(?![\w.])", page), name


@pytest.mark.parametrize(("given", "is_now"), [({"temperature": None}, None), ({}, 0.0), ({"engine": None}, 0.0)])
def test_a_setting_that_may_be_nothing(tmp_path: Path, given: dict[str, Any], is_now: float | None) -> None:
    with reaseq.open(tmp_path / "kb", **given) as kb:
        assert kb.settings.temperature == kb._with(engine="none").temperature == is_now


@pytest.mark.parametrize(
    ("settings", "alike"),
    [
        ({"features": given}, {"features": ("id",)})
        for given in ("id", ["id"], {"id"}, np.array(["id"]), pa.array(["id"]), ["id", "id"], iter(["id"]))
    ]
    + [
        ({"features": {"knowledge", "id"}}, {"features": "id, knowledge"}),
        ({"epochs": np.int64(3), "lr": 1}, {"epochs": 3, "lr": np.float64(1)}),
        ({"ablate": np.bool_(True)}, {"ablate": True}),
    ],
)
def test_settings_in_whatever_holds_them(settings: dict[str, Any], alike: dict[str, Any]) -> None:
    assert runs.with_settings(runs.RunConfig(), settings) == runs.with_settings(runs.RunConfig(), alike)


def test_settings_of_trainings_are_documented() -> None:
    """Each by its name and default."""
    for method, settings in (
        (reaseq.KnowledgeBase.train_ranker, runs.RunConfig().model_dump()),
        (reaseq.KnowledgeBase.imagine, BeyondLogConfig().model_dump()),
    ):
        every = settings.pop("model") | settings.pop("train") | settings
        told = dict(re.findall(r"^            (\w+)=(\S*) ", method.__doc__ or "", re.MULTILINE))
        decided = {"cuts", "imagination", "timed", "by_basket", "objective", "seconds", "slots"}
        assert told.keys() == every.keys() - decided - ({"kinds"} if "folds" in every else set())
        for name, default in told.items():
            if name not in ("features", "seed"):
                assert ast.literal_eval(default) == every[name], name


def test_a_misspelt_setting_is_told_the_nearest(shop: reaseq.KnowledgeBase) -> None:
    for call, hint in (
        (lambda: shop.train_ranker(epoch=1), "epochs=..."),
        (lambda: shop.imagine(fold=2), "folds=..."),
        (lambda: shop.train_ranker(colour=1), "kb.train_ranker(dim=128)"),
    ):
        with pytest.raises(reaseq.ReaseqError, match="no such setting") as caught:
            call()
        assert caught.value.hint == hint


HINTS: list[tuple[Call, str]] = [
    (lambda kb: kb.product(None), "kb.products() has them"),  # type: ignore[arg-type]
    (lambda kb: kb.imagined(None), "kb.users() has them"),  # type: ignore[arg-type]
    (lambda kb: kb.imagine([], progress=False), "kb.users()"),
    (lambda kb: kb.ranker().explain("nobody", "FS-1001"), "kb.users()"),
    (lambda kb: kb.add_events(kb.users()), "kb.events() has what users did"),
    (lambda kb: kb.undo("7"), "kb.undo(7)"),  # type: ignore[arg-type]
    (lambda kb: kb.ranker("zzz"), "kb.ranker()   (the newest), or more of the id"),
    (lambda kb: kb.ranker().rank(), "ranker.rank(user), or ranker.rank(history=[...])"),
    (lambda kb: kb.ranker().recommend("u", history=[]), "ranker.recommend(user), or ranker.recommend(history=[...])"),
    (lambda kb: kb.ranker().rank(kb.events()), 'one column of it: frame["user_id"]'),  # type: ignore[arg-type]
    (lambda kb: kb.ranker().rank("u001", kb.products()), 'one column of it: frame["id"]'),  # type: ignore[arg-type]
    (
        lambda kb: kb.ranker().rank(kb.products()[:1]),  # type: ignore[arg-type]
        "one column of it, of: id, title, category, brand, price, currency, description, read_by, summary",
    ),
    (lambda kb: kb.add_events([BOOT], columns={"user_id": "id"}), 'columns={"user": "id"}'),
    (lambda kb: kb.add_events([BOOT], columns={"product_id": "id"}), 'columns={"item": "id"}'),
    (lambda kb: kb.add_events([BOOT], columns={"usr": "id"}), 'columns={"user": "id"}'),
    (lambda kb: kb.add_events([BOOT], columns={"user": "zzz"}), 'columns={"user": "COLUMN"}'),
    (lambda kb: kb.add_events([BOOT], columns={"zzz": "id"}), 'columns={"user": "COLUMN"}'),
    (lambda kb: kb.add_products([{"Name": "x", "n": 1}], columns={"Name": "title"}), 'columns={"title": "Name"}'),
]


@pytest.mark.parametrize("number", range(len(HINTS)))
def test_hints_are_what_helps(shop: reaseq.KnowledgeBase, number: int) -> None:
    call, hint = HINTS[number]
    with pytest.raises(reaseq.ReaseqError) as caught:
        call(shop)
    assert caught.value.hint == hint


def test_rows_by_numbers_of_any_library(shop: reaseq.KnowledgeBase) -> None:
    frame = shop.products()
    numbers: list[Any] = [np.int64(0), np.int32(0), np.array(0), pa.scalar(0), -len(frame), np.int64(-len(frame))]
    for number in numbers:
        assert frame[number] == frame[0]
    assert frame[np.str_("id")] == frame["id"]
    assert [len(frame[part]) for part in (slice(5, 2), slice(0, 0), slice(None, None, -1))] == [0, 0, len(frame)]
    assert frame[::-1][0] == frame[-1]
    with pytest.raises(IndexError):
        frame[np.int64(len(frame))]


# Histories

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
AT = NOON.timestamp()
TIMES: list[Any] = [
    *(AT, int(AT), str(int(AT)), AT * 1000, int(AT) * 1000, int(AT) * 10**6, np.int64(AT), np.float64(AT)),
    *(NOON, NOON.replace(tzinfo=None), "2025-06-01T12:00:00Z", "2025-06-01 14:00+02:00"),
    *(np.datetime64("2025-06-01T12:00"), np.datetime64("2025-06-01T12:00", "ns"), pa.scalar(NOON), pa.scalar(AT)),
]
NO_TIMES: list[Any] = [True, -5, 0, 45_000, float("inf"), "today", "", "01/02/2025"]


@pytest.mark.parametrize("at", TIMES, ids=repr)
def test_times_of_histories_are_read_as_logs_are(shop: reaseq.KnowledgeBase, at: Any) -> None:
    assert [event["at"] for event in shop.ranker()._scorer.session([("FS-1001", at)])] == [AT]


@pytest.mark.parametrize("at", NO_TIMES, ids=repr)
def test_what_is_no_time_is_refused(shop: reaseq.KnowledgeBase, at: Any) -> None:
    with pytest.raises(reaseq.ReaseqError, match="event 1 of the history has no time") as caught:
        shop.ranker().recommend(history=[("FS-1001", at)])
    assert "--" not in str(caught.value)


def test_histories_in_whatever_holds_them(shop: reaseq.KnowledgeBase) -> None:
    session = shop.ranker()._scorer.session
    day = date(2025, 6, 1)
    plain = session(["FS-1001", "OK-2001"])
    timed = session([("FS-1001", day), ("OK-2001", "2025-06-02")])
    rows = [{"product_id": "FS-1001", "at": day}, {"product_id": "OK-2001", "at": date(2025, 6, 2)}]
    for given in (
        np.array(["FS-1001", "OK-2001"]),
        pa.array(["FS-1001", "OK-2001"]),
        (one for one in ("FS-1001", "OK-2001")),
    ):
        assert session(given) == plain
    assert session("FS-1001") == session({"product_id": "FS-1001"}) == session(["FS-1001"])
    table = pa.Table.from_pylist(rows)
    by_log = table.rename_columns(["asin", "event_time"]).append_column("visitorid", pa.array(["u", "u"]))
    renamed = table.rename_columns(["item_id", "timestamp"])
    for given in (
        rows,
        table,
        renamed,
        by_log,
        reaseq.Frame(table),
        np.array([["FS-1001", "2025-06-01"], ["OK-2001", "2025-06-02"]]),
    ):
        assert session(given) == timed
    ranked = shop.ranker().rank(history=table, candidates=["FS-1001", "no such"])
    assert [(one["user_id"], one["rank"], one["history"]) for one in ranked] == [(None, 1, 2), (None, None, 2)]
    assert session([("FS-1001", missing) for missing in MISSING[:1]]) == session(["FS-1001"])
    assert session([("FS-1001", NAT), {"product_id": "OK-2001", "at": NA, "kind": NA}]) == plain
    with pytest.raises(reaseq.ReaseqError, match="a set has no order"):
        session({"FS-1001", "OK-2001"})
    for wrong in (float("nan"), True, None, NAT, ("a", "b", "c"), {"at": AT}):
        with pytest.raises(reaseq.ReaseqError, match="event 2 of the history names no product"):
            session(["FS-1001", wrong])


def test_histories_of_pandas(shop: reaseq.KnowledgeBase) -> None:
    pandas = pytest.importorskip("pandas")
    session = shop.ranker()._scorer.session
    times = pandas.to_datetime(["2025-06-01", "2025-06-02"])
    frame = pandas.DataFrame({"product_id": ["FS-1001", "OK-2001"], "at": times})
    timed = session([("FS-1001", "2025-06-01"), ("OK-2001", "2025-06-02")])
    given: list[Any] = [frame, frame.set_index("at"), list(frame.itertuples()), [row for _, row in frame.iterrows()]]
    for one in given:
        assert session(one) == timed
    assert session(frame.product_id) == session(["FS-1001", "OK-2001"])


# Rankers and the store


def test_runs_have_names(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(samples.SHOES, category="shoes")
    kb.add_events(samples.SHOE_EVENTS)
    first = kb.train_ranker(name="base.line", **TINY)
    assert (first.name, first.run in repr(first), "(base.line)" in repr(first)) == ("base.line", True, True)
    other = kb.train_ranker(**TINY | {"dim": 8, "heads": 1})
    assert (other.name, other.run == first.run, kb.ranker().run) == (None, False, other.run)
    assert kb.ranker("base.line").run == kb.ranker(first.run[:6]).run == first.run
    kb.train_ranker(name="base.line", **TINY | {"dim": 8, "heads": 1})
    assert kb.ranker("base.line").run == other.run  # the newest that has it
    assert kb.train_ranker(name="other", **TINY).run == first.run  # what is there already is named anew
    assert [kb.ranker(name).run for name in ("base.line", "other")] == [other.run, first.run]
    for wrong in ("", "a/b", "../x", 5, "x" * 61, " "):
        with pytest.raises(reaseq.ReaseqError, match="is no name of a run"):
            kb.train_ranker(name=wrong, **TINY)  # type: ignore[arg-type]
    with pytest.raises(reaseq.ReaseqError, match="no finished run 'nothing'"):
        kb.ranker("nothing")


def test_an_open_ranker_follows_the_store(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(samples.SHOES, category="shoes")
    kb.add_events(samples.SHOE_EVENTS)
    with_vectors(kb)
    by_id = kb.train_ranker(**TINY)
    by_knowledge = kb.train_ranker(**TINY | {"features": "id,knowledge"})
    first = by_id._scorer
    assert by_id._scorer is first  # nothing is read anew where nothing has changed
    kb.add_products([{"id": "N-1", "title": "Clog", "sku": "CLOG-7", "category": "shoes"}])
    kb.add_products([{"id": "FS-1001", "title": "Renamed"}])
    with_vectors(kb)
    assert by_id._scorer is not first
    assert [(one["product_id"], one["rank"]) for one in by_id.rank("u001", "N-1")] == [("N-1", None)]
    assert [(one["product_id"], one["rank"]) for one in by_knowledge.rank("u001", "CLOG-7")] == [("N-1", 1)]
    assert by_knowledge.explain("u001", "CLOG-7")[0].product_id == "N-1"
    assert "N-1" in {one.product_id for one in by_knowledge.recommend("u001", 100)}
    with pytest.raises(reaseq.ReaseqError, match="the model knows nothing of CLOG-7"):
        by_id.explain("u001", "CLOG-7")
    assert "Renamed" in by_id.explain(history=["FS-1001"], products="FS-1001")[0].reason


def test_serving_counts_a_long_history_as_evaluation_does(shop: reaseq.KnowledgeBase) -> None:
    ranker = shop.train_ranker(**TINY | {"most": 4})
    log = ranker._opened.prepared.dataset.log
    longest = np.argsort(-log.events.lengths)[:5]
    assert log.events.lengths[longest].min() > 3 * 4
    fitted = ranker._opened.models["id"][0]
    judged = case_scores(fitted.model, fitted.vectors(), log.events)(0, len(log.users)).numpy()[longest]
    served = ranker.rank([log.users[user] for user in longest], ranker.products)
    for user, mine in zip(longest, judged, strict=True):
        rows = [one for one in served if one["user_id"] == log.users[user]]
        scores = {one["product_id"]: one["score"] for one in rows if one["rank"]}
        for item, product in enumerate(log.items):
            assert product not in scores or scores[product] == pytest.approx(mine[item], abs=1e-4)
        assert {one["history"] for one in rows} == {4}
        best = ranker.recommend(log.users[user], 3)
        assert [one.product_id for one in best] == [one["product_id"] for one in rows[:3]]
        assert [one.score for one in best] == pytest.approx([one["score"] for one in rows[:3]], abs=1e-4)
        had = {log.items[item] for item in log.events.select(np.array([user])).items}
        assert not had & {one.product_id for one in ranker.recommend(log.users[user], 100, new_only=True)}


def test_explained_products_stand_in_order(shop: reaseq.KnowledgeBase) -> None:
    ranker = shop.ranker()
    every = [one["product_id"] for one in ranker.rank("u001")]
    asked = [every[20], every[0], every[7], every[0]]
    assert [one.product_id for one in ranker.explain("u001", asked)] == [every[0], every[7], every[20]]
    scorer = ranker._scorer
    assert [place for place, *_ in scorer.explain(scorer.known_history("u001"), asked)] == [1, 8, 21]


def test_training_is_told_to_its_end(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products(samples.SHOES, category="shoes")
    kb.add_events(samples.SHOE_EVENTS)
    told: list[tuple[str, int, int]] = []
    ranker = kb.train_ranker(**TINY | {"progress": lambda *step: told.append(step), "epochs": 2})
    assert [done == total for _, done, total in told].count(True) == 2
    assert told[-1][1] == told[-1][2] == len(ranker.training_events())


def test_results_are_to_be_looked_at(shop: reaseq.KnowledgeBase, kb: reaseq.KnowledgeBase) -> None:
    kb.add_products([BOOT | {"title": "Leather boot", "category": "shoes"}])
    plan = kb.plan("shoes")
    outcome = kb.distill("shoes", progress=False)
    assert repr(plan) == "<Plan: 1 of 1 products of shoes to do: 1 new>"
    assert repr(outcome).startswith("<Outcome: run 1 done; products: 1 done; claims: ")
    assert outcome.records()[0]["done"] == 1
    metrics = shop.ranker().metrics()
    assert repr(metrics).startswith("<Outcome: ")
    assert [row["name"] for row in metrics.records()] == [row.name for row in metrics.rows]
    for result in (plan, outcome, metrics):
        assert result._repr_html_().count("<table>") == 1
    pytest.importorskip("pandas")
    assert list(metrics.to_pandas()["name"]) == [row.name for row in metrics.rows]


def test_help_names_what_there_is() -> None:
    page = pydoc.plain(pydoc.render_doc(reaseq))
    for name in (*reaseq.__all__, "add_products", "train_ranker", "recommend"):
        assert name in page


def test_an_export_leaves_no_files_of_an_earlier_one(shop: reaseq.KnowledgeBase, tmp_path: Path) -> None:
    ranker, lab = shop.ranker(), tmp_path / "lab"
    lab.mkdir()
    (lab / "mine.txt").write_text("stays")
    for layout, ending in (("csv", ".csv"), ("recbole", ".inter"), ("parquet", ".parquet")):
        made = ranker.export_split(lab, layout)  # type: ignore[arg-type]
        assert {path.name for path in lab.iterdir()} == {*made, "about.json", "mine.txt"}
        assert any(name.endswith(ending) for name in made)


@pytest.mark.parametrize("name", ["mine.csv", "mine.tsv", "mine.txt", "semicolons.csv"])
@pytest.mark.parametrize("ids", [("12", "34"), ("12.0", "34.0"), ('"12"', '"34"')])
def test_scores_in_files(tmp_path: Path, name: str, ids: tuple[str, str]) -> None:
    sign = "," if name == "mine.csv" else ";" if "semi" in name else "\t"
    path = tmp_path / name
    rows = (("user_id", "item_id", "score"), (*ids, "0.5"), ("7.0", ids[1], "1"))
    path.write_text("".join(f"{sign.join(row)}\n" for row in rows))
    _, said = of_file("mine", path, ["12", "7"], ["34"])
    assert said == "mine: 2 of 2 scores used, of 2 users"


# Decisions


def test_decided_twice_is_decided_once_and_can_be_undone(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products([BOOT | {"title": "Kea leather boot, waterproof", "category": "shoes"}])
    kb.distill("shoes", progress=False)

    def claim(attribute: str) -> dict[str, Any]:
        return next(one for one in kb.claims() if one["attribute"] == attribute and one["status"] != "rejected")

    before = list(kb.claims())
    for action, value in (("approve", None), ("reject", None), ("edit", "suede")):
        mine = claim("upper_material")
        number = kb.decide(mine, action, value, by="ann")
        assert kb.decide(mine, action, value, by="bob") == number
        assert [one["id"] for one in kb.decisions() if not one["withdrawn"] and one["action"] == action] == [number]
        if action != "approve":
            with pytest.raises(reaseq.ReaseqError, match=f"is rejected already, by decision {number}") as caught:
                kb.decide(mine, "approve")
            assert f"kb.undo({number})" in (caught.value.hint or "")
        assert kb.undo(number, by="ann") > number
        assert list(kb.claims()) == before
        with pytest.raises(reaseq.ReaseqError, match="it is withdrawn") as caught:
            kb.undo(number)
        assert caught.value.hint == "kb.decisions()"
    assert len(kb.decisions("1")) == 6


def test_a_row_that_was_replaced_decides_on_no_other_claim(kb: reaseq.KnowledgeBase) -> None:
    kb.add_products([BOOT | {"title": "Red boot", "category": "shoes"}])
    kb.distill("shoes", progress=False)
    old = next(one for one in kb.claims() if one["attribute"] == "color")
    kb.add_products([BOOT | {"title": "Yellow boot", "category": "shoes"}])
    kb.distill("shoes", progress=False)
    if any(one["id"] == old["id"] for one in kb.claims()):
        with pytest.raises(reaseq.ReaseqError, match="that claim is gone"):
            kb.decide(old, "approve")
    assert len(kb.decisions()) == 0


@pytest.mark.parametrize("status", [["verified"], {}, 5])
def test_a_status_that_is_none(kb: reaseq.KnowledgeBase, status: Any) -> None:
    with pytest.raises(reaseq.ReaseqError, match="no such status"):
        kb.claims(status=status)


# Words


def hints() -> list[str]:
    """What errors of the code below the commands say to do next; X stands for what is put in."""
    found = []
    for folder in ("knowledge_store", "taxonomy", "llm", "agents", "graphs", "ranker", "beyond_log", "prompts", "api"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.keyword) and node.arg == "hint":
                    found += [text for one in _branches(node.value) if (text := _text(one))]
    return found


def _branches(node: ast.expr) -> list[ast.expr]:
    if isinstance(node, ast.IfExp):
        return [*_branches(node.body), *_branches(node.orelse)]
    return [node]


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value or "")
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "X" for part in node.values)  # type: ignore[misc]
    if isinstance(node, ast.BinOp):
        return _text(node.left) + _text(node.right)
    return ""


def test_hints_are_calls_or_say_that_they_are_for_a_terminal() -> None:
    every = hints()
    assert len(every) > 150
    wrong = []
    for hint in every:
        told = hint_in_python(hint)
        assert hint_in_python(told) == told
        in_terminal = "in a terminal: " in told or told.startswith(("pip install", "pytest "))
        if not in_terminal and "reaseq.toml" in told:
            wrong.append((hint, told))
        if not in_terminal and re.search(r"(^|\s)--[a-z]|reaseq (?!is\b|of\b)[a-z]+[- ]|\breaseq [a-z-]+$", told):
            wrong.append((hint, told))
    assert wrong == []


@pytest.mark.parametrize(
    ("hint", "told"),
    [
        ('reaseq import-events FILE --map user="COLUMN"', 'kb.add_events(source, columns={"user": "COLUMN"})'),
        ('--map title="Name"', 'columns={"title": "Name"}'),
        ('--map time= --map position="n"   (if it is no time)', 'columns={"time": "", "position": "n"}'),
        ("less kb/rejected/a.csv   (all reasons)", "kb/rejected/a.csv has all reasons"),
        ("reaseq train-beyond-log, then reaseq imagine", "kb.imagine()"),
        ("reaseq train-beyond-log --set slots=16", "kb.imagine(slots=16)"),
        ("reaseq train-ranker --split leave-one-out", 'kb.train_ranker(split="leave-one-out")'),
        ("reaseq review undo 12", "kb.undo(12)"),
        ('--map user="COLUMN"', 'columns={"user": "COLUMN"}'),
        ("--set epochs=VALUE", "epochs=..."),
        ("--encoding cp1252, cp1250", "read it into a data frame yourself, and give that"),
        ("reaseq models list", "in a terminal: reaseq models list"),
        ("reaseq prompts lint", "mend it in that file (docs/prompts.md), and call it again"),
        (
            "set it in reaseq.toml: [prices.'m 1'] input = …, output = … (per million tokens)",
            'reaseq.open(path, prices={"m 1": {"input": ..., "output": ...}})   (of a million tokens)',
        ),
        ("replay_file = 'FILE.jsonl' in reaseq.toml", 'reaseq.open(path, replay_file="FILE.jsonl")'),
        (
            "distil with the engine that is to answer, then: reaseq knowledge replies FILE",
            "distil with the engine that is to answer, then, in a terminal: reaseq knowledge replies FILE",
        ),
        ("help(ranker.judge)", "help(ranker.judge)"),
    ],
)
def test_hints_in_python(hint: str, told: str) -> None:
    assert hint_in_python(hint) == told


def test_messages_in_python() -> None:
    assert message_in_python("--map titel=…: no such field") == 'columns={"titel": …}: no such field'
    assert message_in_python("--map title='x': no such column") == "columns={\"title\": 'x'}: no such column"
    assert "--" not in message_in_python("may be either way round (--day-first or --month-first says which)")

    @in_python
    async def fails() -> None:
        raise reaseq.ReaseqError("--map a='b': no", hint="reaseq embed")

    with pytest.raises(reaseq.ReaseqError) as caught:
        fails().send(None)
    assert (str(caught.value), caught.value.hint) == ("columns={\"a\": 'b'}: no", "kb.embed()")
    assert caught.value.__notes__ == ["Next: kb.embed()"]


def test_paths_and_flags() -> None:
    assert checking.path(Path("kb"), "folder") == checking.path("kb", "folder") == Path("kb")
    assert checking.flag(np.bool_(True), "new_only") is True
    assert checking.amount(np.float64(2), "max_cost") == 2.0
