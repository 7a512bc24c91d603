"""What is learnt from labelled products: the tagger, how far it is trusted, and what a model is asked for then."""

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from reaseq.agents.attribute_extractor import AttributeExtractor
from reaseq.agents.claims import Found
from reaseq.agents.confidence import Answer, Confidence
from reaseq.agents.grounder import ground
from reaseq.agents.labelled import Candidate, LabelledProduct, Neighbours, Spans
from reaseq.agents.learned import KEPT_FROM, Learned, helpful, worthwhile
from reaseq.agents.tagger import Tagger
from reaseq.agents.token_features import features, gazetteer, words
from reaseq.agents.verifier import to_be_judged
from reaseq.documents.document import Document
from reaseq.llm.chat import Chat
from reaseq.prompts.library import PromptLibrary
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import Attribute, CategorySchema
from reaseq.taxonomy.trust import VERIFIED_FROM
from tests.agents.answering import Answering

BRANDS = ("Alder", "Birch & Sons", "Cedar", "Dogwood", "Elm Co.")
FLAVOURS = ("Dark Cherry", "Vanilla", "Lemon-Lime", "Mint", "Blood Orange", "Plum")
SIZES = ("12 oz", "500 ml", "2.5 kg", "16 oz")
SCHEMA = CategorySchema(
    category="drops",
    description="Sweets.",
    attributes=tuple(
        Attribute(name=name, description=name, facet="supply", kind="open") for name in ("brand", "flavour", "size")
    ),
)


def flat(texts: Sequence[tuple[str, Spans]]) -> list[NDArray[np.float32]]:
    """An encoder that knows nothing."""
    return [np.zeros((len(spans), 2), np.float32) for _, spans in texts]


def drop(number: int, brand: str, flavour: str, size: str) -> LabelledProduct:
    return LabelledProduct(
        str(number),
        {"title": f"{brand} Drops, {flavour} Flavor, {size} bag"},
        {"brand": (brand,), "flavour": (flavour,), "size": (size,)},
    )


PRODUCTS = [
    drop(number, *found)
    for number, found in enumerate(itertools.islice(itertools.product(BRANDS, FLAVOURS, SIZES), 0, 120, 3))
]


@pytest.fixture(scope="module")
def learned() -> Learned:
    return Learned.learn(PRODUCTS, SCHEMA, flat)


def test_values_never_seen_are_found_where_such_values_stand(learned: Learned) -> None:
    title = "Fir Drops, Salted Caramel Flavor, 8 oz bag"
    tags = learned.tag({"title": title})
    best = {name: found[0] for name, found in tags.items()}
    assert {name: one.value for name, one in best.items()} == {
        "brand": "Fir",
        "flavour": "Salted Caramel",
        "size": "8 oz",
    }
    for one in (one for found in tags.values() for one in found):
        assert title[one.start : one.end] == one.value
        assert 0 < one.probability <= 1
    assert all(
        first.probability >= second.probability
        for found in tags.values()
        for first, second in itertools.pairwise(found)
    )


def test_learning_twice_is_learning_once() -> None:
    again = [Tagger.learn(PRODUCTS, ["flavour"], flat, seed=3).tag(PRODUCTS[0].sources) for _ in range(2)]
    assert again[0] == again[1]


def test_values_are_written_as_labelled_products_write_them() -> None:
    """Where the text inflects a value ("Mens"), it is found there, and is what people call it ("Men")."""
    people = [
        LabelledProduct(f"{n}", {"title": f"Cap {n} {said}s black"}, {"gender": (said,)})
        for n, said in enumerate(("Men", "Kid", "Girl") * 6)
    ]
    (best, *_) = Tagger.learn(people, ["gender"], flat).tag({"title": "Cap 77 Mens black"})["gender"]
    assert (best.value, best.start, best.end) == ("Men", 7, 11)
    assert best.probability > VERIFIED_FROM
    (new, *_) = Tagger.learn(people, ["gender"], flat).tag({"title": "Cap 77 Boys black"})["gender"]
    assert new.value == "Boys", "nobody has said how it is written"


def test_a_value_in_another_inflection_has_its_words_as_proof() -> None:
    prints = [
        LabelledProduct(f"{n}", {"title": f"Shirt {n} {said} cotton"}, {"pattern": (form,)})
        for n, (said, form) in enumerate((("Printed", "Print"), ("Striped", "Stripe"), ("Checkered", "Check")) * 6)
    ]
    text = Document({"title": "Shirt 77 Printed cotton"})
    schema = SCHEMA.replace(attributes=(Attribute(name="pattern", description="p", facet="supply", kind="open"),))
    learned = Learned(Neighbours(prints), Tagger.learn(prints, ["pattern"], flat), Confidence())
    said = {"pattern": [Found(value="Print")]}
    claim, *_ = ground(said, text, Lexicon(schema), learned=learned, tags=learned.tag(text.sources))
    assert (claim["value"], claim["quote"], claim["claim_type"]) == ("Print", "Printed", "normalised")


def test_a_value_that_is_cut_off_teaches_nothing() -> None:
    """A text's first 200 words are read; this value begins at the last of them."""
    title = "word " * 199 + "Salted Caramel"
    Tagger.learn(
        [*PRODUCTS[:12], LabelledProduct("long", {"title": title}, {"flavour": ("Salted Caramel",)})], ["flavour"], flat
    )


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_text_is_tagged(learned: Learned, title: str, description: str) -> None:
    sources = {"title": title, "description": description}
    for found in learned.tag(sources).values():
        assert all(sources[one.field][one.start : one.end] == one.value for one in found)


def test_probabilities_are_the_shares_of_all_ways_to_tag() -> None:
    """Against summing over every sequence of tags."""
    tagger = Tagger.learn(PRODUCTS[:12], ["flavour"], flat)
    text = "Mint Lime Flavor, big"
    found = words(text)
    scores = tagger.weights.scores(tagger.batch([(text, found, features(found, "title", tagger.known))]))
    moves = tagger.weights.moves[0]
    weight: dict[tuple[int, ...], float] = {}
    for tags in itertools.product(range(3), repeat=len(found)):
        if 2 in tags[:1] or any(one == 0 and other == 2 for one, other in itertools.pairwise(tags)):
            continue
        total = sum(float(scores[here, tag]) for here, tag in enumerate(tags))
        total += sum(float(moves[one, other]) for one, other in itertools.pairwise(tags))
        weight[tags] = float(np.exp(total))
    for candidate in tagger.tag({"title": text})["flavour"]:
        inside = [n for n, word in enumerate(found) if candidate.start <= word.start and word.end <= candidate.end]
        first, last = inside[0], inside[-1]
        share = sum(
            value
            for tags, value in weight.items()
            if tags[first] == 1
            and all(tag == 2 for tag in tags[first + 1 : last + 1])
            and (last + 1 == len(tags) or tags[last + 1] != 2)
        )
        assert candidate.probability == pytest.approx(share / sum(weight.values()), rel=1e-3)


def test_what_nobody_judged_teaches_little() -> None:
    """Absent by somebody's judgement is stronger than not mentioned by anybody."""

    def chance(values: dict[str, tuple[str, ...]]) -> float:
        others = [LabelledProduct(f"x{n}", {"title": f"Gum, {n} Mint Flavor"}, values) for n in range(12)]
        tagger = Tagger.learn([*PRODUCTS[:8], *others], ["flavour"], flat)
        found = tagger.tag({"title": "Gum, 77 Mint Flavor"}).get("flavour", [])
        return found[0].probability if found else 0.0

    assert chance({}) > chance({"flavour": ()})


def test_a_product_is_held_out_of_what_tags_it() -> None:
    products = [LabelledProduct(str(n), {"title": f"Zyx{n} w{n} q{n}"}, {"brand": (f"w{n}",)}) for n in range(6)]
    odd = LabelledProduct("odd", {"title": "plum zyx quux"}, {"brand": ("quux",)})
    by_all = Tagger.learn([*products, odd], ["brand"], flat).tag(odd.sources)["brand"][0]
    assert by_all.value == "quux"
    without = Tagger.learn_and_try([*products, odd], ["brand"], flat)[1][-1]["brand"]
    assert without[0].value != "quux" or without[0].probability < by_all.probability
    assert Tagger.learn_and_try(products[:1], ["brand"], flat)[1] == [{}]


@pytest.mark.parametrize("products", [[], PRODUCTS[:9]], ids=["none", "too few"])
def test_little_is_not_worth_learning_from(products: list[LabelledProduct]) -> None:
    assert not worthwhile(products, SCHEMA)
    assert worthwhile(PRODUCTS, SCHEMA)
    closed = Attribute(name="brand", description="b", facet="supply", kind="closed", values={"Alder": ()})
    assert not worthwhile(PRODUCTS, SCHEMA.replace(attributes=(closed,))), "nothing that a tagger looks for"


def test_own_values_are_known_only_if_others_have_them() -> None:
    known = gazetteer([("flavour", "Dark Cherry"), ("flavour", "Mint"), ("flavour", "Mint")])
    own = {"flavour": {"dark cherry", "mint"}}
    said = features(words("Dark Cherry Mint"), "title", known, own)
    assert not any("known" in feature for feature in said[0])
    assert "known begins=flavour" in said[2]
    assert "known begins+=flavour" in features(words("Dark Cherry"), "title", known)[0]


def test_confidence_is_drawn_to_what_came_true() -> None:
    random = np.random.default_rng(0)
    p = random.uniform(0.05, 0.95, 2000)
    brand = ["brand"] * 2000
    assert Confidence.fit([], [], []) == Confidence()
    honest = Confidence.fit(brand, p.tolist(), (random.random(2000) < p).tolist())
    assert honest("brand", 0.8) == pytest.approx(0.8, abs=0.05)
    boastful = Confidence.fit(brand, p.tolist(), (random.random(2000) < 0.5 * p).tolist())
    assert boastful("brand", 0.9) == pytest.approx(0.45, abs=0.08)
    assert boastful("size", 0.9) < honest("size", 0.9), "what others came to stands for it"
    certain = Confidence.fit(["brand"] * 50, [0.99] * 50, [True] * 50)
    assert 0.9 < certain("brand", 0.99) < 1


def test_confidence_is_an_attributes_own_where_there_are_cases() -> None:
    random = np.random.default_rng(0)
    p = random.uniform(0.3, 0.95, 900).tolist()
    names = ["brand"] * 800 + ["scent"] * 100
    right = [True] * 800 + (random.random(100) < 0.3).tolist()
    several = Confidence.fit(names, p, right)
    assert several("brand", 0.8) > 0.9 > 0.5 > several("scent", 0.8)
    few = Confidence.fit(["brand"] * 100 + ["scent"], [0.8] * 101, [True] * 100 + [False])
    assert few("scent", 0.8) > 0.6, "a single case is no reason to doubt all"


def test_a_models_answer_counts() -> None:
    confidence = Confidence()
    same, none, other = (confidence("size", 0.7, answer) for answer in (Answer.SAME, Answer.NOT_ASKED, Answer.OTHER))
    assert same > none > other
    assert 0 < confidence("size", 0.0, Answer.OTHER) < confidence("size", 1.0, Answer.SAME) < 1


def test_the_likest_comes_last_and_never_itself() -> None:
    neighbours = Neighbours(PRODUCTS)
    target = PRODUCTS[5]
    assert neighbours.nearest(target.sources, 3)[-1].id == target.id
    found = neighbours.nearest(target.sources, 3, leave_out=target.id)
    assert len(found) == 3
    assert target.id not in [product.id for product in found]
    assert len(neighbours.nearest({"title": "words nobody knows"}, 1000)) == len(PRODUCTS)


def candidate(title: str, value: str, probability: float) -> Candidate:
    start = title.index(value)
    return Candidate(value, "title", start, start + len(value), probability)


TITLE = "Alder Drops, not Mint Lime Flavor, 12 oz bag"


def test_a_model_reads_for_itself_where_the_tagger_is_unsure(learned: Learned) -> None:
    tags = {
        "brand": [candidate(TITLE, "Alder", 0.999)],
        "flavour": [candidate(TITLE, "Lime", 0.5), candidate(TITLE, "Lime Flavor", 0.3)],
    }
    believing = Learned(learned.neighbours, learned.tagger, Confidence())
    extractor = AttributeExtractor(
        PromptLibrary()["attribute_extractor"], Lexicon(SCHEMA), grammar=True, learned=believing
    )
    chat = Answering({"flavour": "Lime"})
    text = Document({"title": TITLE})
    found = asyncio.run(extractor.extract(cast(Chat, chat), text, tags, product_id=PRODUCTS[0].id))
    assert found == {"flavour": [{"value": "Lime"}]}
    (request,) = chat.asked
    assert request.response_format is not None
    body = request.response_format["json_schema"]["schema"]
    assert body["properties"] == {"flavour": {"anyOf": [{"type": "null"}, {"type": "string", "maxLength": 60}]}}
    assert body["required"] == ["flavour"]
    examples = [message for message in request.turns if message[0] == "assistant"]
    assert len(examples) == 4
    assert all(set(json.loads(said)) == {"flavour"} for _, said in examples), "only what is asked for is shown"
    assert not any(PRODUCTS[0].sources["title"] in said for _, said in request.turns), "never the product itself"
    assert len(request.prefix) == 1

    def shown(others: Sequence[LabelledProduct]) -> list[dict[str, str | None]]:
        asked = Answering({"flavour": "Lime"})
        extractor.learned = Learned(Neighbours(others), believing.tagger, Confidence())
        asyncio.run(extractor.extract(cast(Chat, asked), text, tags))
        return [json.loads(said) for role, said in asked.asked[0].turns if role == "assistant"]

    bag = {"title": "Drops, bag"}
    assert shown([LabelledProduct("0", bag, {"brand": ("Drops",)})]) == [{"flavour": None}]
    assert shown([LabelledProduct("0", bag, {"flavour": ()}, whole=False)]) == [{"flavour": None}]
    assert shown([LabelledProduct("0", bag, {"brand": ("Drops",)}, whole=False)]) == [{}], "nobody has looked"

    by_hand = AttributeExtractor(PromptLibrary()["attribute_extractor"], Lexicon(SCHEMA), grammar=True)
    assert extractor.fingerprint == by_hand.fingerprint, "learning more makes no product stale"
    sure = Answering({})
    asyncio.run(extractor.extract(cast(Chat, sure), text, {"brand": tags["brand"]}))
    assert sure.asked == []


@pytest.mark.parametrize(
    ("tags", "said", "expected"),
    [
        pytest.param([("Alder", 0.97)], None, [("Alder", "verified", "tagger")], id="the tagger is sure"),
        pytest.param([("Alder", 0.8)], "Alder", [("Alder", "verified", "both")], id="both say so"),
        pytest.param([("Alder", 0.8)], None, [("Alder", "proposed", "tagger")], id="the tagger alone, unsure"),
        pytest.param(
            [("Alder Drops", 0.6), ("Alder", 0.35)], "Alder", [("Alder", "proposed", "both")], id="the model decides"
        ),
        pytest.param([("Alder", 0.6)], "Drops", [("Drops", "rejected", "model")], id="they differ, neither is likely"),
        pytest.param([("Alder", 0.2)], None, [], id="unlikely"),
        pytest.param([("Mint Lime", 0.99)], None, [], id="what the text denies is not found"),
        pytest.param(
            [("Alder", 0.8)],
            "Mint",
            [("Mint", "rejected", "model"), ("Alder", "proposed", "tagger")],
            id="what the text denies is not said",
        ),
        pytest.param(
            [("Alder", 0.97)], "Oak", [("Oak", "rejected", "model"), ("Alder", "verified", "tagger")], id="invented"
        ),
    ],
)
def test_what_becomes_of_tags_and_answers(
    learned: Learned, tags: list[tuple[str, float]], said: str | None, expected: list[tuple[str, str, str]]
) -> None:
    believing = Learned(learned.neighbours, learned.tagger, Confidence())
    claims = ground(
        {"brand": [{"value": said}]} if said else {},
        Document({"title": TITLE}),
        Lexicon(SCHEMA),
        learned=believing,
        tags={"brand": [candidate(TITLE, value, p) for value, p in tags]},
    )
    made = [(claim["value"], claim["status"], claim["found_by"]) for claim in claims]
    assert made == expected
    for claim in claims:
        if claim["status"] != "rejected":
            assert claim["quote"] == claim["value"]
            assert claim["confidence"] is not None
            assert (claim["confidence"] >= VERIFIED_FROM) == (claim["status"] == "verified")
            assert claim["confidence"] >= KEPT_FROM
            assert not to_be_judged(claim), "it has been measured"


def test_the_threads_and_seeds_of_others_are_left_alone() -> None:
    np.random.seed(7)
    expected = np.random.rand(3)
    np.random.seed(7)
    Tagger.learn(PRODUCTS[:10], ["brand"], flat)
    assert (np.random.rand(3) == expected).all()


def test_other_categories_help_where_labels_are_few() -> None:
    others = [
        LabelledProduct(
            f"tea {number}",
            {"title": f"{flavour} Tea by {brand}, pack of {number} bags"},
            {"flavour": (flavour,), "pack": (f"pack of {number}",)},
        )
        for number, (flavour, brand) in enumerate(itertools.product((*FLAVOURS, "Rose", "Fig"), BRANDS))
    ]
    few = PRODUCTS[:10]
    shared = helpful(others, few, ["brand", "flavour", "size"])
    assert len(shared) == len(others)
    assert {tuple(one.values) for one in shared} == {("flavour",)}, "nothing but what both have"
    assert all(one.weight < 1 for one in shared)
    assert helpful(others, PRODUCTS * 3, ["flavour"]) == [], "many labels need no help"
    assert helpful(others, few, ["size"]) == []
    learned = Learned.learn(few, SCHEMA, flat, beside=shared)
    assert learned.tagger.attributes == ["brand", "flavour", "size"]
    assert len(learned.neighbours.products) == len(few), "examples are of the category"
    assert [one.value for one in learned.tag({"title": "Elm Co. Drops, Rose Flavor, 12 oz bag"})["flavour"]][:1] == [
        "Rose"
    ]
