"""Students are kept, loaded, exported and taken over."""

import json
from pathlib import Path

import pytest
from safetensors import safe_open
from safetensors.numpy import save_file

from reaseq import ReaseqError
from reaseq.agents import student
from reaseq.agents.labelled import LabelledProduct
from reaseq.agents.learned import Learned
from reaseq.agents.student import export, learnt, read, students, take_over
from reaseq.llm.encoders import DEFAULT
from tests.agents.test_learned import PRODUCTS, SCHEMA, flat

SEEN = {"title": "Fir Drops, Salted Caramel Flavor, 8 oz bag"}


class Times:
    """How often something was learnt."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self) -> None:
        self.count += 1


def learn(folder: Path, products: list[LabelledProduct], times: Times, labelled: str = "a") -> Learned:
    found, _ = learnt(folder, products, labelled, SCHEMA, flat, on_learning=times)
    assert found is not None
    return found


def test_what_was_learnt_is_learnt_once(tmp_path: Path) -> None:
    times = Times()
    first = learn(tmp_path, PRODUCTS, times)
    again = learn(tmp_path, PRODUCTS, times)
    assert again.tag(SEEN) == first.tag(SEEN)
    assert (again.confidence, again.f1, times.count) == (first.confidence, first.f1, 1)
    learn(tmp_path, PRODUCTS, times, labelled="b")
    assert times.count == 2, "other labels"
    (kept,) = students(tmp_path)
    assert (kept.about.category, kept.about.labels, kept.taken_over) == (SCHEMA.category, len(PRODUCTS), False)
    assert 0 < kept.about.f1 <= 1


def test_a_broken_file_is_learnt_anew(tmp_path: Path) -> None:
    times = Times()
    learn(tmp_path, PRODUCTS, times)
    (path,) = tmp_path.glob("*.safetensors")
    path.write_bytes(path.read_bytes()[:100])
    learn(tmp_path, PRODUCTS, times)
    assert (times.count, len(students(tmp_path))) == (2, 1)


def test_another_store_takes_a_student_over(tmp_path: Path) -> None:
    times = Times()
    first = learn(tmp_path / "one", PRODUCTS, times)
    export(tmp_path / "one", SCHEMA.category, tmp_path / "file")
    other = tmp_path / "other"
    assert learnt(other, [], "b", SCHEMA, flat) == (None, None)
    assert take_over(other, tmp_path / "file").taken_over
    found, labelled = learnt(other, [], "b", SCHEMA, flat)
    assert found is not None
    assert (found.tag(SEEN), labelled) == (first.tag(SEEN), "a")
    assert found.neighbours.nearest(SEEN, 3) == []
    own, labelled = learnt(other, PRODUCTS[:12], "b", SCHEMA, flat, on_learning=times)
    assert own is not None
    assert (labelled, times.count) == ("b", 2), "what is labelled here comes first"
    assert [one.taken_over for one in students(other)] == [False, True]


def test_what_is_no_student_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"nothing")
    with pytest.raises(ReaseqError, match="is no student"):
        take_over(tmp_path, tmp_path / "file")
    with pytest.raises(ReaseqError, match="there are: none yet"):
        export(tmp_path, "shoes", tmp_path / "target")
    times = Times()
    learn(tmp_path, PRODUCTS, times)
    monkeypatch.setattr(student, "_FORMAT", 0)
    with pytest.raises(ReaseqError, match="another version"):
        read(next(tmp_path.glob("*.safetensors")))
    learn(tmp_path, PRODUCTS, times)
    assert times.count == 2


def test_a_student_of_another_encoder_is_not_taken(tmp_path: Path) -> None:
    """Its weights are for other vectors, though these may be as wide."""
    times = Times()

    def by(encoder: str, products: list[LabelledProduct], folder: Path = tmp_path) -> Learned | None:
        return learnt(folder, products, "a", SCHEMA, flat, encoder=encoder, on_learning=times)[0]

    assert by("one", PRODUCTS)
    assert by("one", PRODUCTS)
    assert times.count == 1
    assert by("other", PRODUCTS)
    assert (times.count, students(tmp_path)[0].about.encoder) == (2, "other")
    export(tmp_path, SCHEMA.category, tmp_path / "file")
    take_over(tmp_path / "store", tmp_path / "file")
    assert by("one", [], tmp_path / "store") is None
    assert by("other", [], tmp_path / "store")


def test_students_of_before_there_was_a_choice_are_the_default_encoder_s(tmp_path: Path) -> None:
    times = Times()
    learn(tmp_path, PRODUCTS, times)
    (path,) = tmp_path.glob("*.safetensors")
    with safe_open(path, "np") as file:
        said = json.loads(file.metadata()["reaseq student"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    assert said["about"].pop("encoder") == DEFAULT
    save_file(tensors, path, {"reaseq student": json.dumps(said)})
    assert read(path).about.encoder == DEFAULT
    learn(tmp_path, PRODUCTS, times)
    assert times.count == 1
