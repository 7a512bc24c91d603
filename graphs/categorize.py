"""Products without a category are put under one: by meaning where that is sure, else by the kind that a model names.

What no category knows stays where it is; its kind, as the model named it, says which category is missing.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from reaseq.agents.categorizer import Categorizer
from reaseq.agents.product_text import plain, source_fields
from reaseq.graphs.product_graph import with_repairs
from reaseq.graphs.workers import FAILURES_IN_A_ROW, all_or_first_error
from reaseq.knowledge_store.store import Store
from reaseq.knowledge_store.tables import CategoryBy
from reaseq.llm.chat import Chat, EndpointFailed, ReplyError
from reaseq.llm.slots import share
from reaseq.taxonomy.nearest import Categories

_BATCH = 256


@dataclass(frozen=True)
class Unsure:
    """A product whose title does not settle its category, with the categories nearest to it."""

    product: dict[str, Any]
    among: tuple[str, ...]


@dataclass
class Placed:
    """What became of the products so far: how many were put under each category, and by what; the kinds, as the model
    named them, of those that no category knows; and for how many there was no usable reply."""

    total: int
    nearest: Counter[str] = field(default_factory=Counter)
    model: Counter[str] = field(default_factory=Counter)
    unknown: Counter[str] = field(default_factory=Counter)
    failed: int = 0

    @property
    def seen(self) -> int:
        return self.nearest.total() + self.model.total() + self.unknown.total() + self.failed


def by_meaning(
    store: Store,
    categories: Categories,
    placed: Placed,
    *,
    under: Sequence[str | None] = (None,),
    limit: int | None = None,
    dry_run: bool = False,
) -> Iterator[Unsure]:
    """Put the products whose title settles it under their category; the others are what this yields. under: where they
    are now."""
    # Listed before the first is moved: what is under a category is read a page at a time.
    ids = [product["id"] for name in under for product, _, _ in store.products(name) if product["category_by"] is None]
    products = filter(None, map(store.product, islice(ids, limit)))
    while batch := list(islice(products, _BATCH)):
        near = categories.nearest([plain(product["title"]) for product in batch])
        sure = {product["id"]: one.categories[0] for product, one in zip(batch, near, strict=True) if one.sure}
        if not dry_run:
            store.categorise(sure, by=CategoryBy.NEAREST)
        placed.nearest.update(sure.values())
        for product, one in zip(batch, near, strict=True):
            if not one.sure:
                yield Unsure(product, one.categories)


async def by_model(
    store: Store,
    chat: Chat,
    categorizer: Categorizer,
    categories: Categories,
    unsure: Iterator[Unsure],
    placed: Placed,
    *,
    concurrency: int,
    repairs: int,
    on_product: Callable[[int, int], None] = lambda seen, total: None,
) -> None:
    """Ask a model what each product is, and put it under the category that knows such a kind. Each product is stored as
    soon as its reply is there: stop it any way and start it again.

    Raises:
        EndpointRefused: the endpoint refuses every request.
        EndpointFailed: ten products in a row failed because the endpoint did.
        BudgetExceeded: a limit was reached.
    """
    failed_in_a_row = 0

    async def work() -> None:
        nonlocal failed_in_a_row
        for one in unsure:
            try:
                kind = await _kind(chat, categorizer, one.product, repairs)
                failed_in_a_row = 0
            except EndpointFailed as error:
                kind = None
                failed_in_a_row += 1
                if failed_in_a_row >= FAILURES_IN_A_ROW:
                    raise EndpointFailed(
                        f"{failed_in_a_row} products in a row failed because {chat.endpoint.base_url} did: {error}",
                        hint="see that the endpoint is up, and run the same command: it goes on",
                    ) from error
            category = categories.of_kind(kind, one.among) if kind else None
            if kind is None:
                placed.failed += 1
            elif category is None:
                placed.unknown[kind.casefold()] += 1
            else:
                store.categorise({one.product["id"]: category}, by=CategoryBy.MODEL)
                placed.model[category] += 1
            on_product(placed.seen, placed.total)

    await asyncio.to_thread(share, chat.endpoint, [categorizer.prompt.messages])
    await all_or_first_error([asyncio.create_task(work()) for _ in range(concurrency)])


async def _kind(chat: Chat, categorizer: Categorizer, product: dict[str, Any], repairs: int) -> str | None:
    """The product's kind; None if no reply could be used."""
    try:
        return await with_repairs(
            lambda repair: categorizer.kind(chat, source_fields(product), product_id=product["id"], repair=repair),
            repairs,
        )
    except ReplyError:
        return None
