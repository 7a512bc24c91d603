"""Bases and rankers in other processes: a pickle holds where they are, and opens them anew on the other side."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from reaseq import ReaseqError

if TYPE_CHECKING:
    from reaseq.api.base import KnowledgeBase
    from reaseq.api.ranking import Ranker
    from reaseq.api.settings import Settings


def address(url: str) -> str:
    """The address of a store, from whatever folder it is opened.

    Raises:
        ReaseqError: it is in memory, where no other process finds it.
    """
    from sqlalchemy import make_url

    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ReaseqError("a store in memory is nowhere else", hint='reaseq.open("kb"), a folder, can be pickled')
        parsed = parsed.set(database=str(Path(parsed.database).absolute()))
    return parsed.render_as_string(hide_password=False)


def anywhere(settings: Settings) -> Settings:
    """The settings with whole paths."""
    paths = {name: path.absolute() for name, path in settings if isinstance(path, Path)}
    return settings.model_copy(update={**paths, "store": address(settings.store_url)})


@lru_cache(maxsize=4)
def ranker_again(url: str, folder: Path) -> Ranker:
    """The ranker of a pickle; kept, as pools of processes send it along with each task.

    Raises:
        ReaseqError: the store or the run is not there.
    """
    from reaseq.api.ranking import Ranker
    from reaseq.knowledge_store.store import Store

    _must_be_there(url)
    return Ranker(Store.open(url), folder)


def base_again(settings: Settings, pipeline: object) -> KnowledgeBase:
    """The base of a pickle.

    Raises:
        ReaseqError: the store is not there.
    """
    from reaseq.api.base import KnowledgeBase

    _must_be_there(settings.store_url)
    return KnowledgeBase(settings, pipeline)  # type: ignore[arg-type]


def _must_be_there(url: str) -> None:
    """Opening makes a store that is not there, and an empty one is none that somebody has pickled."""
    from reaseq.knowledge_store.store import Store

    if not Store.is_there(url):
        raise ReaseqError(
            f"the store of the pickle is not here: {url}", hint="reaseq.open(folder), where its folder is now"
        )
