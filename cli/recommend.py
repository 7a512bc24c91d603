"""`reaseq rank`, `recommend`, `explain`: a run's scores for users of the log, or after a history that is given."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from reaseq.cli.ranker import RunOption, scorer_of

if TYPE_CHECKING:
    from reaseq.ranker.scorer import Reason, Scorer

_SHOWN = 5
_TOGETHER = 256
"""Users whose histories are encoded at once."""
UserOption = Annotated[str | None, typer.Option("--user", "-u", help="The user's id in the behaviour log.")]
UsersFileOption = Annotated[
    Path | None, typer.Option("--users-file", help="A file with a user's id a line; - reads standard input.")
]
HistoryOption = Annotated[
    list[str] | None,
    typer.Option(
        "--history",
        metavar="PRODUCT",
        help="Instead of a user what somebody did who is not in the log, oldest first; may be given several times.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, an object a line for each user.")]


class _Line(NamedTuple):
    rank: int
    product: str
    score: float
    reason: Reason | None = None


def _in_order(lines: Iterable[tuple[Any, ...]]) -> list[_Line]:
    """Of products, the best first."""
    return [_Line(rank, *line) for rank, line in enumerate(lines, 1)]


def rank(
    user: UserOption = None,
    candidates: Annotated[
        Path | None,
        typer.Option(
            "--candidates",
            help="A file with a product a line, by its id, SKU or barcode; - reads standard input. Default: all.",
        ),
    ] = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many to print.")] = 20,
    users_file: UsersFileOption = None,
    history: HistoryOption = None,
    json_: JsonOption = False,
    run: RunOption = None,
) -> None:
    """Rank candidate products for a user by the scores of a trained run. Products that came later count too.

    Examples:

        reaseq rank --user 4711 --candidates ids.txt

        reaseq rank --users-file users.txt -k 50 --json

        reaseq rank --history FS-1001 --history OK-2001
    """
    with scorer_of(run) as (scorer, name):
        wanted = scorer.everything() if candidates is None else list(dict.fromkeys(_lines(candidates, "product")))
        known, unknown = scorer.found(wanted)
        told = _Telling(scorer, name, json_, several=users_file is not None, unknown=unknown)
        people = _people(user, users_file, history)
        for start in range(0, len(people), _TOGETHER):
            together = people[start : start + _TOGETHER]
            users = [one for one in together if one is not None]
            histories = scorer.histories(users) if users else scorer.sequences([scorer.session(history)])
            ranked = scorer.ranked(histories, known or wanted)  # which says so without any
            for one, events, lines in zip(together, histories.lengths.tolist(), ranked, strict=True):
                told.add(one, events, _in_order(lines[:k]))
        told.end()


def recommend(
    user: UserOption = None,
    k: Annotated[int, typer.Option("-k", min=1, help="How many products.")] = 10,
    new_only: Annotated[bool, typer.Option("--new-only", help="Leave out what is in the user's history.")] = False,
    users_file: UsersFileOption = None,
    history: HistoryOption = None,
    json_: JsonOption = False,
    run: RunOption = None,
) -> None:
    """Recommend products to a user, with the reason: which behaviours drove it, and what the products share.

    Examples:

        reaseq recommend --user 4711 -k 5

        reaseq recommend --history FS-1001 --history OK-2001 --new-only
    """
    with scorer_of(run) as (scorer, name):
        told = _Telling(scorer, name, json_, several=users_file is not None, why=True)
        for one in _people(user, users_file, history):
            events = _events(scorer, one, history)
            told.add(one, len(events), _in_order(scorer.recommend_after(events, k, new_only=new_only)))
        told.end()


def explain(
    products: Annotated[list[str], typer.Argument(metavar="PRODUCT...", help="By their ids, SKUs or barcodes.")],
    user: UserOption = None,
    history: HistoryOption = None,
    json_: JsonOption = False,
    run: RunOption = None,
) -> None:
    """Say why products score as they do for a user: the behaviours that drove it, and what the products share. The best
    come first; the rank is that among all products.

    Example: reaseq explain FS-1001 OK-2001 --user 4711
    """
    with scorer_of(run) as (scorer, name):
        told = _Telling(scorer, name, json_, several=False, why=True)
        for one in _people(user, None, history):
            events = _events(scorer, one, history)
            lines = [_Line(*line) for line in scorer.explain(events, list(map(scorer.product, products)))]
            told.add(one, len(events), lines)
        told.end()


def _people(user: str | None, users_file: Path | None, history: list[str] | None) -> list[str | None]:
    """Users of the log, or None: somebody with the history that is given."""
    from reaseq import ReaseqError
    from reaseq.knowledge_store.feeds.rows import identifier

    given = {"--user": user is not None, "--users-file": users_file is not None, "--history": bool(history)}
    if sum(given.values()) != 1:
        named = " and ".join(name for name, there in given.items() if there) or "none"
        raise ReaseqError(f"one of {', '.join(given)} says for whom; there is {named}", hint="--user USER")
    if history:
        return [None]
    if user is not None:
        return [identifier(user) or user]
    return list(dict.fromkeys(_lines(users_file or Path(), "user")))


def _events(scorer: Scorer, user: str | None, history: list[str] | None) -> list[dict[str, Any]]:
    """What that user did, or the history, with products' titles, which reasons name."""
    return scorer.session(history) if user is None else scorer.known_history(user)


def _lines(path: Path, what: str) -> Sequence[str]:
    """What a file names, a line each."""
    import sys

    from reaseq import ReaseqError
    from reaseq.knowledge_store.feeds.rows import identifier

    hint = f"give a text file with a {what} a line"
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReaseqError(f"{path}: {error}", hint=hint) from error
    if not (found := [identifier(line) for line in text.splitlines() if line.strip()]):
        raise ReaseqError(f"{path} names no {what}", hint=hint)
    return found


class _Telling:
    """Prints what came: JSON at once, a table at the end."""

    def __init__(
        self, scorer: Scorer, run: str, json_: bool, *, several: bool, why: bool = False, unknown: Sequence[str] = ()
    ) -> None:
        from rich.table import Table

        self._scorer, self._run, self._json = scorer, run, json_
        self._several, self._why, self._unknown = several, why, unknown
        self._cold: list[str | None] = []
        columns = (*(("user",) if several else ()), "rank", "product", "title", "score", *(("why",) if why else ()))
        self._table = Table(*columns)

    def add(self, user: str | None, events: int, lines: Sequence[_Line]) -> None:
        """events: how many the history has."""
        from rich.text import Text

        from reaseq.cli.progress import printable

        titles = self._scorer.titles([line.product for line in lines])
        if self._json:
            products = [
                {"rank": line.rank, "product_id": line.product, "title": titles[line.product], "score": line.score}
                | ({} if line.reason is None else {"reason": str(line.reason)})
                for line in lines
            ]
            told = {
                "run": self._run,
                "user_id": user,
                "history": self._scorer.looked_at(events),
                "products": products,
            }
            typer.echo(json.dumps(told | ({"unknown": list(self._unknown)} if self._unknown else {})))
            return
        if not events:
            self._cold.append(user)
        for line in lines:
            cells = [*([user or ""] if self._several else []), str(line.rank), line.product, titles[line.product]]
            cells += [f"{line.score:.3f}", *([str(line.reason)] if self._why else [])]
            self._table.add_row(*(Text(printable(cell)) for cell in cells))

    def end(self) -> None:
        from rich.console import Console
        from rich.text import Text

        from reaseq.cli.progress import printable

        if self._json:
            return
        console = Console(highlight=False, soft_wrap=not self._why)
        console.print(self._table)
        console.soft_wrap = True
        if self._unknown:
            listed = ", ".join(self._unknown[:_SHOWN]) + (", ..." if len(self._unknown) > _SHOWN else "")
            why = "are not in the catalogue, or the model knows nothing of them"
            told = f"{len(self._unknown):,} candidates {why}: {listed}"
            console.print(Text(printable(told), style="yellow"))
        if self._cold and not self._why:
            whom = ", ".join(repr(one) for one in self._cold[:_SHOWN])
            more = f" and {len(self._cold) - _SHOWN:,} more" if len(self._cold) > _SHOWN else ""
            kind = "user" if len(self._cold) == 1 else "users"
            stand = "candidates stand by how many training events have them."
            told = f"The log knows nothing of the {kind} {whom}{more}: {stand}"
            console.print(Text(printable(told), style="yellow"))
        if self._why and (left_out := int((~self._scorer.rankable).sum())):
            console.print(
                f"{left_out:,} products are left out: the model has neither seen them in the log nor knows what they "
                "are. Next: reaseq embed, then reaseq train-ranker"
            )
        console.print(f"By run {self._run}.")
