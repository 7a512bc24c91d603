"""`reaseq train-beyond-log`, `imagine`, `imagined show`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from reaseq.cli.ranker import KindOption, SettingOption
from reaseq.cli.tables import Column, ReportOption, Row, Telling, table_of

if TYPE_CHECKING:
    from reaseq.api.settings import Settings
    from reaseq.beyond_log.calibration import Calibration
    from reaseq.beyond_log.text import Writer
    from reaseq.knowledge_store.encoder import Encoder
    from reaseq.knowledge_store.store import Store

app = typer.Typer(no_args_is_help=True, help="What people plausibly do outside the log.")


def train_beyond_log(
    split: Annotated[
        str | None,
        typer.Option(
            "--split",
            help="The ranker's split: what it holds out is not learnt from.",
            show_default="as train-ranker",
        ),
    ] = None,
    kind: KindOption = None,
    folds: Annotated[
        int, typer.Option("--folds", min=2, help="Parts of the users: each is imagined by a model of the others.")
    ] = 2,
    epochs: Annotated[int | None, typer.Option("--epochs", min=0, help="At most this many.")] = None,
    setting: SettingOption = None,
) -> None:
    """Train the model that imagines: masked diffusion over semantic codes of the products' embeddings.

    It learns to infer whole categories and spans of time that are hidden from it. The same command goes on where it
    stopped, or finds everything done.

    Examples:

        reaseq train-beyond-log

        reaseq train-beyond-log --folds 4 --set dim=64 --set slots=16
    """
    from rich.console import Console

    from reaseq.api.settings import load
    from reaseq.beyond_log import fit
    from reaseq.cli.progress import EpochBar
    from reaseq.cli.ranker import pair, split_name
    from reaseq.graphs.beyond_log import train_beyond_log as train
    from reaseq.knowledge_store.store import Store

    settings = load()
    chosen = dict(pair(text) for text in setting or [])
    if epochs is not None:
        chosen["epochs"] = str(epochs)
    chosen.setdefault("seed", str(settings.seed))
    config = fit.BeyondLogConfig(folds=folds, kinds=tuple(kind) if kind else None)
    config = fit.with_settings(config, chosen, as_text=True)
    console = Console(stderr=True)
    with Store.open(settings.store_url) as store, EpochBar(console) as bar:
        folder, made = train(
            store,
            config,
            settings.beyond_log_dir,
            split=split_name(split),
            on_folder=lambda folder: console.print(f"Model {folder.name}: {folder}", highlight=False, soft_wrap=True),
            on_codes=lambda text: console.print(f"Codes: {text}", highlight=False, soft_wrap=True),
            on_start=bar.start,
            on_step=bar.step,
            on_epoch=bar.epoch,
        )
    out = Console()
    out.print(
        f"{len(made.denoisers)} models, split {made.meta['split']}: {folder / 'model.safetensors'}",
        highlight=False,
        soft_wrap=True,
    )
    out.print("Next: reaseq imagine", highlight=False)


def imagine(
    users: Annotated[str | None, typer.Option("--users", help="Only these users, by their ids: U1,U2.")] = None,
    slots: Annotated[int, typer.Option("--slots", min=1, help="Events to imagine together of a user.")] = 8,
    steps: Annotated[int, typer.Option("--steps", min=1, help="Passes of the model; more are finer and slower.")] = 8,
    temperature: Annotated[float, typer.Option("--temperature", min=0.01, help="Above 1 bolder, below 1 safer.")] = 1.0,
    guidance: Annotated[
        float, typer.Option("--guidance", min=0, help="How much more to heed the history (classifier-free guidance).")
    ] = 0.0,
    moments: Annotated[
        int,
        typer.Option("--moments", min=1, help="From how many points of a history; 1: now alone, of no use to rankers."),
    ] = 6,
    backend: Annotated[
        str, typer.Option("--backend", help="codes: the model of train-beyond-log; text: a diffusion language model.")
    ] = "codes",
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="text: the model's name, at the engine of the settings.")
    ] = None,
    weights: Annotated[
        str | None,
        typer.Option(
            "--weights", help="text: instead, a masked-diffusion model for transformers, by folder or hub id."
        ),
    ] = None,
    trust_remote_code: Annotated[
        bool, typer.Option("--trust-remote-code", help="Let the model of --weights run code that comes with it.")
    ] = False,
) -> None:
    """Imagine what users plausibly do outside the log, and keep it apart from what was logged.

    Each user is imagined by a model that never saw that user, from several moments of the history on, so that a ranker
    can learn from it. Users done before are left as they are; stop it any way and run it again.

    Examples:

        reaseq imagine --slots 8

        reaseq imagine --backend text --model mercury-2 --users 4711,4712 --moments 1
    """
    from rich.console import Console

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.beyond_log.sampler import SampleConfig
    from reaseq.cli.progress import StepBar
    from reaseq.graphs import beyond_log
    from reaseq.knowledge_store.store import Store

    if backend not in ("codes", "text"):
        raise ReaseqError(f"--backend {backend!r}: there are codes and text", hint="reaseq imagine --help")
    settings = load(model=model)
    console = Console()
    wanted = None if users is None else [user.strip() for user in users.split(",") if user.strip()]

    def calibrated(calibration: Calibration) -> None:
        console.print(calibration_text(calibration), highlight=False)

    with Store.open(settings.store_url) as store, StepBar(Console(stderr=True), "imagining, users") as bar:
        if backend == "codes":
            config = SampleConfig(
                slots=slots, steps=steps, temperature=temperature, guidance=guidance, seed=settings.seed
            )
            made = beyond_log.imagine(
                store,
                settings.beyond_log_dir,
                config,
                cuts=moments,
                users=wanted,
                on_calibration=calibrated,
                on_step=bar.step,
            )
        else:
            with _writer(store, settings, weights, steps, temperature, trust_remote_code=trust_remote_code) as writer:
                made = beyond_log.imagine_in_words(
                    store,
                    writer,
                    _encoder(store, settings),
                    slots=slots,
                    seed=settings.seed,
                    cuts=moments,
                    users=wanted,
                    on_calibration=calibrated,
                    on_step=bar.step,
                )
    nothing = f", {made.empty:,} without a usable answer (the same command tries them again)" if made.empty else ""
    console.print(
        f"{made.done - made.empty:,} users imagined, {len(made.users) - made.done:,} unchanged{nothing}",
        highlight=False,
    )
    console.print(
        f"Next: reaseq imagined show --user {made.users[0]}, or reaseq train-ranker", highlight=False, soft_wrap=True
    )


@contextmanager
def _writer(
    store: Store, settings: Settings, weights: str | None, steps: int, temperature: float, *, trust_remote_code: bool
) -> Iterator[Writer]:
    """What writes for the text backend: local weights, or the engine of the settings, whose calls are kept."""
    from reaseq.api.engine import prompts_of
    from reaseq.beyond_log.text import EndpointWriter, LocalWriter
    from reaseq.cli.engine import start_engine
    from reaseq.graphs.ledger import booked

    if weights is not None:
        yield LocalWriter.load(weights, trust_remote_code=trust_remote_code, steps=steps, temperature=temperature)
        return
    prompt = prompts_of(settings)["beyond_log"]
    with (
        start_engine(settings) as endpoint,
        booked(store, endpoint, command="imagine", engine=settings.engine) as ledger,
    ):
        writer = EndpointWriter(
            endpoint,
            ledger,
            prompt,
            concurrency=settings.calls_at_a_time,
            timeout=settings.seconds_a_call,
            retries=settings.retries,
            seed=settings.seed,
            temperature=settings.temperature,
        )
        try:
            yield writer
        finally:
            store.retire_calls(writer.retired)


def _encoder(store: Store, settings: Settings) -> Encoder:
    """The encoder of the newest embeddings."""
    from reaseq import ReaseqError
    from reaseq.knowledge_store import embeddings
    from reaseq.knowledge_store.encoder import Encoder
    from reaseq.llm import encoders

    space = embeddings.find_space(store)
    if space is None:
        raise ReaseqError("no product has an embedding yet", hint="reaseq embed")
    return Encoder(*encoders.resolve(settings.weights_dir, space.model))


def calibration_text(calibration: Calibration) -> str:
    """How far confidence can be trusted, in words."""
    if not calibration.events:
        return "Confidence is not calibrated: no user has enough events to hide some."
    return (
        f"Confidence: of {calibration.events:,} imagined events of which the answer was hidden {calibration.rate:.0%} "
        f"were of a kind that the user really had; what is said is off by {calibration.error:.1%} on average."
    )


@app.command("show")
def show(
    user: Annotated[str, typer.Option("--user", "-u", help="The user's id in the behaviour log.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="Only the last N events of the history.")] = 12,
    json_: ReportOption = False,
) -> None:
    """Show a user's history on the left, and what is imagined beyond it on the right: how sure, and near to what.

    Example: reaseq imagined show --user 4711
    """
    from rich.table import Table

    from reaseq import ReaseqError
    from reaseq.api.settings import load
    from reaseq.beyond_log.reasons import nearest
    from reaseq.cli.events import event_row, moment
    from reaseq.knowledge_store.events import history
    from reaseq.knowledge_store.imagined import find_imagination, imagined_of
    from reaseq.knowledge_store.store import Store

    with Store.open(load().store_url) as store:
        events = history(store, user)
        if not events:
            raise ReaseqError(f"no events of user {user!r}", hint="reaseq events users")
        imagination = find_imagination(store)
        found = [] if imagination is None else imagined_of(store, imagination, user)
        if imagination is None or not found:
            raise ReaseqError(f"nothing is imagined of user {user!r} yet", hint=f"reaseq imagine --users {user}")
        titles = {event["product_id"]: event["title"] for event in events}
        near = nearest(store, [one["product_id"] for one in found], list(titles))
        timed = store.clock() == "time"
    history_ = [event_row(event, timed) for event in events[-limit:]]
    imagined = [
        {
            **{name: one[name] for name in ("product_id", "title", "confidence")},
            "near": [vars(reason) | {"title": titles[reason.product_id]} for reason in reasons],
        }
        for one, reasons in zip(found, near, strict=True)
    ]
    both = Table.grid(padding=(0, 1))
    both.add_row(
        table_of(
            history_,
            [Column("when", lambda row: (row["time"] or f"{row['position']:g}")[:10]), Column("logged", "title")],
        ),
        table_of(
            imagined, [Column("sure", "confidence", ".0%"), Column("imagined", "title"), Column("near to", _near)]
        ),
    )
    say, fold, until = Telling(json_), found[0]["fold"], found[0]["until"]
    say.show(both)
    say.end(
        user_id=user,
        history=history_,
        imagined=imagined,
        until=moment(until, timed),
        backend=imagination.backend,
        model=imagination.model,
        fold=fold,
    )
    say.print(
        f"Imagined from what was logged until {when(until, timed)} by {imagination.backend} model {imagination.model}"
        + ("" if fold is None else f", which never saw part {fold} of the users, to which this one belongs.")
    )


def _near(row: Row) -> str:
    told = (one["title"] + (f" ({', '.join(one['shared'][:3])})" if one["shared"] else "") for one in row["near"])
    return "\n".join(told)


def when(at: float, timed: bool) -> str:
    from datetime import UTC, datetime

    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}" if timed else f"{at:g}"
