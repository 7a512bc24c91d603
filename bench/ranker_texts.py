"""Which text of an item is worth most as an embedding: `python -m reaseq.bench.ranker_texts --data FOLDER`.

The same ranker on the same cases with the same facts; only the text that is embedded differs:

    title      title and brand
    composed   the summary composed of claims, which is what `reaseq embed` takes
    prose      a language model's summary where there is one that was borne out, else the title (a store's only)

FOLDER holds `amazon14_cross`. Items of Amazon 2014 Beauty with a bundled schema (their category path says which) have
claims that code finds in their keywords; the others are embedded by their title in both. With `--store URL` it is a
store with a behaviour log and distilled products. Differences in NDCG@10 are those to `title`, paired by case.
"""

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from reaseq.agents.claims import Claim
from reaseq.agents.grounder import ground
from reaseq.bench.ranker_data import BenchData, amazon_items, beauty
from reaseq.bench.ranker_quality import RESULTS, SETTINGS, print_table
from reaseq.documents.document import Document
from reaseq.knowledge_store import embeddings
from reaseq.knowledge_store.encoder import Encoder
from reaseq.knowledge_store.log import read_log
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.summaries import composed, holds
from reaseq.knowledge_store.whitening import Whitening
from reaseq.llm import encoders
from reaseq.ranker import experiment
from reaseq.ranker.dataset import TEXT_DIM
from reaseq.ranker.experiment import Outcome, Variant
from reaseq.ranker.facts import signatures
from reaseq.ranker.model import ModelConfig
from reaseq.ranker.split import leave_last_out
from reaseq.ranker.train import Fitted, TrainConfig, TrainingData
from reaseq.taxonomy.lexicon import Lexicon
from reaseq.taxonomy.schema import starter_for

Texts = Mapping[str, Sequence[str]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--data", type=Path, help="the folder of the data sets")
    source.add_argument("--store", help="a store's URL")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="at most; default: until validation gets no better")
    parser.add_argument("--models", type=Path, default=Path(".reaseq/models"), help="where the encoder's weights live")
    arguments = parser.parse_args()
    RESULTS.mkdir(exist_ok=True)
    data, texts = of_beauty(arguments.data) if arguments.data else of_store(arguments.store)
    differ = np.mean([one != other for one, other in zip(texts["title"], texts["composed"], strict=True)])
    print(f"{data.name}: {len(data.texts):,} items, {differ:.3f} of them with claims")
    outcome = measure(data, texts, arguments.models, arguments.seeds, arguments.epochs)
    print_table(f"{data.name}, last item held out", outcome)
    path = RESULTS / f"ranker_texts_{'beauty' if arguments.data else 'store'}.json"
    path.write_text(outcome.to_json())
    print(f"written: {path}")


def of_beauty(folder: Path) -> tuple[BenchData, Texts]:
    """The log, and each item's texts; its facts are brand, category and the claims that code verified."""
    data = beauty(folder)
    lexicons: dict[str, Lexicon] = {}
    titles, made, facts = [], [], []
    for row, known in zip(amazon_items(folder, data.log.items), data.facts, strict=True):
        title = " ".join(part for part in (row["title"], row["extra_keywords"]) if part)
        claims: list[Claim] = []
        for step in reversed((row["category"] or "").split(" > ")):
            if schema := starter_for(step):
                lexicon = lexicons.setdefault(schema.category, Lexicon(schema))
                claims = ground({}, Document({"title": title}), lexicon)
                break
        titles.append(composed({"title": title, "brand": row["brand"]}, ()))
        made.append(composed({"title": title, "brand": row["brand"]}, claims))
        facts.append([*known, *(f"{claim['attribute']}={claim['value']}" for claim in claims if holds(claim))])
    return replace(data, texts=titles, facts=facts), {"title": titles, "composed": made}


def of_store(url: str) -> tuple[BenchData, Texts]:
    """The store's log, and each product's texts; its facts are the store's."""
    with Store.open(url) as store:
        log = read_log(store).log
        known = {text.product_id: text.text for text in embeddings.texts(store)}
        rows = {product: row for product in log.items if (row := store.product(product))}
        proses = {product: store.knowledge(product)[1] for product in log.items}
        facts = store.facts()
    titles = {product: composed(row, ()) for product, row in rows.items()}
    texts = {
        "title": list(titles.values()),
        "composed": [known[product] for product in log.items],
        "prose": [prose["text"] if (prose := proses[product]) else titles[product] for product in log.items],
    }
    return BenchData(url, log, texts["title"], [facts.get(product, []) for product in log.items]), texts


def measure(data: BenchData, texts: Texts, weights: Path, seeds: int, epochs: int | None) -> Outcome:
    _, train = SETTINGS["beauty"]
    if epochs is not None:
        train = train.model_copy(update={"epochs": epochs})
    split = leave_last_out(data.log.events)
    trained = np.bincount(split.train.items, minlength=len(data.log.items)) > 0
    encoder = Encoder(*encoders.resolve(weights))
    models: dict[str, list[Fitted]] = {}
    for name, mine in texts.items():
        training = TrainingData(split, len(data.log.items), knowledge(mine, data.facts, trained, encoder))
        models |= trained_on(training, name, train, seeds)
    return experiment.judge(training, models, {})


def trained_on(data: TrainingData, name: str, train: TrainConfig, seeds: int) -> dict[str, list[Fitted]]:
    variant = Variant(name, ModelConfig(features=("id", "knowledge")))

    def on_start(variant: str, seed: int) -> None:
        print(f"{variant}, seed {seed}", flush=True)

    return experiment.train_all(data, [variant], train, seeds=range(seeds), on_start=on_start)[0]


def knowledge(
    texts: Sequence[str], facts: Sequence[Sequence[str]], trained: NDArray[np.bool_], encoder: Encoder
) -> NDArray[np.float32]:
    vectors = encoder.encode(list(texts)).astype(np.float32)
    dims = min(TEXT_DIM, vectors.shape[1], int(trained.sum()) - 1)
    whitening = Whitening.fit(vectors[trained], dims=dims)
    return np.concatenate([whitening.apply(vectors), signatures(facts)], axis=1)


if __name__ == "__main__":
    main()
