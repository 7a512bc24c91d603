"""The tables. Text is kept as received; what people decided is never overwritten.

Times are UTC. Fingerprints are the first 16 hex digits of a SHA-256.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from enum import StrEnum
from math import isfinite
from typing import Any

import orjson
from sqlalchemy import JSON, Boolean, Column, DateTime, Index, Text, false
from sqlmodel import Field, SQLModel


def now() -> datetime:
    return datetime.now(UTC)


CONTENT = ("category", "title", "description", "brand", "price", "currency", "attributes")
"""The columns of a product that a feed says something in."""
_TEXTS = {str}
_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False)


def fingerprint(product: Mapping[Any, Any]) -> str:
    """Of a product's content."""
    canonical = f"[{', '.join(_canonical(product[name]) for name in CONTENT)}]"
    return hashlib.sha256(canonical.encode()).hexdigest()[:16]


def _canonical(value: Any) -> str:
    """As the standard library writes it; texts are written the same by orjson, in a tenth of the time."""
    if value is None:
        return "null"
    if type(value) is str:
        return orjson.dumps(value).decode()
    if type(value) is float and isfinite(value):
        return repr(value)
    if type(value) is dict and set(map(type, value.values())) <= _TEXTS:
        cells = [f"{orjson.dumps(key).decode()}: {orjson.dumps(value[key]).decode()}" for key in sorted(value)]
        return f"{{{', '.join(cells)}}}"
    return _ENCODER.encode(value)


def _time(**kwargs: Any) -> Any:
    return Field(default_factory=now, sa_type=DateTime(timezone=True), **kwargs)


def _text(default: Any = ..., **kwargs: Any) -> Any:
    return Field(default=default, sa_type=Text, **kwargs)


class ClaimType(StrEnum):
    """How a claim is known: see `Claim`."""

    STATED = "stated"
    NORMALISED = "normalised"
    INFERRED = "inferred"
    DEMAND = "demand"


class ClaimStatus(StrEnum):
    """Where a claim stands. `approved` and `edited` are people's decisions, and so is `rejected` where `decided_by`
    names somebody: no run changes them. `retired`: its agent is switched off, and it is no longer in force."""

    PROPOSED = "proposed"
    VERIFIED = "verified"
    REJECTED = "rejected"
    APPROVED = "approved"
    EDITED = "edited"
    RETIRED = "retired"


LOCKED = (ClaimStatus.APPROVED, ClaimStatus.EDITED)


class CategoryBy(StrEnum):
    """Who put a product under its category. What a person decided no import changes; what the others did holds as long
    as the feed names no category."""

    NEAREST = "nearest"
    MODEL = "model"
    PERSON = "person"


class RunStatus(StrEnum):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"


class Import(SQLModel, table=True):
    """One reading of one feed file."""

    __tablename__ = "feed_import"

    id: int | None = Field(default=None, primary_key=True)
    source: str = _text()
    started_at: datetime = _time()
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Product(SQLModel, table=True):
    """One row of a catalogue, text as received."""

    __tablename__ = "product"
    __table_args__ = (Index("ix_product_order", "category", "created_at", "line", "id"),)

    id: str = _text(primary_key=True)
    category: str | None = _text(None)
    category_by: str | None = _text(None, description="Who put it there, if its feed did not: see `CategoryBy`.")
    title: str = _text()
    description: str = _text("")
    brand: str | None = _text(None)
    price: float | None = None
    currency: str | None = _text(None)
    attributes: dict[str, Any] = Field(
        default_factory=dict,
        sa_column=Column(JSON, nullable=False),
        description="The feed's other columns, raw.",
    )
    fingerprint: str = _text(description="Of everything above, as the feed has it.")
    price_of_variants: bool = Field(
        default=False,
        sa_column=Column(Boolean, nullable=False, server_default=false()),
        description="Does its feed say no price of it, so that it costs what its cheapest variant does?",
    )
    locale: str | None = _text(None, description="Of its texts, as its feed says (`de-AT`); None: it says none.")
    source: str = _text(description="The file it came from.")
    line: int = Field(description="Its line (or record number) in that file.")
    import_id: int = Field(description="The import that wrote or last saw it.", index=True)
    created_at: datetime = _time()
    updated_at: datetime = _time()


class Variant(SQLModel, table=True):
    """One of the things a product is sold as. A feed may bring it before its product, or without it."""

    __tablename__ = "variant"
    __table_args__ = (Index("ix_variant_id", "id"),)

    product_id: str = _text(primary_key=True)
    id: str = _text(primary_key=True)
    options: dict[str, str] = Field(
        sa_column=Column(JSON, nullable=False), description="What it may differ by, raw: size, colour."
    )
    attributes: dict[str, Any] = Field(
        default_factory=dict,
        sa_column=Column(JSON, nullable=False, server_default="{}"),
        description="What else its own cells say, raw.",
    )
    price: float | None = None
    line: int
    import_id: int = Field(description="The import that wrote or last saw it.", index=True)


class ProductName(SQLModel, table=True):
    """What else a product or a variant of it goes by, a SKU, a barcode: see `reaseq.knowledge_store.names`."""

    __tablename__ = "product_name"

    name: str = _text(primary_key=True)
    product_id: str = _text(primary_key=True, index=True)
    column: str = _text(description="The feed's column that says so.")
    import_id: int = Field(description="The import that first brought it.")
    variant_id: str | None = _text(None, description="The variant of the product that it is the name of, if of one.")


class CategorySchemaRow(SQLModel, table=True):
    """One version of a category's schema. The highest version is in force."""

    __tablename__ = "category_schema"
    __table_args__ = (Index("ix_category_schema_version", "category", "version", unique=True),)

    id: int | None = Field(default=None, primary_key=True)
    category: str = _text()
    version: int
    body: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    fingerprint: str = _text(description="Of the body.")
    derived_from: str = _text(description="Fingerprint of what it was made from: starter, prompt, model.")
    run_id: int | None = Field(default=None, foreign_key="run.id")
    created_at: datetime = _time()


class Run(SQLModel, table=True):
    """One run of a command that asks a model."""

    __tablename__ = "run"

    id: int | None = Field(default=None, primary_key=True)
    command: str = _text()
    category: str | None = _text(None)
    model: str = _text()
    engine: str = _text()
    settings: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    versions: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    status: str = _text(RunStatus.RUNNING)
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))
    started_at: datetime = _time()
    ended_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class Claim(SQLModel, table=True):
    """One value of one attribute of one product, with what it rests on.

    `stated`: a span of the source text. `normalised`: a span mapped to a closed value. `inferred`:
    world knowledge, with a reason. `demand`: a hypothesis about need. The span is
    `source[start:end] == quote`, counted in characters of the field as received.
    """

    __tablename__ = "claim"

    id: int | None = Field(default=None, primary_key=True)
    product_id: str = _text(foreign_key="product.id", index=True)
    attribute: str = _text()
    value: str = _text()
    facet: str = _text()
    claim_type: str = _text()
    field: str | None = _text(None, description="title, description, brand or attributes.NAME.")
    start: int | None = None
    end: int | None = None
    quote: str | None = _text(None)
    reason: str | None = _text(None, description="What the model said suggests it (inferred, demand).")
    confidence: float | None = Field(default=None, description="In [0, 1]; None where nothing measured it.")
    evidence: str | None = _text(None, description="The class of what it rests on: see `reaseq.taxonomy.evidence`.")
    verdict: str = _text("", description="Why it has its status, in words.")
    status: str = _text(ClaimStatus.PROPOSED, index=True)
    found_by: str = _text(description="model, lexicon, tagger, both (a model and one of these), person, or an agent.")
    decided_by: str | None = _text(None, description="Who approved, edited or rejected it; no run changes it then.")
    run_id: int | None = Field(default=None, foreign_key="run.id")
    model: str = _text("")
    prompt_fingerprint: str = _text("")
    schema_version: int | None = None
    created_at: datetime = _time()


class Decision(SQLModel, table=True):
    """What a person decided on a claim. Rows are only added: taking a decision back is a decision too."""

    __tablename__ = "decision"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _time()
    by: str = _text(description="Who.")
    action: str = _text(description="approve, edit, reject or withdraw.")
    product_id: str = _text(foreign_key="product.id", index=True)
    attribute: str = _text()
    value: str = _text(description="The claim's value before.")
    decided: str | None = _text(None, description="What it was edited to.")
    touched: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False), description="Claims changed, by id, each as it was; for taking it back."
    )
    added: int | None = Field(default=None, description="The claim that an edit added.")
    source: str | None = _text(None, description="The file it stands in, if it was not taken at a terminal.")
    withdrawn: bool = False


class Summary(SQLModel, table=True):
    """What a model wrote about a product, as far as claims and their evidence bear it out. It stands beside the summary
    that is composed from claims (`reaseq.knowledge_store.summaries`), and is not embedded."""

    __tablename__ = "summary"

    product_id: str = _text(primary_key=True, foreign_key="product.id")
    text: str = _text()
    run_id: int | None = Field(default=None, foreign_key="run.id")
    model: str = _text("")
    prompt_fingerprint: str = _text("")
    created_at: datetime = _time()


class Distillation(SQLModel, table=True):
    """What a product's knowledge was last made from. Equal parts mean nothing to do.

    `parts` names each thing the result depends on (product, schema, model, one entry a prompt, the
    code's version) with its fingerprint, so that a stale product can say why it is stale.
    """

    __tablename__ = "distillation"

    product_id: str = _text(primary_key=True, foreign_key="product.id")
    parts: dict[str, str] = Field(sa_column=Column(JSON, nullable=False))
    status: str = _text(description="done or failed")
    run_id: int | None = Field(default=None, foreign_key="run.id")
    finished_at: datetime = _time()


class Failure(SQLModel, table=True):
    """Why a product is not done, or not wholly. Gone once the product is done."""

    __tablename__ = "failure"

    id: int | None = Field(default=None, primary_key=True)
    product_id: str = _text(foreign_key="product.id", index=True)
    stage: str = _text(description="The agent that could not do it.")
    reason: str = _text()
    attempts: int
    run_id: int | None = Field(default=None, foreign_key="run.id", index=True)
    created_at: datetime = _time()


class LLMCall(SQLModel, table=True):
    """One reply of a model: the ledger of what was used and, for equal requests, the cache.

    A row is written as soon as the reply arrives, before anything is made of it. A killed run that
    is started again finds its replies here and repeats no request whose reply had come.
    """

    __tablename__ = "llm_call"
    __table_args__ = (Index("ix_llm_call_request", "request_key", "model_fingerprint"),)

    id: int | None = Field(default=None, primary_key=True)
    request_key: str = _text(description="SHA-256 of the canonical request.")
    model: str = _text()
    model_fingerprint: str = _text(description="Of the model's name, weights and settings.")
    agent: str = _text()
    prompt: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    product_id: str | None = _text(None)
    run_id: int | None = Field(default=None, foreign_key="run.id", index=True)
    reply: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    reusable: bool = Field(default=True, description="False once a product failed on it: the next try asks anew.")
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = Field(default=None, description="In the currency of the configured prices; None if unpriced.")
    seconds: float = 0.0
    created_at: datetime = _time()


class PromptVersion(SQLModel, table=True):
    """A prompt's text that something was made with: see `reaseq.knowledge_store.prompt_versions`."""

    __tablename__ = "prompt_version"

    fingerprint: str = _text(primary_key=True, description="Of all in the file that shapes a request.")
    agent: str = _text(primary_key=True)
    text: str = _text(description="The file.")
    name: str | None = _text(None, description="What people call it.")
    created_at: datetime = _time()


class PromptBinding(SQLModel, table=True):
    """Which version a bound prompt is of."""

    __tablename__ = "prompt_binding"

    bound: str = _text(primary_key=True, description="Fingerprint of the prompt with what all of a category share.")
    agent: str = _text(primary_key=True)
    version: str = _text()
    category: str | None = _text(None)


class EventImport(SQLModel, table=True):
    """One reading of one behaviour log."""

    __tablename__ = "event_import"

    id: int | None = Field(default=None, primary_key=True)
    source: str = _text()
    clock: str = _text(description="What `Event.at` counts in: time (Unix seconds) or position. One a store.")
    started_at: datetime = _time()
    counts: dict[str, Any] = Field(default_factory=dict, sa_column=Column(JSON, nullable=False))


class Event(SQLModel, table=True):
    """One logged behaviour. The key is the whole event, so that a log imported twice counts once.

    It is also the order in which a user's history is read, and the table is kept in that order. An item
    that was shown and not acted on is an event of the kind `impression`.
    """

    __tablename__ = "event"
    __table_args__ = {"sqlite_with_rowid": False}

    user_id: str = _text(primary_key=True)
    at: float = Field(primary_key=True, description="Unix seconds, or the position in the user's sequence.")
    product_id: str = _text(primary_key=True, foreign_key="product.id")
    kind: str = _text(primary_key=True, description="view, click, cart, purchase, impression, or the log's own word.")
    import_id: int = Field(description="The import that first brought it.", foreign_key="event_import.id")


class EmbeddingSpace(SQLModel, table=True):
    """What a set of vectors has in common: the encoder, and the whitening fitted on its vectors."""

    __tablename__ = "embedding_space"

    id: int | None = Field(default=None, primary_key=True)
    model: str = _text(description="Name of the sentence-transformers model.")
    fingerprint: str = _text(unique=True, description="Of the model's weights and settings.")
    dimensions: int
    whitening: bytes | None = Field(default=None, description="safetensors: mean [d] and matrix [d, d], float32.")
    fitted_on: int = Field(default=0, description="Number of products the whitening was fitted on.")
    created_at: datetime = _time()


class Embedding(SQLModel, table=True):
    """A product's knowledge embedding: of the summary that is composed from its claims, else of its title."""

    __tablename__ = "embedding"

    product_id: str = _text(primary_key=True, foreign_key="product.id")
    space_id: int = Field(primary_key=True, foreign_key="embedding_space.id")
    source: str = _text(description="claims or title.")
    text_fingerprint: str = _text(description="Of the text that was embedded.")
    vector: bytes = Field(description="float16, little-endian, of unit length, not whitened.")
    created_at: datetime = _time()


class Imagination(SQLModel, table=True):
    """One way of imagining: a model and its settings. The newest is the one that rankers use."""

    __tablename__ = "imagination"

    id: int | None = Field(default=None, primary_key=True)
    backend: str = _text(description="codes or text.")
    model: str = _text(description="The model's folder or name.")
    fingerprint: str = _text(unique=True, description="Of the model and the settings.")
    settings: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    calibration: dict[str, Any] = Field(sa_column=Column(JSON, nullable=False))
    created_at: datetime = _time()


class ImaginedEvent(SQLModel, table=True):
    """One behaviour that nobody logged: what a user may well do, from what was logged until then."""

    __tablename__ = "imagined_event"
    __table_args__ = {"sqlite_with_rowid": False}

    imagination_id: int = Field(primary_key=True, foreign_key="imagination.id")
    user_id: str = _text(primary_key=True)
    until: float = Field(primary_key=True, description="When the last event happened that it is inferred from.")
    slot: int = Field(primary_key=True)
    product_id: str = _text(foreign_key="product.id")
    confidence: float = Field(description="The calibrated chance that the user does such a thing.")
    log_confidence: float = Field(description="What the model itself says, uncalibrated.")
    fold: int | None = Field(default=None, description="The part of the users that the model never learnt from.")


class Audit(SQLModel, table=True):
    """A sample of verified claims, drawn to find out how many are right: see `reaseq.knowledge_store.audits`."""

    __tablename__ = "audit"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _time()
    by: str = _text(description="Who drew it.")
    category: str | None = _text(None, description="None: of all.")
    promise: float = Field(description="The share of verified claims that are to be right.")
    verified_from: float = Field(description="The confidence from which claims were verified when it was drawn.")
    strata: list[float] = Field(
        sa_column=Column(JSON, nullable=False), description="The confidence that each stratum begins with, ascending."
    )
    sizes: dict[str, Any] = Field(
        sa_column=Column(JSON, nullable=False),
        description="How many claims there were in each stratum: of all, by attribute, and by what found them.",
    )
    after: int = Field(description="The last decision before it; later ones judge what was drawn.")
    concluded_at: datetime | None = Field(default=None, sa_type=DateTime(timezone=True))


class AuditedClaim(SQLModel, table=True):
    """A claim that was drawn, as it was then. What people decide on it afterwards says whether it was right."""

    __tablename__ = "audited_claim"

    audit_id: int = Field(primary_key=True, foreign_key="audit.id")
    place: int = Field(primary_key=True, description="In the order in which it is shown, which is random.")
    stratum: int
    product_id: str = _text()
    attribute: str = _text()
    value: str = _text()
    confidence: float | None = None
    found_by: str = _text()
    right: bool | None = Field(default=None, description="As it was judged when the audit was concluded.")


class Threshold(SQLModel, table=True):
    """The confidence from which a category's claims are verified, where it was moved. The newest holds; none is ever
    changed."""

    __tablename__ = "threshold"

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = _time()
    by: str = _text(description="Who moved it, or concluded the audit that did.")
    category: str | None = _text(None, description="None: of all.")
    verified_from: float
    audit_id: int | None = Field(default=None, foreign_key="audit.id")
