"""Audits: a random few of the verified claims, judged by people, and what follows from it."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reaseq import ReaseqError
from reaseq.knowledge_store.audits import audits, conclude, draw, report
from reaseq.knowledge_store.decisions import Action, decide
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.thresholds import verified_from
from tests.cli.conftest import Run
from tests.cli.test_review import STORE, review

KINDS = ("sneakers", "boots", "sandals", "loafers")
COLOURS = ("black", "white", "red", "blue", "green")


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the state of the shop is kept, once it is made."""
    return tmp_path_factory.mktemp("shop") / "state"


@pytest.fixture
def shop(run: Run, kept: Path) -> Run:
    """`run`, in a folder where forty shoes were read by code."""
    if kept.exists():
        shutil.copytree(kept, ".reaseq", dirs_exist_ok=True)
        return run
    rows = [
        f'{number},Acme {COLOURS[number % 5]} leather {KINDS[number % 4]},"Upper: leather. Sole: rubber. Waterproof."'
        for number in range(40)
    ]
    Path("feed.csv").write_text("\n".join(["sku,title,description", *rows]))
    run("import", "feed.csv", "--category", "shoes")
    run("distill", "--category", "shoes", "--engine", "none")
    shutil.copytree(".reaseq", kept)
    return run


def judged(store: Store, number: int, is_right: Callable[[int], bool]) -> None:
    for place, one in enumerate(report(store, number).open):
        assert one.claim is not None
        decide(store, one.claim["id"], Action.APPROVE if is_right(place) else Action.REJECT, by="ann")


def test_drawn_judged_and_told(shop: Run) -> None:
    said = review("a" * 10 + "y\n", "--audit", "10", "--category", "shoes")
    assert "Audit 1: 10 of" in said
    assert "about 100.0% are right" in said
    assert "neither shown nor broken" in said  # ten right ones show little
    listed = shop("review", "audits")
    assert "10 of 10" in listed
    assert "no threshold was moved" in " ".join(listed.split())
    for name in ("page.html", "data.json"):
        shop("review", "audits", "1", "--output", name)
    data = json.loads(Path("data.json").read_text())
    assert data["whole"]["judged"] == data["whole"]["right"] == len(data["drawn"]) == 10
    assert sum(part["claims"] for part in data["by_confidence"]) == data["whole"]["claims"]
    assert sum(part["claims"] for part in data["by_attribute"]) == data["whole"]["claims"]
    assert "Audit 1: shoes" in Path("page.html").read_text()


def test_stopped_it_goes_on(shop: Run) -> None:
    assert "4 of 10 that were drawn" in review("aaraq", "--audit", "10", "--category", "shoes")
    said = review("aaaaaay\n", "--audit", "10", "--category", "shoes")
    assert "Going on with audit 1" in said
    assert "10 of 10 that were drawn" in said
    assert "about 9" in said or "about 8" in said  # one was wrong


def test_a_broken_promise_moves_the_threshold(shop: Run) -> None:
    said = review("r" * 20 + "y\n", "--audit", "20", "--category", "shoes")
    assert "it is broken, and the threshold moved from 0.9 to where nothing is verified by itself" in said
    assert "audit 1" in shop("review", "threshold")
    before = shop("review", "audits", "1")
    shop("review", "undo", "20")  # what was concluded says the same ever after
    assert shop("review", "audits", "1") == before
    with Store.open(STORE) as store:
        assert verified_from(store, "shoes") > 1
        assert verified_from(store, "tea") == 0.9
        assert not [one for one in store.claims(category="shoes") if one["status"] == "verified"]
    # What later runs find is held to it too, until somebody moves it back.
    shop("distill", "--category", "shoes", "--engine", "none")
    with Store.open(STORE) as store:
        assert not [one for one in store.claims(category="shoes") if one["status"] == "verified"]
    with pytest.raises(ReaseqError, match=r"no verified claim to draw, and the threshold is 1\.01"):
        shop("review", "--category", "shoes", "--audit", "20")
    assert "verified from 0.9 on (before: 1.01)" in shop("review", "threshold", "0.9", "--category", "shoes")
    shop("distill", "--category", "shoes", "--engine", "none")
    with Store.open(STORE) as store:
        assert not [one for one in store.claims(category="shoes") if "less sure" in one["verdict"]]


def test_threshold_keeps_what_is_right(shop: Run) -> None:
    with Store.open(STORE) as store:
        number = draw(store, 60, by="ann", category="shoes", seed=1).number
        strata = {one.stratum for one in report(store, number).drawn}
        assert len(strata) > 1
        for one in report(store, number).open:
            assert one.claim is not None
            action = Action.REJECT if one.stratum == min(strata) else Action.APPROVE
            decide(store, one.claim["id"], action, by="ann")
        made, demoted = conclude(store, number, by="ann")
        assert made.broken
        assert made.moved_to is not None
        assert made.moved_to <= 1
        assert demoted
        left = [one for one in store.claims(category="shoes") if one["status"] == "verified"]
        assert left
        assert min(one["confidence"] for one in left) >= made.moved_to


def test_judged_by_a_sheet(shop: Run) -> None:
    assert "12 claims written" in shop("review", "export", "sheet.csv", "--category", "shoes", "--audit", "12")
    with Path("sheet.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        row["decision"] = "approve"
    with Path("filled.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows[:11])
    said = " ".join(shop("review", "apply", "filled.csv").split())
    assert "Audit 1" not in said  # one is open yet
    assert "11 of 12" in shop("review", "audits")
    said = " ".join(shop("review", "audits", "1", "--conclude").split())
    assert "11 of 12 that were drawn" in said
    assert "100.0% are right" in said
    with pytest.raises(ReaseqError, match="concluded already"):
        shop("review", "audits", "1", "--conclude")


def test_what_tells_on_a_claim(shop: Run) -> None:
    """An edit says wrong, another value settled on says wrong, a decision taken back says nothing."""
    with Store.open(STORE) as store:
        number = draw(store, 10_000, by="ann", category="shoes", seed=1).number
        drawn = {(one.product_id, one.attribute): one for one in report(store, number).open}
        first = drawn["0", "color"]
        assert first.claim is not None
        decide(store, first.claim["id"], Action.EDIT, by="ann", value="ivory", one_valued=False)
        second = drawn["1", "shoe_type"]
        assert second.claim is not None
        taken = decide(store, second.claim["id"], Action.REJECT, by="ann")
        by_key = {(one.product_id, one.attribute): one.right for one in report(store, number).drawn}
        assert by_key["0", "color"] is False
        assert by_key["1", "shoe_type"] is False
        from reaseq.knowledge_store.decisions import withdraw

        withdraw(store, taken, by="ann")
        by_key = {(one.product_id, one.attribute): one.right for one in report(store, number).drawn}
        assert by_key["1", "shoe_type"] is None
        made = report(store, number).whole.estimate
        assert made is not None
        assert (made.judged, made.right) == (1, 0)


def test_what_a_run_takes_back_is_counted(shop: Run) -> None:
    with Store.open(STORE) as store:
        number = draw(store, 10_000, by="ann", category="shoes", seed=1).number
    Path("feed.csv").write_text("sku,title,description\n0,Acme black leather sneakers,Nothing is said here.\n")
    shop("import", "feed.csv", "--category", "shoes")
    shop("distill", "--category", "shoes", "--engine", "none")
    with Store.open(STORE) as store:
        made = report(store, number)
        assert made.gone
        assert len(made.open) + made.gone == len(made.drawn)
    assert "were taken back" not in shop("review", "audits", "1")  # nobody has judged anything yet


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--audit", "5", "--attribute", "color"), "all verified claims of a category"),
        (("--audit", "5", "--category", "tea"), "no products of category 'tea'"),
        (("--audit", "5", "--promise", "95"), "a share between 0 and 1"),
    ],
)
def test_what_is_refused(shop: Run, arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(ReaseqError, match=message):
        shop("review", *arguments)
    with Store.open(STORE) as store:
        assert not audits(store)


@pytest.mark.parametrize("value", ["0.5", "95"])
def test_thresholds_that_are_none(shop: Run, value: str) -> None:
    with pytest.raises(ReaseqError, match="a confidence from"):
        shop("review", "threshold", value)


def test_a_part_says_nothing_of_the_rest(shop: Run) -> None:
    with Store.open(STORE) as store:
        made = draw(store, 40, by="ann", category="shoes", seed=1)
        strata = {one.stratum for one in made.drawn}
        assert len(strata) > 1
        for one in made.open:
            if one.stratum == max(strata):
                assert one.claim is not None
                decide(store, one.claim["id"], Action.APPROVE, by="ann")
        made = report(store, made.number)
        assert made.whole.unseen == made.whole.claims - made.by_confidence[0].claims
        assert made.worst is not None
        assert made.worst < 0.6
        with pytest.raises(ReaseqError, match="nobody has judged any"):
            conclude(store, made.number, by="ann")
    said = " ".join(shop("review", "audits", "1").split())
    assert f"says nothing of {made.whole.unseen:,} of the {made.whole.claims:,} claims" in said
    assert "Were all wrong that nobody has judged" in said


def test_few_judgements_move_nothing(shop: Run) -> None:
    with Store.open(STORE) as store:
        number = draw(store, 8, by="ann", category="shoes", seed=1).number
        assert len(report(store, number).drawn) == 8
        judged(store, number, lambda place: False)
        made, demoted = conclude(store, number, by="ann")
        assert made.broken
        assert (made.moved_to, demoted) == (None, 0)
    assert "so few judgements move no threshold" in " ".join(shop("review", "audits", "1").split())


def test_what_is_undone_is_held_to_the_threshold(shop: Run) -> None:
    with Store.open(STORE) as store:
        claim = next(one for one in store.claims(category="shoes") if one["status"] == "verified")
        number = decide(store, claim["id"], Action.APPROVE, by="ann")
    shop("review", "threshold", "1", "--category", "shoes")
    shop("review", "undo", str(number))
    with Store.open(STORE) as store:
        held = next(one for one in store.claims(category="shoes") if one["id"] == claim["id"])
    assert held["status"] == "proposed"


def test_a_category_keeps_its_own_threshold(shop: Run) -> None:
    shop("review", "threshold", "0.97", "--category", "shoes")
    shop("review", "threshold", "0.95")
    with Store.open(STORE) as store:
        assert (verified_from(store, "shoes"), verified_from(store, "tea")) == (0.97, 0.95)
    with pytest.raises(ReaseqError, match="no products of category 'tea'"):
        shop("review", "threshold", "0.95", "--category", "tea")
