"""The setting `encoder` names the text encoder of every command that uses one."""

from collections.abc import Callable
from pathlib import Path

import pytest

from reaseq import ReaseqError
from reaseq.agents.student import students
from reaseq.api.engine import teaching
from reaseq.api.settings import load
from reaseq.cli.run import _pipeline
from reaseq.graphs.teaching import Teaching
from reaseq.knowledge_store.store import Store
from reaseq.llm import encoders
from tests.agents.test_learned import PRODUCTS, SCHEMA, flat
from tests.cli.test_categorize import FEED, STORE

Run = Callable[..., str]
E5 = "multilingual-e5-small"


@pytest.fixture
def asked(run: Run, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Which encoders were asked for; none can be had."""
    names: list[str] = []

    def resolve(models_dir: Path, model: str = encoders.DEFAULT) -> tuple[str, str]:
        names.append(model)
        raise ReaseqError("no encoder")

    monkeypatch.setattr(encoders, "resolve", resolve)
    Path("feed.csv").write_text(FEED)
    run("import", "feed.csv")
    Path("shoes.csv").write_text("sku,title,Color\n9,Larch shoe,Zyx\n")
    run("import", "shoes.csv", "--category", "shoes")
    return names


@pytest.mark.parametrize("command", ["embed", "categorize --dry-run", "taxonomy proposals --category shoes"])
def test_commands_use_it(run: Run, asked: list[str], monkeypatch: pytest.MonkeyPatch, command: str) -> None:
    with pytest.raises(ReaseqError, match="no encoder"):
        run(*command.split())
    monkeypatch.setenv("REASEQ_ENCODER", E5)
    with pytest.raises(ReaseqError, match="no encoder"):
        run(*command.split())
    assert asked == [encoders.DEFAULT, E5]


def test_another_encoder_teaches_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Teaching, "products", lambda *_: PRODUCTS)
    monkeypatch.setattr(Teaching, "others", lambda *_: [])
    monkeypatch.setattr(Teaching, "vectors", lambda self: flat)
    (tmp_path / E5).mkdir()
    learnt: list[int] = []
    with Store.open("sqlite://") as store:
        for encoder, source in ((encoders.DEFAULT, ""), (E5, ""), (E5, "4 bits"), (E5, "4 bits")):
            if source:
                (tmp_path / E5 / encoders.SOURCE).write_text(source)
            one = Teaching(tmp_path, students_dir=tmp_path / "students", encoder=encoder)
            assert one.learn(store, SCHEMA, on_learning=learnt.append)[0] is not None
    assert len(learnt) == 3
    (kept,) = students(tmp_path / "students")
    assert kept.about.encoder == f"{E5} (4 bits)"


def test_an_option_comes_before_it(run: Run, asked: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REASEQ_ENCODER", E5)
    with pytest.raises(ReaseqError, match="no encoder"):
        run("embed", "--model", "org/model")
    assert asked == ["org/model"]


def test_distillation_and_the_whole_way_use_it(run: Run, asked: list[str]) -> None:
    Path("reaseq.toml").write_text(f'encoder = "{E5}"\n')
    settings = load()
    with pytest.raises(ReaseqError, match="no encoder"):
        teaching(settings).encode()
    with pytest.raises(ReaseqError, match="no encoder"):
        teaching(settings).vectors()
    assert asked == [E5, E5]
    with Store.open(STORE) as store:
        made = [_pipeline(store, one, "shoes", None, 1, None) for one in (settings, load(encoder="org/model"))]
    assert [one.encoder for one in made] == [E5, "org/model"]
    assert made[0].fingerprint != made[1].fingerprint, "another run"
    assert E5 in run("config")
