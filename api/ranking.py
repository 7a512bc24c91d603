"""A trained ranker from Python: scores for users, recommendations with reasons."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from reaseq import ReaseqError
from reaseq.api import checking
from reaseq.api.errors import in_python
from reaseq.api.frames import Frame

if TYPE_CHECKING:
    import pyarrow as pa

    from reaseq.knowledge_store.log import Sequences
    from reaseq.knowledge_store.store import Store
    from reaseq.ranker.experiment import Outcome
    from reaseq.ranker.own import OwnRanker
    from reaseq.ranker.runs import Reopened
    from reaseq.ranker.scorer import Scorer
    from reaseq.ranker.toolkits import Layout

_BATCH = 256
"""Users whose histories are encoded together."""
_AHEAD = 2
"""Groups of users that are read while another is scored."""


class Recommendation(NamedTuple):
    """A product, its score (a logit: only differences mean something), and why."""

    product_id: str
    score: float
    reason: str


class Ranker:
    """The model of a finished run: all features, the first seed. `run` is the run's id. It scores the catalogue as the
    store has it at each call. A pickle of it holds no model but where the run and the store are (the store's password,
    if it has one, too), and opens them anew: in processes of joblib or multiprocessing, say."""

    def __init__(self, store: Store, folder: Path) -> None:
        """folder: of the run.

        Raises:
            ReaseqError: there is no model in it, or it is broken.
        """
        self.run = folder.name
        self.folder = folder
        self._store = store
        self._kept: tuple[Any, Scorer] | None = None
        _ = self._scorer

    @property
    def _scorer(self) -> Scorer:
        """The model over the products, names and knowledge of the store, read anew when these have changed."""
        from reaseq.ranker import runs
        from reaseq.ranker.scorer import Scorer

        state, kept = self._store.state(), self._kept
        if kept is None or kept[0] != state:
            self._kept = kept = state, Scorer.open(runs.model_folder(self.folder), self._store)
        return kept[1]

    @in_python
    def rank(
        self,
        users: str | int | Sequence[str | int] | None = None,
        candidates: str | Sequence[str] | Mapping[str, Sequence[str]] | None = None,
        *,
        history: Any = None,
    ) -> Frame:
        """Candidates by their scores, best first: columns user_id, rank (from 1), product_id, score, history.

        candidates: the same for all users, or of each by their id; None: all products that the model knows anything of.
        history is how many of the user's events the model looked at: 0 of a user whom the log does not know, for whom
        products stand by how many training events have them. Candidates may be SKUs, barcodes or other names, too:
        product_id is the product's own. One that is not in the catalogue, that is a name of several, or of which the
        model knows nothing, has neither rank nor score.

        history: instead of users what somebody did who is not in the log, as for `recommend`; user_id is null then.

        Raises:
            ReaseqError: there are neither users nor a history, or both; these or the candidates are no ids, or a user
                has none in a dictionary.
        """
        import pyarrow as pa

        scorer = self._scorer
        if users is None or history is not None:
            if isinstance(candidates, Mapping):
                raise ReaseqError("candidates by user, and no users: give a list", hint="ranker.rank(users, {...})")
            wanted = None if candidates is None else checking.ids(candidates, "product")
            events = scorer.sequences([_events(scorer, users, history, "rank")])
            return Frame(_ranked(scorer, _Group([None], events, *scorer.found(_all_of(scorer, wanted)))))
        people = checking.some_ids(users, "users to rank for")
        if isinstance(candidates, Mapping):
            candidates = {checking.one_id(user): checking.ids(mine, "product") for user, mine in candidates.items()}
            if missing := [user for user in people if user not in candidates]:
                raise ReaseqError(
                    f"no candidates for the users {', '.join(missing[:5])}", hint="candidates={user: [...], other: []}"
                )
        elif candidates is not None:
            candidates = checking.ids(candidates, "product")
        return Frame(pa.concat_tables(_tables(scorer, _alike(scorer, people, candidates))))

    @in_python
    def recommend(
        self, user: str | int | None = None, k: int = 10, *, history: Any = None, new_only: bool = False
    ) -> list[Recommendation]:
        """The k best products for a user, each with its reason; new_only leaves out what the user had. For a user of
        whom the log knows nothing they are those that most training events have.

        history: instead of a user what somebody did who is not in the log, oldest first: products by any name, pairs
        of a product and when, or dictionaries or rows of a data frame with product_id, and at and kind where they are
        known. Times are seconds since 1970, datetimes of any library, or whatever a log may hold; without them events
        are taken to be a minute apart.

        Raises:
            ReaseqError: k is no number of products; there is neither a user nor a history, or both are given; a product
                of the history is not in the catalogue, or a time is none.
        """
        k, new_only, scorer = checking.whole(k, "k"), checking.flag(new_only, "new_only"), self._scorer
        events = _events(scorer, user, history, "recommend")
        return [
            Recommendation(product, score, str(reason))
            for product, score, reason in scorer.recommend_after(events, k, new_only=new_only)
        ]

    @in_python
    def explain(
        self, user: str | int | None = None, products: str | Sequence[str] | None = None, *, history: Any = None
    ) -> list[Recommendation]:
        """Why these products, by any name, score as they do for a user, or after a history (as for `recommend`), the
        best first: the behaviours without which the score would fall most, and what those products have in common with
        them.

        Raises:
            ReaseqError: there is neither a user nor a history, or both are given; no products are given, one is not in
                the catalogue, or the model knows nothing of it; the log holds no events of the user, or the history is
                empty; a time of the history is none.
        """
        scorer = self._scorer
        if products is None:
            raise ReaseqError("which products are to be explained?", hint='ranker.explain(user, ["FS-1001"])')
        wanted = [scorer.product(one) for one in checking.ids(products, "product")]
        events = _events(scorer, user, history, "explain")
        if user is not None and not events:
            raise ReaseqError(f"no events of user {checking.one_id(user)!r}", hint="kb.users()")
        return [
            Recommendation(product, score, str(reason)) for _, product, score, reason in scorer.explain(events, wanted)
        ]

    @property
    def name(self) -> str | None:
        """The name that somebody gave the run, if any."""
        from reaseq.ranker.run_names import name_of

        return name_of(self.folder)

    @property
    def products(self) -> list[str]:
        """Ids of the products that the run ranks, in the order in which rankers of one's own score them: those of the
        catalogue when this, `training_events` or `judge` was first asked for."""
        return list(self._opened.prepared.dataset.log.items)

    def training_events(self) -> Frame:
        """What the run was trained on, and a ranker that is judged beside it may learn from: columns user_id,
        product_id and at, by user, then time."""
        import numpy as np
        import pyarrow as pa

        log, train = self._opened.prepared.dataset.log, self._opened.prepared.data.split.train
        owners = np.repeat(np.arange(len(train)), train.lengths)
        users, items = pa.array(log.users, pa.string()), pa.array(log.items, pa.string())
        columns = {"user_id": users.take(pa.array(owners)), "product_id": items.take(pa.array(train.items))}
        return Frame(pa.table({**columns, "at": pa.array(train.at, pa.float64())}))

    @in_python
    def judge(self, own: OwnRanker | Mapping[str, OwnRanker]) -> Outcome:
        """Rankers of one's own in the run's table: on its cases, beside its models, controls and baselines.

        own: a function, or several by name, of histories (lists of product ids, oldest first) that gives scores
        [histories, products] of all `products`, in their order.

        Raises:
            ReaseqError: one is no function, or gives anything but a finite real number for each history and product;
                a name is that of another line.
        """
        from reaseq.ranker.own import of_function

        products = self.products
        if not isinstance(own, Mapping):
            own = {getattr(own, "__name__", type(own).__name__): own}
        if taken := {row.name for row in self.metrics().rows} & own.keys():
            raise ReaseqError(
                f"the table has lines of these names already: {', '.join(sorted(taken))}",
                hint='ranker.judge({"mine": function})',
            )
        return self._opened.judge({name: of_function(name, one, products) for name, one in own.items()})

    @cached_property
    def _opened(self) -> Reopened:
        from reaseq.ranker import runs

        return runs.reopen(self._store, self.folder)

    @in_python
    def export_split(self, folder: str | Path, layout: Layout = "parquet") -> dict[str, int]:
        """Write the split that the run is judged on, its cases and vectors, into a folder, for rankers of other
        toolkits: "recbole" for its atomic files, "parquet" or "csv" for tables. Returns rows by file; docs/ranker.md
        says what is in them.

        Raises:
            ReaseqError: there is no such layout, or a file cannot be written.
        """
        from typing import get_args

        from reaseq.ranker import toolkits

        if layout not in (known := get_args(toolkits.Layout)):
            raise ReaseqError(f"no such layout: {layout!r}", hint=f"one of {', '.join(known)}")
        return toolkits.export_split(self._store, self.folder, checking.path(folder, "folder"), layout)

    @in_python
    def to_onnx(self, path: str | Path) -> list[Path]:
        """Write the model to `path` (.onnx), for servers without reaseq: histories (numbers of products and times,
        [histories, events]) in, vectors of users out. Beside it `<path>.npz` holds ids and vectors of the products, and
        `<path>.json` says what everything means. Returns the three files.

        Raises:
            ReaseqError: the extra `onnx` is not installed, the ending is another, or a file cannot be written.
        """
        from reaseq.ranker.export import export

        return export(self._scorer, checking.path(path, "file"), self.run)

    def metrics(self) -> Outcome:
        """What the run measured, its baselines and controls beside it."""
        from reaseq.ranker.experiment import Outcome

        return Outcome.from_json((self.folder / "metrics.json").read_text())

    def __reduce__(self) -> tuple[Any, ...]:
        from reaseq.api.pickling import address, ranker_again

        url = self._store.engine.url.render_as_string(hide_password=False)
        return ranker_again, (address(url), self.folder.absolute())

    def __repr__(self) -> str:
        named = f" ({self.name})" if self.name else ""
        rankable = f"{int(self._scorer.rankable.sum()):,} of {len(self._scorer.products):,} products"
        return f"<Ranker {self.run}{named}: {rankable}>"


def _events(scorer: Scorer, user: Any, history: Any, call: str) -> list[dict[str, Any]]:
    """A user's, or those of a history that is given. call: which method asks."""
    if (user is None) == (history is None):
        given = "Neither a user nor a history is given" if user is None else "A user and a history are given"
        products = ", products=[...]" if call == "explain" else ""
        hint = f"ranker.{call}(user{products}), or ranker.{call}(history=[...]{products})"
        raise ReaseqError(f"for whom? {given}, and it must be one of them", hint=hint)
    return scorer.session(history) if history is not None else scorer.known_history(checking.one_id(user))


class _Group(NamedTuple):
    """Users with the same candidates; None: one whom the log does not know. unknown: candidates that are not scored."""

    users: list[str | None]
    histories: Sequences
    candidates: Sequence[str]
    unknown: Sequence[str]


def _alike(
    scorer: Scorer, users: Sequence[str], candidates: Sequence[str] | Mapping[str, Sequence[str]] | None
) -> Iterator[_Group]:
    import numpy as np

    shared = None if isinstance(candidates, Mapping) else scorer.found(_all_of(scorer, candidates))
    for start in range(0, len(users), _BATCH):
        batch = list(users[start : start + _BATCH])
        histories = scorer.histories(batch)
        if shared is not None:
            yield _Group([*batch], histories, *shared)
        elif isinstance(candidates, Mapping):
            for index, user in enumerate(batch):
                mine = histories.select(np.array([index]))
                yield _Group([user], mine, *scorer.found(candidates[user]))


def _all_of(scorer: Scorer, candidates: Sequence[str] | None) -> Sequence[str]:
    """Candidates, by default all products that the model knows anything of."""
    return scorer.everything() if candidates is None else candidates


def _tables(scorer: Scorer, groups: Iterator[_Group]) -> list[pa.Table]:
    """The rows of each group. Scoring has a thread of its own, which leaves this one to read the next histories; not
    the other way round, as a store in memory belongs to the thread that opened it."""
    from concurrent.futures import Future, ThreadPoolExecutor

    tables: list[pa.Table] = []
    ahead: deque[Future[pa.Table]] = deque()
    with ThreadPoolExecutor(1) as pool:
        for group in groups:
            ahead.append(pool.submit(_ranked, scorer, group))
            if len(ahead) > _AHEAD:
                tables.append(ahead.popleft().result())
        tables += [one.result() for one in ahead]
    return tables


def _ranked(scorer: Scorer, group: _Group) -> pa.Table:
    """The rows of a group: see `Ranker.rank`."""
    import numpy as np
    import pyarrow as pa
    import torch

    known, unknown = group.candidates, group.unknown
    items = torch.tensor([scorer.number[one] for one in known], dtype=torch.int64)
    scores, order = scorer.score_many(group.histories, items).sort(dim=1, descending=True, stable=True)
    people, width = len(group.users), len(known) + len(unknown)
    nothing = np.full((people, len(unknown)), np.nan)
    ranks = np.tile(np.r_[np.arange(1, len(known) + 1), np.zeros(len(unknown), int)], people)
    products = np.c_[order.numpy(), np.tile(np.arange(len(known), width), (people, 1))].reshape(-1)
    values = np.c_[scores.numpy(), nothing].reshape(-1)
    owners = np.repeat(np.arange(people), width)
    seen = np.array([scorer.looked_at(events) for events in group.histories.lengths.tolist()])
    no_rank = np.tile(np.arange(width) >= len(known), people)
    names = pa.array([*known, *unknown], pa.string())
    return pa.table(
        {
            "user_id": pa.array(group.users, pa.string()).take(pa.array(owners)),
            "rank": pa.array(ranks, pa.int64(), mask=no_rank),
            "product_id": names.take(pa.array(products)),
            "score": pa.array(values, pa.float64(), mask=no_rank),
            "history": pa.array(seen[owners], pa.int64()),
        }
    )
