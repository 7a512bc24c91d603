"""Pipelines and agents as somebody at a prompt writes them: what is none says so."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import BaseModel

import reaseq
from reaseq.bench.fake_endpoint import FakeEndpoint

PROMPT = """\
name: flags
description: Flags.
variables: {category: Its name., product: Its text.}
system: |
  You check products of {{category}}.
user: |
  {{product}}
reply: json
max_tokens: 200
"""


class Flags(BaseModel):
    quotes: list[str]


NO_PIPELINES: list[tuple[dict[str, Any], str]] = [
    *(({"agents": wrong}, "is no list of agents") for wrong in (5, {"verifier"}, {"verifier": 1})),
    *(({"agents": [wrong]}, "is no agent") for wrong in (5, None, len)),
    ({"agents": "verifer"}, "no agent 'verifer' (do you mean 'verifier'?)"),
    *(
        ({"repairs": {"verifier": wrong}}, f"repairs: verifier: {wrong!r} is not a whole number from 0 on")
        for wrong in (True, "2", -1, 1.5, None)
    ),
    *(({"repairs": wrong}, f"repairs = {wrong!r}: of which agents?") for wrong in (5, ["verifier"])),
    *(
        ({"models": {"verifier": wrong}}, f"models: verifier: {wrong!r} is no dictionary")
        for wrong in ("gpt-4o", None, 5)
    ),
    *(({"models": wrong}, f"models = {wrong!r}: of which agents?") for wrong in (5, "gpt-4o")),
    ({"models": {"verifier": {"modell": "x"}}}, "models: verifier: modell: no such key"),
    (
        {"models": {"verifier": {"engine": "opnai"}}},
        "engine: 'opnai' is none of embedded, openai, vllm, replay; did you mean openai?",
    ),
    (
        {"models": {"verifier": {"base_url": "localhost:8000/v1"}}},
        "base_url: 'localhost:8000/v1' is no address: it begins with http:// or https://, and a host follows "
        "(do you mean http://localhost:8000/v1?)",
    ),
]


@pytest.mark.parametrize("number", range(len(NO_PIPELINES)))
def test_what_is_no_pipeline(number: int) -> None:
    given, said = NO_PIPELINES[number]
    with pytest.raises(reaseq.ReaseqError, match=re.escape(said)) as caught:
        reaseq.Pipeline(**given)
    assert caught.value.hint


def test_what_is_one() -> None:
    made = reaseq.agent(Flags, categories="shoes")(lambda product, reply: [])
    made.name = "flags"
    assert made.own_categories() == ["shoes"]
    pipeline = reaseq.Pipeline(["attribute_extractor", made], repairs={made: 0}, models=None)  # type: ignore[dict-item, arg-type]
    assert (repr(pipeline), pipeline.repairs) == ("<Pipeline: attribute_extractor, flags>", {"flags": 0})
    assert repr(reaseq.Pipeline("verifier")) == "<Pipeline: verifier>"


async def coroutine(product: reaseq.OwnProduct, reply: Flags) -> list[reaseq.Claim]:
    return []


async def one_by_one(product: reaseq.OwnProduct, reply: Flags) -> Any:
    yield product.claim("flag", "x", reason="r")


def one_argument(reply: Flags) -> None: ...


def none_at_all() -> None: ...


def fits(product: reaseq.OwnProduct, reply: Flags, *, most: int = 5) -> list[reaseq.Claim]:
    return []


NO_AGENTS: list[tuple[Callable[[], Any], str]] = [
    (lambda: reaseq.agent(Flags)(coroutine), "coroutine is `async`, and nobody waits for it"),  # type: ignore[arg-type]
    (lambda: reaseq.agent(Flags)(one_by_one), "one_by_one is `async`, and nobody waits for it"),
    (lambda: reaseq.agent(Flags)(one_argument), "is no function of a product and a reply"),  # type: ignore[arg-type]
    (lambda: reaseq.agent(Flags)(none_at_all), "is no function of a product and a reply"),  # type: ignore[arg-type]
    (lambda: reaseq.agent(Flags)(5), "5 is no function of a product and a reply"),  # type: ignore[arg-type]
    (lambda: reaseq.agent(Flags)(Flags), "is no function of a product and a reply"),  # type: ignore[arg-type]
    (lambda: reaseq.agent(Flags, applies=lambda: True)(fits), "is no function of a product's texts"),  # type: ignore[arg-type, misc]
    (lambda: reaseq.agent(Flags, applies=5)(fits), "5 is no function of a product's texts"),  # type: ignore[arg-type]
    (lambda: reaseq.agent(fits), "takes the pydantic model of replies"),  # type: ignore[arg-type]
    *(
        (
            lambda name=name: type("Mine", (reaseq.Agent,), {"name": "mine", name: coroutine}),
            f"{name} of Mine is `async`, and nobody waits for it",
        )
        for name in ("conclude", "read", "applies")
    ),
    *(
        (
            lambda wrong=wrong: reaseq.Pipeline([reaseq.agent(Flags, categories=wrong)(fits)]),
            "they are names of categories, as texts",
        )
        for wrong in (5, [5], [None], [""], ["shoes", " "])
    ),
]


@pytest.mark.parametrize("number", range(len(NO_AGENTS)))
def test_what_is_no_agent(number: int) -> None:
    made, said = NO_AGENTS[number]
    with pytest.raises(reaseq.ReaseqError, match=re.escape(said)) as caught:
        made()
    assert caught.value.hint


NO_CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"confidence": "0.9"}, "confidence '0.9' is not a number between 0 and 1"),
    ({"confidence": True}, "confidence True is not a number between 0 and 1"),
    ({"confidence": 1.5}, "confidence 1.5 is not a number between 0 and 1"),
    ({"quote": 5}, "quote 5: it is a text"),
    ({"reason": 5}, "reason 5: it is a text"),
    ({"facet": "other"}, "facet 'other': it is supply"),
    ({"status": "approved"}, "status 'approved': an agent says"),
]


def test_what_fails_in_an_agent_is_told(tmp_path: Path, fake: FakeEndpoint) -> None:
    prompt = tmp_path / "flags.yaml"
    prompt.write_text(PROMPT)
    given: dict[str, Any] = {}

    def flags(product: reaseq.OwnProduct, reply: Flags) -> Any:
        yield product.claim("flag", "x", **{"reason": "so it is", **given})

    checked: Callable[..., Any] = reaseq.agent(Flags, prompt=prompt)(flags)
    pipeline = reaseq.Pipeline(["attribute_extractor", checked])  # type: ignore[list-item]
    with reaseq.open(tmp_path / "kb", pipeline=pipeline, engine="openai", model="m", base_url=fake.base_url) as kb:
        kb.add_products([{"id": "1", "title": "Leather boot", "category": "shoes"}])
        for wrong, said in NO_CLAIMS:
            given.clear()
            given.update(wrong)
            assert repr(kb.distill("shoes", progress=False)).endswith("; kb.failures() says why>")
            (failure,) = kb.failures()
            assert (failure["product_id"], failure["agent"]) == ("1", "flags")
            assert said in failure["reason"]
        given.clear()
        given["confidence"] = np.float32(0.5)
        assert "failures" not in repr(kb.distill("shoes", progress=False))
        assert len(kb.failures()) == 0
        assert [claim["confidence"] for claim in kb.claims() if claim["attribute"] == "flag"] == [0.5]


def test_values_that_the_first_run_adds_are_values_of_its_replies(tmp_path: Path, fake: FakeEndpoint) -> None:
    text = "Waterproof mesh upper in red. Lace-up closure."
    with reaseq.open(tmp_path / "kb", engine="openai", base_url=fake.base_url, model="fake") as kb:
        kb.add_products(
            [{"id": f"g{n}", "title": f"Trail shoe {n}", "description": text} for n in range(12)], category="shoes"
        )
        kb.distill("shoes", progress=False)
        assert len(kb.failures()) == 0


def test_what_is_not_on_record_says_what_is_missing_and_how_to_record(tmp_path: Path) -> None:
    recorded = tmp_path / "replies.jsonl"
    recorded.write_text("")
    with reaseq.open(tmp_path / "kb", engine="replay", replay_file=recorded) as kb:
        kb.add_products([{"id": "P-1", "title": "Leather boot", "category": "shoes"}])
        told = (
            r"what attribute_extractor asks of product P-1 is not on record: no recorded reply for request \w+, which"
        )
        kb.pipeline = reaseq.Pipeline(["attribute_extractor"])
        with pytest.raises(reaseq.ReaseqError, match=told) as caught:
            kb.distill("shoes", progress=False)
        assert caught.value.hint == (
            "distil with the engine that is to answer, then, in a terminal: reaseq knowledge replies FILE"
        )
        recorded.unlink()
        with pytest.raises(reaseq.ReaseqError, match="no such file of recorded replies") as caught:
            kb.distill("shoes", progress=False)
        assert (caught.value.hint or "").startswith("in a terminal: reaseq knowledge replies FILE")
