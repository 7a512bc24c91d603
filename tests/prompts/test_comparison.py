"""What an edit of a prompt changes: `reaseq prompts try` and `compare`, and the page that comes of it."""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from reaseq.agents.claims import Claim
from reaseq.api.comparison_page import page
from reaseq.bench.catalogue import fill
from reaseq.bench.fake_endpoint import FakeEndpoint
from reaseq.cli.main import app
from reaseq.documents.document import Document
from reaseq.graphs.comparison import Comparison, Side, differences, sample
from reaseq.graphs.trial import Judged, Pair, Read, Subject, read_in_pairs
from reaseq.knowledge_store.decisions import Action, decide
from reaseq.knowledge_store.store import Store
from reaseq.llm.budget import BudgetExceeded
from reaseq.llm.chat import EndpointRefused
from reaseq.prompts.library import BUNDLED

HOSTILE = "<img src=x onerror=alert(1)></td><script>alert(2)</script>"


def run(*arguments: str) -> Result:
    result = CliRunner().invoke(app, [*arguments], env={"COLUMNS": "200"})
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def as_json(*arguments: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(run(*arguments, "--json").stdout)
    return made


@pytest.fixture(scope="module")
def endpoint() -> Iterator[FakeEndpoint]:
    with FakeEndpoint() as fake:
        yield fake


@pytest.fixture(scope="module")
def distilled(tmp_path_factory: pytest.TempPathFactory, endpoint: FakeEndpoint) -> Path:
    """A folder with a catalogue of forty shoes, the first twelve distilled, and a file with an edited prompt."""
    folder = tmp_path_factory.mktemp("distilled")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        Path("reaseq.toml").write_text(
            f'engine = "openai"\nbase_url = "{endpoint.base_url}"\nmodel = "fake"\n'
            "[prices.fake]\ninput = 1.0\noutput = 2.0\n"
        )
        with Store.open(f"sqlite:///{folder}/.reaseq/store.sqlite") as store:
            fill(store, 40)
        run("distill", "--category", "shoes", "--limit", "12")
        Path("mine").mkdir()
        text = (BUNDLED / "verifier.yaml").read_text().replace("You check", "You carefully check")
        Path("mine/verifier.yaml").write_text(text)
    return folder


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, distilled: Path) -> Path:
    """The edited prompt's file, in a copy of that folder."""
    shutil.copytree(distilled, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return Path("mine/verifier.yaml")


@pytest.fixture
def opened(edited: Path, tmp_path: Path) -> Callable[[], Store]:
    return lambda: Store.open(f"sqlite:///{tmp_path}/.reaseq/store.sqlite")


def known(store: Store) -> list[Any]:
    """All that is known of products."""
    return [store.knowledge(product_id) for product_id in store.product_ids()]


def test_it_says_what_is_otherwise_and_stores_nothing(edited: Path, opened: Callable[[], Store]) -> None:
    with opened() as store:
        before = known(store)
    made = as_json("prompts", "compare", str(edited), "--category", "shoes", "--sample", "20")
    assert (made["agent"], made["category"], made["products"], made["sampled"]) == ("verifier", "shoes", 20, 20)
    assert [(one["side"], one["label"]) for one in made["sides"]] == [("before", "in force"), ("after", str(edited))]
    assert made["differences"]
    for one in made["differences"]:
        assert one["before"] or one["after"]
        assert one["kind"] in ("lost", "changed", "verdict", "gained")
    assert sum(one["lost"] + one["changed"] + one["verdict"] + one["gained"] for one in made["attributes"]) == len(
        made["differences"]
    )
    assert made["new_calls"] > 0
    assert 0 < made["new_cost"] < made["sides"][1]["cost"]
    with opened() as store:
        assert known(store) == before
        calls = sum(row["calls"] for row in store.usage())
    again = as_json("prompts", "compare", str(edited), "--category", "shoes", "--sample", "20")
    assert again == made
    with opened() as store:
        assert sum(row["calls"] for row in store.usage()) == calls
    versions = [json.loads(line) for line in run("prompts", "versions", "verifier", "--json").stdout.splitlines()]
    assert sorted(one["products"] for one in versions) == [0, 12]
    assert all(one["calls"] for one in versions)


def test_people_judge_it(edited: Path, opened: Callable[[], Store]) -> None:
    with opened() as store:
        for product_id in store.by_need("shoes", 6):
            claims, *_ = store.knowledge(product_id)
            for claim in claims[:4]:
                held = claim["status"] in ("verified", "proposed")
                decide(store, claim["id"], Action.APPROVE if held else Action.REJECT, by="somebody")
    made = as_json("prompts", "compare", str(edited), "--category", "shoes", "--sample", "10")
    assert made["judged"] >= 5
    assert made["f1"]["products"] == made["judged"]
    assert 0 < made["f1"]["before"] <= 1
    assert "products that are judged" in made["in_words"]
    text = run("prompts", "compare", str(edited), "--category", "shoes", "--sample", "10").stdout
    assert "F1" in text
    assert "A run over all 40 products of shoes would take about" in text


def test_a_limit_ends_it_with_what_is_there(edited: Path) -> None:
    result = run("prompts", "compare", str(edited), "--category", "shoes", "--max-tokens", "60000", "--json")
    made = json.loads(result.stdout)
    assert result.exit_code == 1
    assert made["stopped_by"] == "limit"
    assert 0 < made["products"] < made["sampled"] == 40
    assert "token limit reached" in made["stopped"]


@pytest.mark.parametrize(
    ("ends", "by", "read"),
    [("refused", "endpoint", 1), ("limit", "limit", 1), ("cancel", "interrupt", 1), ("enough", None, 2)],
)
def test_why_it_ended_is_told(ends: str, by: str | None, read: int) -> None:
    class Reads:
        def __init__(self) -> None:
            self.count = 0

        async def read(self, subject: Subject) -> Read:
            self.count += 1
            if self.count == 2 and ends == "refused":
                raise EndpointRefused("it is gone")
            if self.count == 2 and ends == "limit":
                raise BudgetExceeded("it is spent")
            if self.count == 2 and ends == "cancel":
                tasks[0].cancel()
                await asyncio.sleep(10)
            return Read([], None, [], [])

    async def go() -> Any:
        tasks.append(asyncio.current_task())
        sides: Any = Reads(), Reads()
        subjects = [Subject(str(one), TEXT, Document({"title": TEXT})) for one in range(4)]
        enough: Any = (lambda pairs: "it is known" if len(pairs) == 2 else None) if ends == "enough" else lambda _: None
        return await read_in_pairs(subjects, *sides, width=1, enough=enough)

    tasks: list[Any] = []
    pairs = asyncio.run(go())
    assert (pairs.stopped.by, len(pairs.done)) == (by, read)


def test_a_gold_file_judges_it(edited: Path) -> None:
    rows = [
        {
            "id": f"g{number}",
            "category": "shoes",
            "title": f"Arden runner {number} in red mesh",
            "gold": {"color": ["red"]},
        }
        for number in range(8)
    ]
    Path("gold.jsonl").write_text("\n".join(map(json.dumps, rows)))
    made = as_json("prompts", "compare", str(edited), "--category", "shoes", "--gold", "gold.jsonl")
    assert made["products"] == made["judged"] == 8
    assert made["f1"]["before"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["compare", "mine/verifier.yaml"], "of which category?"),
        (["compare", "in-force", "-c", "shoes"], "of which agent?"),
        (["compare", "bundled", "in-force", "-c", "shoes"], "of which agent?"),
        (["compare", "verifier", "-c", "shoes"], "is the bundled one"),
        (["compare", "nothing", "-c", "shoes"], "no version of a prompt is called 'nothing'"),
        (["compare", "gone.yaml", "-c", "shoes"], "No such file"),
        (["compare", "category_analyst", "-c", "shoes"], "reads no products one by one"),
        (["compare", "mine/verifier.yaml", "attribute_extractor", "-c", "shoes"], "name two of one agent"),
        (["compare", "mine/verifier.yaml", "-c", "boats"], "boats"),
        (["compare", "mine/verifier.yaml", "-c", "shoes", "--out", "gone/page.html"], "its folder is not there"),
        (["compare", "mine/verifier.yaml", "-c", "shoes", "--out", "mine"], "mine: a folder"),
        (["compare", "mine/verifier.yaml", "-c", "shoes", "--gold", "gone.jsonl"], "gone.jsonl: No such file"),
        (["try", "mine/verifier.yaml"], "on which products?"),
        (["try", "mine/verifier.yaml", "-p", "nobody"], "nobody"),
    ],
)
def test_what_cannot_be_held_against_one_another(
    edited: Path, endpoint: FakeEndpoint, arguments: list[str], said: str
) -> None:
    from reaseq import ReaseqError

    asked = endpoint.stats().requests
    with pytest.raises(ReaseqError) as error:
        run("prompts", *arguments)
    assert said in str(error.value) + str(error.value.hint)
    assert endpoint.stats().requests == asked


def test_the_same_is_said_to_be(edited: Path, endpoint: FakeEndpoint) -> None:
    asked = endpoint.stats().requests
    assert "bundled and in force are the same" in run("prompts", "compare", "bundled", "verifier", "-c", "shoes").stdout
    same = run("prompts", "compare", "in-force", "verifier", "-c", "shoes").stdout
    assert "Both are the same version of verifier, in force: nothing changes." in same
    assert endpoint.stats().requests == asked


def test_a_few_products_are_tried(edited: Path, opened: Callable[[], Store]) -> None:
    with opened() as store:
        first, second = store.product_ids()[:2]
    made = as_json("prompts", "try", str(edited), "--product", first, "--product", second)
    assert [one["product_id"] for one in made["products"]] == [first, second]
    for one in made["products"]:
        assert {tuple(sorted(row)) for row in one["values"]} == {("after", "attribute", "before", "kind")}
        assert all(json.loads(reply) for side in ("before", "after") for reply in one["replies"][side])
    text = run("prompts", "try", str(edited), "--product", first).stdout
    assert "Reply before (call" in text
    assert "Reply after (call" in text
    # The prompt in force, where products stand on no other.
    alone = run("prompts", "try", "verifier", "--product", first).stdout
    assert "Reply before" not in alone
    assert "There is no other version of verifier" in alone


def test_an_edit_in_place_is_held_against_what_products_stand_on(
    edited: Path, monkeypatch: pytest.MonkeyPatch, opened: Callable[[], Store]
) -> None:
    monkeypatch.setenv("REASEQ_PROMPTS_DIR", "mine")
    for named in ("verifier", str(edited)):
        made = as_json("prompts", "compare", named, "--category", "shoes", "--sample", "4")
        assert [one["label"] for one in made["sides"]][1] == "in force"
        with opened() as store:
            from reaseq.knowledge_store.prompt_versions import versions

            standing = next(one for one in versions(store, "verifier") if one.products)
        assert made["sides"][0]["fingerprint"] == standing.fingerprint


def test_a_sample_has_a_share_of_each_kind_and_of_those_decided_half(edited: Path, opened: Callable[[], Store]) -> None:
    with opened() as store:
        chosen = sample(store, "shoes", 20)
        assert sample(store, "shoes", 20) == chosen
        assert len(set(chosen)) == 20
        distilled = {product["id"] for product, parts, _ in store.products("shoes") if parts}
        assert len(distilled & set(chosen)) == 6
        for product_id in sorted(distilled):
            claims, *_ = store.knowledge(product_id)
            decide(store, claims[0]["id"], Action.REJECT, by="somebody")
        assert len(distilled & set(sample(store, "shoes", 20))) == 10
        assert len(sample(store, "shoes", 1000)) == 40


def claim(attribute: str, value: str, status: Any = "verified", quote: str | None = None) -> Claim:
    start = None if quote is None else TEXT.index(quote)
    return Claim(
        attribute=attribute,
        value=value,
        facet="supply",
        claim_type="stated",
        status=status,
        verdict="",
        found_by="model",
        field=None if quote is None else "title",
        start=start,
        end=None if start is None or quote is None else start + len(quote),
        quote=quote,
        reason=None,
        confidence=0.9,
        evidence=None,
    )


TEXT = "Arden runner in navy mesh"


def told(before: list[Claim], after: list[Claim], several: frozenset[str] = frozenset(), **judged: Judged) -> Any:
    subject = Subject("1", TEXT, Document({"title": TEXT}), judged=judged)
    pair = Pair(subject, Read(before, None, [], []), Read(after, None, [], []))
    return [
        (one.attribute, one.kind, one.before and one.before.value, one.after and one.after.value, one.judged)
        for one in differences(pair, several)
    ]


LOST = ("color", "lost", "navy", None, None)
NAVY, BLUE = claim("color", "navy", quote="navy"), claim("color", "blue")


@pytest.mark.parametrize(
    ("before", "after", "several", "judged", "expected"),
    [
        ([NAVY], [NAVY], (), {}, []),
        ([NAVY], [], (), {}, [LOST]),
        ([NAVY], [claim("color", "Navy", "rejected")], (), {}, [("color", "lost", "navy", "Navy", None)]),
        ([], [NAVY], (), {}, [("color", "gained", None, "navy", None)]),
        ([NAVY], [BLUE], (), {}, [("color", "changed", "navy", "blue", None)]),
        (
            [NAVY],
            [BLUE],
            ("color",),
            {},
            [("color", "lost", "navy", None, None), ("color", "gained", None, "blue", None)],
        ),
        ([NAVY], [claim("color", "navy", "proposed")], (), {}, [("color", "verdict", "navy", "navy", None)]),
        ([NAVY], [BLUE], (), {"color": Judged(("navy",))}, [("color", "changed", "navy", "blue", "worse")]),
        ([BLUE], [NAVY], (), {"color": Judged(("navy",))}, [("color", "changed", "blue", "navy", "better")]),
        ([NAVY], [], (), {"color": Judged(())}, [("color", "lost", "navy", None, "better")]),
        ([BLUE], [], (), {"color": Judged((), ("blue",), whole=False)}, [("color", "lost", "blue", None, "better")]),
        ([NAVY], [], (), {"color": Judged((), ("blue",), whole=False)}, [("color", "lost", "navy", None, None)]),
    ],
)
def test_what_is_otherwise_in_a_product(
    before: list[Claim], after: list[Claim], several: tuple[str, ...], judged: dict[str, Judged], expected: Any
) -> None:
    assert told(before, after, frozenset(several), **judged) == expected


@pytest.mark.parametrize(
    ("judged", "value", "expected"),
    [
        (Judged(("navy",)), NAVY, "right"),
        (Judged(("Navy",)), NAVY, "right"),
        (Judged(("red",)), NAVY, "wrong"),
        (Judged(("red",)), None, "missed"),
        (Judged(()), NAVY, "invented"),
        (Judged(()), None, "nothing"),
        (Judged(("navy",), ("blue",), whole=False), BLUE, "wrong"),
        (Judged((), ("blue",), whole=False), BLUE, "invented"),
        (Judged((), ("blue",), whole=False), NAVY, None),
        (Judged((), ("blue",), whole=False), None, None),
    ],
)
def test_how_a_value_counts(judged: Judged, value: Claim | None, expected: str | None) -> None:
    counted = {name for name, count in vars(judged.outcome(value)).items() if count}
    assert counted == ({expected} if expected else set())


def big(products: int) -> Comparison:
    """A comparison with hostile texts, and five differences of each product."""
    pairs = []
    for number in range(products):
        text = f"{HOSTILE} {TEXT} {number}"
        start = text.index("navy")
        value = claim("color", "navy") | {"field": "title", "start": start, "end": start + 4, "quote": "navy"}
        before = [Claim(**value | {"attribute": f"attribute_{one}"}) for one in range(5)]
        after = [claim(f"attribute_{one}", HOSTILE, "proposed") for one in range(5)]
        subject = Subject(f"{HOSTILE}{number}", text, Document({"title": text}))
        pairs.append(Pair(subject, Read(before, None, [], []), Read(after, None, [], [])))
    made = Comparison(
        "verifier", "shoes", Side(HOSTILE, "a" * 16), Side("in force", "b" * 16), products, sampled=products
    )
    made.differences = [one for pair in pairs for one in differences(pair, frozenset())]
    return made


def test_a_page_of_two_hundred_products_is_small_and_harmless() -> None:
    text = page(big(200))
    assert len(text.encode()) < 1_000_000
    assert text.count("<tr data-kind=") == 1000
    assert "<img" not in text
    assert "<script>alert" not in text
    assert text.count("<script>") == 1


@pytest.mark.browser
def test_the_page_filters_in_a_browser(tmp_path: Path, chromium: Any) -> None:
    file = tmp_path / "page.html"
    made = big(40)
    made.differences += [
        one._replace(kind="lost", judged="worse", after=None)
        for one in made.differences
        if one.attribute == "attribute_3"
    ]
    file.write_text(page(made), encoding="utf-8")
    tab = chromium.new_page()
    said: list[str] = []
    tab.on("dialog", lambda dialog: said.append(dialog.message))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("request", lambda request: said.append(request.url) if not request.url.startswith("file:") else None)
    tab.goto(file.as_uri())
    rows = tab.locator("#differences tbody tr:visible")
    assert rows.count() == 240
    tab.select_option("select[name=attribute]", "attribute_3")
    assert rows.count() == 80
    tab.uncheck("input[value=changed]")
    assert rows.count() == 40
    tab.check("input[value=changed]")
    tab.select_option("select[name=judged]", "worse")
    assert rows.count() == 40
    tab.fill("input[name=words]", "mesh 7")
    assert tab.locator("output").inner_text() == "1 of 240"
    assert HOSTILE in rows.first.inner_text()
    assert tab.locator("#differences mark").first.inner_text() == "navy"
    assert said == []
