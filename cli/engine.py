"""From settings to an engine that is up."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reaseq.cli.settings import Settings
    from reaseq.llm.endpoint import Endpoint, Price


def price_of(settings: Settings, model: str) -> Price | None:
    from reaseq.llm.endpoint import Price

    prices = settings.prices.get(model)
    return Price(prices.input, prices.output) if prices else None


@contextmanager
def start_engine(settings: Settings) -> Iterator[Endpoint]:
    from reaseq.llm.embedded import embedded
    from reaseq.llm.endpoint import Endpoint

    if settings.engine == "embedded":
        with embedded(settings.model, models_dir=settings.models_dir, concurrency=settings.calls_at_a_time) as e:
            yield e
    else:
        yield Endpoint(
            settings.base_url,
            settings.model or "fake",
            f"{settings.base_url} {settings.model}",
            api_key=os.environ.get(settings.api_key_env, "none"),
            logprobs=True,
            price=price_of(settings, settings.model or "fake"),
        )
