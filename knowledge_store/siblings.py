"""Siblings: products of one brand and model, sold in several colours or sizes. Where they disagree on what a model has
in common, one of them is wrong."""

from collections import Counter, defaultdict
from collections.abc import Collection

from sqlalchemy import select

from reaseq.knowledge_store.store import CLAIM, PRODUCT, SOUND, Store

MODEL = ("model_name", "model", "model_number")
"""Attributes that name a model, the most telling first."""


def disagreements(store: Store, category: str, shared: Collection[str]) -> dict[int, str]:
    """Claims that hold and that most of the product's siblings contradict, by id, with what those say in words; all
    sides where none has the majority. `shared` are the attributes that a model has in common."""
    query = (
        select(CLAIM.c.id, CLAIM.c.product_id, CLAIM.c.attribute, CLAIM.c.value, PRODUCT.c.brand)
        .join(PRODUCT, PRODUCT.c.id == CLAIM.c.product_id)
        .where(PRODUCT.c.category == category, SOUND, CLAIM.c.attribute.in_((*MODEL, *shared, "brand")))
        .order_by(CLAIM.c.id)
    )
    brands: dict[str, str] = {}
    models: dict[str, dict[str, str]] = defaultdict(dict)
    said: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
    with store.reading() as connection:
        for row in connection.execute(query):
            if row.brand or row.attribute == "brand":
                brands.setdefault(row.product_id, (row.brand or row.value).casefold())
            if row.attribute in MODEL:
                models[row.product_id].setdefault(row.attribute, row.value.casefold())
            elif row.attribute in shared:
                said[row.product_id].append((row.id, row.attribute, row.value))
    families: dict[tuple[str, str], list[str]] = defaultdict(list)
    for product_id, names in models.items():
        model = next(names[attribute] for attribute in MODEL if attribute in names)
        if product_id in brands:
            families[brands[product_id], model].append(product_id)
    found: dict[int, str] = {}
    for family in families.values():
        votes: dict[str, Counter[str]] = defaultdict(Counter)
        for product_id in family:
            for _, attribute, value in said[product_id]:
                votes[attribute][value] += 1
        for product_id in family:
            for claim_id, attribute, value in said[product_id]:
                (most, times), total = votes[attribute].most_common(1)[0], votes[attribute].total()
                if len(votes[attribute]) > 1 and (value != most or 2 * times <= total):
                    others = ", ".join(f"{other} ({n})" for other, n in votes[attribute].most_common())
                    found[claim_id] = f"its siblings, of the same brand and model, disagree: {others}"
    return found
