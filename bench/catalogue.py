"""A made-up catalogue of any size, for tests and measurements: distinct products, the same for a seed."""

import random

from sqlalchemy import insert

from reaseq.knowledge_store.store import PRODUCT, Store
from reaseq.knowledge_store.tables import now

_MAKERS = ("Fennside", "Okari", "Tarn & Co", "Brunhild", "Lomo", "Vesper", "Nordal", "Quillon")
_MODELS = ("Larch", "Tide", "Ember", "Comet", "Harbour", "Pebble", "Aster", "Drift", "Sable", "Willow")
_KINDS = ("Running Shoes", "Sneakers", "Hiking Boots", "Sandals", "Loafers", "Slippers", "Ankle Boots", "Clogs")
_WHOM = ("Women's", "Men's", "Kids'", "Unisex")
_UPPERS = ("breathable mesh", "full-grain leather", "faux leather", "suede", "canvas", "knitted textile")
_SOLES = ("rubber outsole", "EVA midsole", "cork footbed", "TPU outsole")
_COLOURS = ("black", "navy", "white", "olive", "brown", "red", "grey")
_SENTENCES = (
    "Made for long days on your feet.",
    "Not waterproof, but quick to dry.",
    "A lace-up that holds the heel without pressing.",
    "Heel height 4 cm.",
    "Lightweight and flexible, with a cushioned step.",
    "The grippy tread copes with wet pavements.",
    "Looks as good in the office as at the weekend.",
    "Warm fleece lining for winter.",
)


def fill(store: Store, count: int, *, category: str = "shoes", seed: int = 0) -> None:
    """Put `count` made-up products into the store, ids `made-000001` and on."""
    draw = random.Random(seed)
    stamp = now()
    batch: list[dict[str, object]] = []
    with store.engine.begin() as connection:
        for number in range(1, count + 1):
            whom, maker, model = draw.choice(_WHOM), draw.choice(_MAKERS), draw.choice(_MODELS)
            description = " ".join(
                [
                    f"The {model} {number} has a {draw.choice(_UPPERS)} upper in {draw.choice(_COLOURS)} "
                    f"and a {draw.choice(_SOLES)}.",
                    *draw.sample(_SENTENCES, 3),
                ]
            )
            batch.append(
                {
                    "id": f"made-{number:06}",
                    "category": category,
                    "title": f"{whom} {maker} {model} {number} {draw.choice(_KINDS)}",
                    "description": description,
                    "brand": maker,
                    "attributes": {},
                    "fingerprint": f"{number:016x}",
                    "source": "made up",
                    "line": number,
                    "import_id": 0,
                    "created_at": stamp,
                    "updated_at": stamp,
                }
            )
            if len(batch) == 1000 or number == count:
                connection.execute(insert(PRODUCT), batch)
                batch = []
