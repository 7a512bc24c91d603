"""The one `Store`: everything that reads or writes the database goes through it.

SQLite by default, PostgreSQL by URL, one code path. The product is the unit of commit: its claims,
summary and failures land in one transaction. A model's reply is committed by itself, as soon as it
comes, so that a killed run never asks twice.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import orjson
from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    Text,
    and_,
    bindparam,
    case,
    create_engine,
    delete,
    event,
    func,
    insert,
    inspect,
    make_url,
    or_,
    select,
    tuple_,
    type_coerce,
    update,
)
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlmodel import SQLModel

from reaseq import ReaseqError
from reaseq.knowledge_store import tables as t
from reaseq.taxonomy.evidence import Evidence
from reaseq.taxonomy.schema import CategorySchema

_PART = 500
HEAD = "0015"
"""The newest migration. A store that is there already needs no Alembic to open, and neither does a new one."""
_VERSION = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))


class StoreError(ReaseqError):
    """The database cannot be opened, read or written."""


def _table(model: Any) -> Table:
    table: Table = model.__table__
    return table


IMPORT, PRODUCT, CLAIM, SUMMARY, RUN, FAILURE, CALL, DISTILLATION, SCHEMA = map(
    _table,
    (t.Import, t.Product, t.Claim, t.Summary, t.Run, t.Failure, t.LLMCall, t.Distillation, t.CategorySchemaRow),
)
EVENT, EVENT_IMPORT, SPACE, EMBEDDING = map(_table, (t.Event, t.EventImport, t.EmbeddingSpace, t.Embedding))
IMAGINATION, IMAGINED, VARIANT, DECISION = map(_table, (t.Imagination, t.ImaginedEvent, t.Variant, t.Decision))
PRODUCT_NAME = _table(t.ProductName)
PROMPT_VERSION, PROMPT_BINDING = map(_table, (t.PromptVersion, t.PromptBinding))
AUDIT, AUDITED, THRESHOLD = map(_table, (t.Audit, t.AuditedClaim, t.Threshold))
# The statements of a product's way through a run are built once: building costs more than running them.
_FIND_CALL = (
    select(CALL.c.id, CALL.c.reply)
    .where(
        CALL.c.request_key == bindparam("key"),
        CALL.c.model_fingerprint == bindparam("model"),
        CALL.c.reusable.is_(True),
    )
    .order_by(CALL.c.id.desc())
    .limit(1)
)
_ADD_CALL = insert(CALL)
_STATE = select(
    select(func.max(IMPORT.c.id)).scalar_subquery(),
    select(type_coerce(IMPORT.c.counts, Text)).order_by(IMPORT.c.id.desc()).limit(1).scalar_subquery(),
    select(func.max(RUN.c.id)).scalar_subquery(),
    select(func.count(RUN.c.ended_at)).scalar_subquery(),
    select(func.max(DECISION.c.id)).scalar_subquery(),
    select(func.max(SPACE.c.created_at)).scalar_subquery(),
)
_UNDECIDED = and_(CLAIM.c.product_id == bindparam("product"), CLAIM.c.decided_by.is_(None))
_DROP_CLAIMS = delete(CLAIM).where(_UNDECIDED, CLAIM.c.status != t.ClaimStatus.RETIRED)
_DROP_RETIRED = delete(CLAIM).where(
    _UNDECIDED, CLAIM.c.status == t.ClaimStatus.RETIRED, CLAIM.c.found_by == bindparam("agent")
)
TAUGHT = "taught"
"""Of a distillation's parts, that which says which model read the product as a teacher."""
_READ_BY = case(
    (DISTILLATION.c.parts[TAUGHT].as_string().is_not(None), "teacher"),
    (DISTILLATION.c.parts["model"].as_string().is_(None), "code"),
    else_="model",
)
"""Who has read a product: code alone, a model, or one as a teacher."""
SOUND = CLAIM.c.status.in_((t.ClaimStatus.VERIFIED, *t.LOCKED))


def _sound(only_decided: bool, least: float) -> list[ColumnElement[bool]]:
    decided = CLAIM.c.status.in_(t.LOCKED)
    if only_decided:
        return [decided]
    return [or_(decided, and_(SOUND, CLAIM.c.confidence >= least)) if least > 0 else SOUND]


_DECIDED = select(CLAIM).where(CLAIM.c.product_id == bindparam("product"), CLAIM.c.decided_by.is_not(None))
_ADD_CLAIMS = insert(CLAIM)
_DROP_SUMMARY = delete(SUMMARY).where(SUMMARY.c.product_id == bindparam("product"))
_DROP_STATE = [delete(table).where(table.c.product_id == bindparam("product")) for table in (FAILURE, DISTILLATION)]
_ADD_SUMMARY, _ADD_FAILURES, _ADD_DISTILLATION = insert(SUMMARY), insert(FAILURE), insert(DISTILLATION)


@dataclass(frozen=True)
class StoredSchema:
    """A version of a category's schema."""

    version: int
    schema: CategorySchema
    derived_from: str


@dataclass
class ProductKnowledge:
    """What one product's distillation found, ready to be committed.

    `claims` and `failures` hold column values of `Claim` and `Failure` without ids. Claims are None where
    nothing was found out: what was known before then stays. `retired_calls` are the replies a failure
    rests on: the next try must not be given them again. `several` are the attributes that may have several values.
    `kept`: agents of one's own that failed, whose earlier claims stay; `agents`: of these, all that were asked.
    Retired claims of others stay in sight.
    """

    product_id: str
    parts: dict[str, str]
    claims: list[dict[str, Any]] | None = None
    prose: dict[str, Any] | None = None
    failures: list[dict[str, Any]] = field(default_factory=list)
    retired_calls: list[int] = field(default_factory=list)
    several: Collection[str] = ()
    kept: Collection[str] = ()
    agents: Collection[str] = ()

    @property
    def done(self) -> bool:
        return not self.failures


_Claim = TypeVar("_Claim", bound=Mapping[str, Any])


def undecided(claims: Sequence[_Claim], decided: Sequence[Mapping[str, Any]], several: Collection[str]) -> list[_Claim]:
    """Of a run's `claims` on a product, those that people have not decided already.

    A value that somebody approved, edited or rejected is settled; so is every value of an attribute that takes one,
    once somebody has settled on one.
    """
    values = {(claim["attribute"], claim["value"].casefold()) for claim in decided}
    settled = {claim["attribute"] for claim in decided if claim["status"] in t.LOCKED} - set(several)
    return [
        claim
        for claim in claims
        if claim["attribute"] not in settled and (claim["attribute"], claim["value"].casefold()) not in values
    ]


def fact(name: str, value: str) -> str:
    """What is known of a product, in a single word."""
    return f"{name}={value}"


def own_facts(product: Mapping[Any, Any]) -> list[str]:
    """Those that its feed says of a product, of which no claim does."""
    return [fact(name, product[name]) for name in ("brand", "category") if product[name]]


class Store:
    """Open with `Store.open(url)`; close when done (it is a context manager too)."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, url: str) -> "Store":
        """Open the database at `url`, creating and migrating it as needed.

        Raises:
            StoreError: the URL is wrong, the database cannot be reached, or a newer reaseq wrote it.
        """
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(parsed, json_serializer=_as_json)
        except (ArgumentError, ImportError, OSError, ValueError) as error:
            raise StoreError(f"cannot open the store {url!r}: {error}", hint="reaseq config") from error
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _sqlite_connected)
        store = cls(engine)
        with store._errors():
            store._migrate()
        return store

    @staticmethod
    def is_there(url: str) -> bool:
        """False of a file that opening would make."""
        parsed = make_url(url)
        return parsed.get_backend_name() != "sqlite" or Path(parsed.database or "").exists()

    def close(self) -> None:
        self.engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def state(self) -> tuple[Any, ...]:
        """Of products, their names and what is known of them: another one after each import, embedding, decision and
        run. Cheap enough for every request."""
        with self.reading() as connection:
            return tuple(connection.execute(_STATE).one())

    # Products

    def count_products(self, category: str | None = None) -> int:
        query = select(func.count()).select_from(PRODUCT)
        if category is not None:
            query = query.where(PRODUCT.c.category == category)
        with self.reading() as connection:
            return connection.execute(query).scalar_one()

    def categories(self) -> dict[str | None, int]:
        """Every category with its number of products."""
        query = select(PRODUCT.c.category, func.count()).group_by(PRODUCT.c.category)
        with self.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def titles(self, *, most: int = 50) -> dict[str, list[str]]:
        """Titles of every category's products, of the first `most` of each that nobody's guess put there."""
        place = func.row_number().over(
            partition_by=PRODUCT.c.category, order_by=(PRODUCT.c.created_at, PRODUCT.c.line, PRODUCT.c.id)
        )
        guessed = PRODUCT.c.category_by.in_((t.CategoryBy.NEAREST, t.CategoryBy.MODEL))
        known = PRODUCT.c.category.is_not(None) & (PRODUCT.c.category_by.is_(None) | ~guessed)
        numbered = select(PRODUCT.c.category, PRODUCT.c.title, place.label("place")).where(known).subquery()
        query = (
            select(numbered.c.category, numbered.c.title)
            .where(numbered.c.place <= most)
            .order_by(numbered.c.category, numbered.c.place)
        )
        found: dict[str, list[str]] = {}
        with self.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.category, []).append(row.title)
        return found

    def misplaced(self, known: Collection[str]) -> dict[str, int]:
        """The categories beyond these that feeds have named, with their products; the largest first."""
        query = (
            select(PRODUCT.c.category, func.count().label("products"))
            .where(PRODUCT.c.category.not_in(known), PRODUCT.c.category_by.is_(None))
            .group_by(PRODUCT.c.category)
            .order_by(func.count().desc(), PRODUCT.c.category)
        )
        with self.reading() as connection:
            return {row.category: row.products for row in connection.execute(query)}

    def categorise(self, categories: Mapping[str, str], *, by: t.CategoryBy) -> None:
        """Put products, by id, under categories."""
        rows = [{"key": product_id, "under": category} for product_id, category in categories.items()]
        if rows:
            with self.writing() as connection:
                connection.execute(
                    update(PRODUCT)
                    .where(PRODUCT.c.id == bindparam("key"))
                    .values(category=bindparam("under"), category_by=by),
                    rows,
                )

    def by_need(self, category: str, limit: int | None = None) -> list[str]:
        """The ids of the category's first `limit` products, those first whose claims are least settled and that are
        busiest: (1 + events) x proposed claims."""
        first = select(PRODUCT.c.id).where(PRODUCT.c.category == category)
        first = first.order_by(PRODUCT.c.created_at, PRODUCT.c.line, PRODUCT.c.id).limit(limit)
        mine = PRODUCT.c.id.in_(first)
        traffic = select(EVENT.c.product_id, func.count().label("events")).group_by(EVENT.c.product_id).subquery()
        proposed = CLAIM.c.status == t.ClaimStatus.PROPOSED
        unsettled = (
            select(CLAIM.c.product_id, func.count().label("claims")).where(proposed).group_by(CLAIM.c.product_id)
        ).subquery()
        events, claims = func.coalesce(traffic.c.events, 0), func.coalesce(unsettled.c.claims, 0)
        query = (
            select(PRODUCT.c.id)
            .outerjoin(traffic, traffic.c.product_id == PRODUCT.c.id)
            .outerjoin(unsettled, unsettled.c.product_id == PRODUCT.c.id)
            .where(mine)
            .order_by(((1 + events) * claims).desc(), events.desc(), PRODUCT.c.created_at, PRODUCT.c.line, PRODUCT.c.id)
        )
        with self.reading() as connection:
            return list(connection.execute(query).scalars())

    def unsettled(self, category: str) -> dict[str, int]:
        """The ids of a category's products, with how many of their claims are proposed."""
        proposed = and_(CLAIM.c.product_id == PRODUCT.c.id, CLAIM.c.status == t.ClaimStatus.PROPOSED)
        query = select(PRODUCT.c.id, func.count(CLAIM.c.id)).outerjoin(CLAIM, proposed).group_by(PRODUCT.c.id)
        with self.reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query.where(PRODUCT.c.category == category))}

    def products_of(
        self, product_ids: Sequence[str], *, batch: int = 500
    ) -> Iterator[tuple[dict[str, Any], dict[str, str] | None, str | None]]:
        """The same as `products`, of these ids and in their order."""
        query = select(PRODUCT, DISTILLATION.c.parts, DISTILLATION.c.status.label("distilled")).outerjoin(
            DISTILLATION, DISTILLATION.c.product_id == PRODUCT.c.id
        )
        for start in range(0, len(product_ids), batch):
            wanted = product_ids[start : start + batch]
            with self.reading() as connection:
                rows = {row.id: row for row in connection.execute(query.where(PRODUCT.c.id.in_(wanted)))}
            variants = self.variants(wanted)
            for product_id in wanted:
                if (row := rows.get(product_id)) is not None:
                    product = {column.name: row._mapping[column] for column in PRODUCT.c}
                    yield product | {"variants": variants.get(product_id, [])}, row.parts, row.distilled

    def taught_ids(self, category: str) -> list[str]:
        """The products of a category that a teacher has read, in order."""
        by_teacher = select(DISTILLATION.c.product_id).where(DISTILLATION.c.parts[TAUGHT].as_string().is_not(None))
        by_teacher = by_teacher.where(DISTILLATION.c.status == "done")
        mine = select(PRODUCT.c.id).where(PRODUCT.c.category == category, PRODUCT.c.id.in_(by_teacher))
        with self.reading() as connection:
            return sorted(connection.execute(mine).scalars())

    def taught(self, category: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        """The same, each with its claims."""
        for product, _, _ in self.products_of(self.taught_ids(category)):
            yield product, self.knowledge(product["id"])[0]

    def teachers(self, category: str) -> set[str]:
        """Fingerprints of the models that have taught something of a category."""
        teacher = DISTILLATION.c.parts[TAUGHT].as_string()
        query = select(teacher).distinct().join(PRODUCT, PRODUCT.c.id == DISTILLATION.c.product_id)
        with self.reading() as connection:
            rows = connection.execute(query.where(PRODUCT.c.category == category, teacher.is_not(None)))
            return {str(one) for one in rows.scalars()}

    def levels(self, category: str | None) -> Counter[tuple[str, str]]:
        """How many products were read by code alone, by a model and by a teacher, each with how it ended: ("code",
        "done")."""
        read_by = _READ_BY.label("read_by")
        query = (
            select(read_by, DISTILLATION.c.status, func.count())
            .join(PRODUCT, PRODUCT.c.id == DISTILLATION.c.product_id)
            .where(PRODUCT.c.category == category)
            .group_by(read_by, DISTILLATION.c.status)
        )
        with self.reading() as connection:
            return Counter({(level, status): count for level, status, count in connection.execute(query)})

    def products(
        self, category: str | None, *, batch: int = 500
    ) -> Iterator[tuple[dict[str, Any], dict[str, str] | None, str | None]]:
        """The category's products in the order they were imported, each with its `variants`, and the parts and status
        of its distillation; None: those without a category.

        Read in batches, each a query of its own: nothing is held open between them, and memory does
        not grow with the catalogue.
        """
        order = (PRODUCT.c.created_at, PRODUCT.c.line, PRODUCT.c.id)
        query = (
            select(PRODUCT, DISTILLATION.c.parts, DISTILLATION.c.status.label("distilled"))
            .outerjoin(DISTILLATION, DISTILLATION.c.product_id == PRODUCT.c.id)
            .where(PRODUCT.c.category == category)
            .order_by(*order)
            .limit(batch)
        )
        after: tuple[Any, ...] | None = None
        while True:
            page = query if after is None else query.where(tuple_(*order) > tuple_(*after))
            with self.reading() as connection:
                rows = connection.execute(page).all()
            variants = self.variants([row.id for row in rows])
            for row in rows:
                product = {column.name: row._mapping[column] for column in PRODUCT.c}
                yield product | {"variants": variants.get(row.id, [])}, row.parts, row.distilled
            if len(rows) < batch:
                return
            after = tuple(rows[-1]._mapping[column] for column in order)

    def product_ids(self) -> list[str]:
        """The ids of all products, in their order."""
        with self.reading() as connection:
            return list(connection.execute(select(PRODUCT.c.id).order_by(PRODUCT.c.id)).scalars())

    def has_variants(self) -> bool:
        with self.reading() as connection:
            return connection.execute(select(VARIANT.c.id).limit(1)).first() is not None

    def count_unpriced(self, product_ids: Collection[str]) -> int:
        """How many of these products have no price."""
        ids, count = sorted(product_ids), 0
        with self.reading() as connection:
            for start in range(0, len(ids), _PART):
                some = PRODUCT.c.id.in_(ids[start : start + _PART]), PRODUCT.c.price.is_(None)
                count += connection.execute(select(func.count()).select_from(PRODUCT).where(*some)).scalar_one()
        return count

    def variants(self, product_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """What each of some hundred products is sold as, in the feed's order; no entry for those without variants."""
        query = select(VARIANT).where(VARIANT.c.product_id.in_(product_ids)).order_by(VARIANT.c.line, VARIANT.c.id)
        found: dict[str, list[dict[str, Any]]] = {}
        with self.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.product_id, []).append(dict(row._mapping))
        return found

    def facts(self, product_ids: Collection[str] | None = None, *, batch: int = 500) -> dict[str, list[str]]:
        """What is known of products in single words, as `attribute=value`: brand, category, claims that hold.

        Of all products, or of some. A product of which nothing is known is left out.
        """
        own = select(PRODUCT.c.id, PRODUCT.c.brand, PRODUCT.c.category)
        claims = select(CLAIM.c.product_id, CLAIM.c.attribute, CLAIM.c.value).where(SOUND).order_by(CLAIM.c.id)
        facts: dict[str, list[str]] = {}
        ids = None if product_ids is None else sorted(product_ids)
        pieces = [None] if ids is None else [ids[start : start + batch] for start in range(0, len(ids), batch)]
        with self.reading() as connection:
            for piece in pieces:
                mine = own if piece is None else own.where(PRODUCT.c.id.in_(piece))
                for row in connection.execute(mine):
                    if kept := own_facts(row._mapping):
                        facts[row.id] = kept
                theirs = claims if piece is None else claims.where(CLAIM.c.product_id.in_(piece))
                for row in connection.execute(theirs):
                    facts.setdefault(row.product_id, []).append(fact(row.attribute, row.value))
        return facts

    def clock(self) -> str | None:
        """What the events' `at` counts in: time or position; None without events."""
        with self.reading() as connection:
            return connection.execute(select(EVENT_IMPORT.c.clock).limit(1)).scalar()

    def product(self, product_id: str) -> dict[str, Any] | None:
        """The product with its `variants`; None if there is none of this id."""
        with self.reading() as connection:
            row = connection.execute(select(PRODUCT).where(PRODUCT.c.id == product_id)).first()
        return dict(row._mapping) | {"variants": self.variants([product_id]).get(product_id, [])} if row else None

    # Category schemas

    def latest_schema(self, category: str) -> StoredSchema | None:
        query = select(SCHEMA).where(SCHEMA.c.category == category).order_by(SCHEMA.c.version.desc()).limit(1)
        with self.reading() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        return StoredSchema(row.version, CategorySchema.model_validate(row.body), row.derived_from)

    def save_schema(self, schema: CategorySchema, *, derived_from: str, run_id: int) -> StoredSchema:
        """Keep a new version of a category's schema. An unchanged body keeps its version."""
        latest = self.latest_schema(schema.category)
        with self.writing() as connection:
            if latest is not None and latest.schema.fingerprint == schema.fingerprint:
                connection.execute(
                    update(SCHEMA)
                    .where(SCHEMA.c.category == schema.category, SCHEMA.c.version == latest.version)
                    .values(derived_from=derived_from)
                )
                return StoredSchema(latest.version, schema, derived_from)
            version = (latest.version if latest else 0) + 1
            connection.execute(
                insert(SCHEMA),
                {
                    "category": schema.category,
                    "version": version,
                    "body": schema.model_dump(mode="json"),
                    "fingerprint": schema.fingerprint,
                    "derived_from": derived_from,
                    "run_id": run_id,
                    "created_at": t.now(),
                },
            )
        return StoredSchema(version, schema, derived_from)

    # Runs

    def start_run(self, **columns: Any) -> int:
        with self.writing() as connection:
            result = connection.execute(
                insert(RUN).values(status=t.RunStatus.RUNNING, counts={}, started_at=t.now(), **columns)
            )
            return int(result.inserted_primary_key[0])  # type: ignore[index]

    def end_run(self, run_id: int, status: t.RunStatus, counts: Mapping[str, Any]) -> None:
        with self.writing() as connection:
            connection.execute(
                update(RUN).where(RUN.c.id == run_id).values(status=status, counts=dict(counts), ended_at=t.now())
            )

    # Model calls

    def find_call(self, request_key: str, model_fingerprint: str) -> tuple[int, dict[str, Any]] | None:
        """The newest reusable reply to an equal request by an equal model."""
        with self.reading() as connection:
            row = connection.execute(_FIND_CALL, {"key": request_key, "model": model_fingerprint}).first()
        return (row.id, row.reply) if row else None

    def add_call(self, **columns: Any) -> int:
        with self.writing() as connection:
            result = connection.execute(_ADD_CALL, columns | {"reusable": True, "created_at": t.now()})
            return int(result.inserted_primary_key[0])  # type: ignore[index]

    def retire_calls(self, call_ids: Collection[int]) -> None:
        """Replies that could not be used: an equal request asks anew."""
        with self.writing() as connection:
            connection.execute(update(CALL).where(CALL.c.id.in_(call_ids)).values(reusable=False))

    def replies(self, *, batch: int = 1000) -> Iterator[dict[str, Any]]:
        """Every reusable reply with its request's key, agent, and the engine it came from; newest last."""
        query = (
            select(CALL.c.request_key, CALL.c.agent, CALL.c.reply, RUN.c.engine)
            .join(RUN, RUN.c.id == CALL.c.run_id)
            .where(CALL.c.reusable.is_(True))
            .order_by(CALL.c.id)
        )
        with self.reading() as connection:
            for row in connection.execution_options(yield_per=batch).execute(query):
                yield dict(row._mapping)

    def usage(self, run_id: int | None = None) -> list[dict[str, Any]]:
        """Calls, tokens, seconds and cost by agent and model; of one run, or of all."""
        query = (
            select(
                CALL.c.agent,
                CALL.c.model,
                func.count().label("calls"),
                func.sum(CALL.c.prompt_tokens).label("prompt_tokens"),
                func.sum(CALL.c.completion_tokens).label("completion_tokens"),
                func.sum(CALL.c.seconds).label("seconds"),
                func.sum(CALL.c.cost).label("cost"),
            )
            .group_by(CALL.c.agent, CALL.c.model)
            .order_by(CALL.c.model, CALL.c.agent)
        )
        if run_id is not None:
            query = query.where(CALL.c.run_id == run_id)
        with self.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    # Knowledge

    def save_knowledge(self, *several: ProductKnowledge, run_id: int) -> None:
        """Replace what is known of products, all in one transaction. People's decisions stay.

        A claim that somebody decided is kept, and no new claim reopens it (see `undecided`). New claims
        replace the old claims and the old prose, even if no new prose came of them: what is stored
        comes from one set of inputs. Without new claims only the failure is noted.
        """
        now = t.now()
        claims, prose, failures, done = [], [], [], []
        with self.writing() as connection:
            renewed = [{"product": one.product_id} for one in several if one.claims is not None]
            if renewed:
                kept = {name for one in several for name in one.kept}
                connection.execute(_DROP_CLAIMS.where(CLAIM.c.found_by.not_in(kept)) if kept else _DROP_CLAIMS, renewed)
                again = [{"product": one.product_id, "agent": name} for one in several for name in one.agents]
                if again:
                    connection.execute(_DROP_RETIRED, again)
                connection.execute(_DROP_SUMMARY, renewed)
            decided = self._decided_of(connection, [one.product_id for one in several])
            for one in several:
                stamp = {"product_id": one.product_id, "run_id": run_id, "created_at": now}
                if one.claims is not None:
                    mine = undecided(one.claims, decided.get(one.product_id, []), one.several)
                    claims += [claim | stamp for claim in mine]
                    prose += [one.prose | stamp] if one.prose is not None else []
                failures += [failure | stamp for failure in one.failures]
                done.append(
                    {
                        "product_id": one.product_id,
                        "parts": one.parts,
                        "status": "done" if one.done else "failed",
                        "run_id": run_id,
                        "finished_at": now,
                    }
                )
            for drop in _DROP_STATE:
                connection.execute(drop, [{"product": one.product_id} for one in several])
            for statement, rows in ((_ADD_CLAIMS, claims), (_ADD_SUMMARY, prose), (_ADD_FAILURES, failures)):
                if rows:
                    connection.execute(statement, rows)
            if retired := [call for one in several for call in one.retired_calls]:
                connection.execute(update(CALL).where(CALL.c.id.in_(retired)).values(reusable=False))
            if done:
                connection.execute(_ADD_DISTILLATION, done)

    def decided(self, product_id: str) -> list[dict[str, Any]]:
        """The claims on a product that somebody approved, edited or rejected."""
        with self.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(_DECIDED, {"product": product_id})]

    def decided_of(self, product_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        """The same of some hundred products, by product; no entry for those on which nobody decided."""
        with self.reading() as connection:
            return self._decided_of(connection, product_ids)

    @staticmethod
    def _decided_of(connection: Connection, product_ids: Sequence[str]) -> dict[str, list[dict[str, Any]]]:
        query = select(CLAIM).where(CLAIM.c.product_id.in_(product_ids), CLAIM.c.decided_by.is_not(None))
        found: dict[str, list[dict[str, Any]]] = {}
        for row in connection.execute(query.order_by(CLAIM.c.id)):
            found.setdefault(row.product_id, []).append(dict(row._mapping))
        return found

    def knowledge(self, product_id: str) -> tuple[list[dict[str, Any]], dict[str, Any] | None, list[dict[str, Any]]]:
        """A product's claims (by attribute), what a model wrote about it, and failures."""
        with self.reading() as connection:
            claims = connection.execute(
                select(CLAIM).where(CLAIM.c.product_id == product_id).order_by(CLAIM.c.facet.desc(), CLAIM.c.id)
            ).all()
            prose = connection.execute(select(SUMMARY).where(SUMMARY.c.product_id == product_id)).first()
            failures = connection.execute(select(FAILURE).where(FAILURE.c.product_id == product_id)).all()
        return (
            [dict(row._mapping) for row in claims],
            dict(prose._mapping) if prose else None,
            [dict(row._mapping) for row in failures],
        )

    def distilled(
        self, *, category: str | None = None, limit: int | None = None, batch: int = 500
    ) -> Iterator[dict[str, Any]]:
        """Products that were distilled, newest last, each with `status`, who has read it (`read_by`: code, model or
        teacher), a model's `prose` and numbers of claims."""
        verified = CLAIM.c.status.in_((t.ClaimStatus.VERIFIED, *t.LOCKED))
        counts = (
            select(
                CLAIM.c.product_id,
                func.sum(case((verified, 1), else_=0)).label("verified"),
                func.sum(case((CLAIM.c.status == t.ClaimStatus.REJECTED, 1), else_=0)).label("rejected"),
                func.sum(case((CLAIM.c.status == t.ClaimStatus.PROPOSED, 1), else_=0)).label("proposed"),
            )
            .group_by(CLAIM.c.product_id)
            .subquery()
        )
        query = (
            select(
                PRODUCT,
                DISTILLATION.c.status,
                DISTILLATION.c.finished_at,
                _READ_BY.label("read_by"),
                SUMMARY.c.text.label("prose"),
                func.coalesce(counts.c.verified, 0).label("verified"),
                func.coalesce(counts.c.rejected, 0).label("rejected"),
                func.coalesce(counts.c.proposed, 0).label("proposed"),
            )
            .join(DISTILLATION, DISTILLATION.c.product_id == PRODUCT.c.id)
            .outerjoin(SUMMARY, SUMMARY.c.product_id == PRODUCT.c.id)
            .outerjoin(counts, counts.c.product_id == PRODUCT.c.id)
            .order_by(PRODUCT.c.created_at, PRODUCT.c.line, PRODUCT.c.id)
        )
        if category is not None:
            query = query.where(PRODUCT.c.category == category)
        if limit is not None:
            query = query.limit(limit)
        with self.reading() as connection:
            for row in connection.execution_options(yield_per=batch).execute(query):
                yield dict(row._mapping)

    def claims(self, *, category: str | None = None, batch: int = 1000) -> Iterator[dict[str, Any]]:
        """Every claim with its product's title, in the products' order."""
        query = (
            select(CLAIM, PRODUCT.c.title, PRODUCT.c.category, _READ_BY.label("read_by"))
            .join(PRODUCT, PRODUCT.c.id == CLAIM.c.product_id)
            .outerjoin(DISTILLATION, DISTILLATION.c.product_id == PRODUCT.c.id)
            .order_by(CLAIM.c.product_id, CLAIM.c.id)
        )
        if category is not None:
            query = query.where(PRODUCT.c.category == category)
        with self.reading() as connection:
            for row in connection.execution_options(yield_per=batch).execute(query):
                yield dict(row._mapping)

    def has_claims(self, product_id: str) -> bool:
        """Did a run find something on this product?"""
        found = select(CLAIM.c.id).where(CLAIM.c.product_id == product_id, CLAIM.c.decided_by.is_(None)).limit(1)
        with self.reading() as connection:
            return connection.execute(found).first() is not None

    def known_attributes(self, *, only_decided: bool = False, least: float = 0.0) -> list[str]:
        """The attributes of which such claims hold of any product: see `sound_claims`."""
        query = select(CLAIM.c.attribute).where(*_sound(only_decided, least)).distinct().order_by(CLAIM.c.attribute)
        with self.reading() as connection:
            return list(connection.execute(query).scalars())

    def sound_claims(
        self, product_ids: Collection[str], *, only_decided: bool = False, least: float = 0.0
    ) -> dict[str, dict[str, list[dict[str, Any]]]]:
        """The claims that hold, verified or decided by people, by product and attribute: with `only_decided` the
        latter, of the first those whose confidence is at `least` that. Each with what it `replaced`, if somebody edited
        it: the values before it, the last first."""
        query = select(CLAIM).where(CLAIM.c.product_id.in_(product_ids), *_sound(only_decided, least))
        edits = select(DECISION.c.added, DECISION.c.value, DECISION.c.touched).where(
            DECISION.c.product_id.in_(product_ids), DECISION.c.added.is_not(None), DECISION.c.withdrawn.is_(False)
        )
        found: dict[str, dict[str, list[dict[str, Any]]]] = {}
        with self.reading() as connection:
            before: dict[int, list[str]] = {}
            for edit in connection.execute(edits.order_by(DECISION.c.id)):
                # Of the claims that the edit touched, one may have been added by an edit before.
                earlier = [old for touched in edit.touched for old in before.get(int(touched), ())]
                before[edit.added] = [edit.value, *earlier]
            for row in connection.execute(query.order_by(CLAIM.c.id)):
                mine = found.setdefault(row.product_id, {})
                mine.setdefault(row.attribute, []).append(dict(row._mapping) | {"replaced": before.get(row.id, ())})
        return found

    def texts(self, product_ids: Collection[str]) -> dict[str, dict[str, Any]]:
        """What claims rest on, of some hundred products, by id: title, description, brand, and other columns raw."""
        columns = (PRODUCT.c.title, PRODUCT.c.description, PRODUCT.c.brand, PRODUCT.c.attributes)
        with self.reading() as connection:
            rows = connection.execute(select(PRODUCT.c.id, *columns).where(PRODUCT.c.id.in_(product_ids)))
            found = {row.id: dict(row._mapping) for row in rows}
        variants = self.variants(list(found))
        return {key: product | {"variants": variants.get(key, [])} for key, product in found.items()}

    def summed_up(self, product_ids: Collection[str]) -> dict[str, list[dict[str, Any]]]:
        """The claims that summaries are composed of, by product: those that hold, and what texts deny."""
        query = (
            select(CLAIM)
            .where(CLAIM.c.product_id.in_(product_ids), or_(SOUND, CLAIM.c.evidence == Evidence.DENIED))
            .order_by(CLAIM.c.id)
        )
        found: dict[str, list[dict[str, Any]]] = {}
        with self.reading() as connection:
            for row in connection.execute(query):
                found.setdefault(row.product_id, []).append(dict(row._mapping))
        return found

    def failures(self, run_id: int | None = None) -> list[dict[str, Any]]:
        query = select(FAILURE, PRODUCT.c.title).join(PRODUCT, PRODUCT.c.id == FAILURE.c.product_id)
        if run_id is not None:
            query = query.where(FAILURE.c.run_id == run_id)
        with self.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(query.order_by(FAILURE.c.id))]

    def attribute_counts(self, category: str | None = None, *, run_id: int | None = None) -> list[dict[str, Any]]:
        """Claims by category, attribute and status; of one run, or of all."""
        query = (
            select(PRODUCT.c.category, CLAIM.c.facet, CLAIM.c.attribute, CLAIM.c.status, func.count().label("claims"))
            .join(PRODUCT, PRODUCT.c.id == CLAIM.c.product_id)
            .group_by(PRODUCT.c.category, CLAIM.c.facet, CLAIM.c.attribute, CLAIM.c.status)
            .order_by(PRODUCT.c.category, CLAIM.c.facet.desc(), CLAIM.c.attribute)
        )
        if category is not None:
            query = query.where(PRODUCT.c.category == category)
        if run_id is not None:
            query = query.where(CLAIM.c.run_id == run_id)
        with self.reading() as connection:
            return [dict(row._mapping) for row in connection.execute(query)]

    # Below

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self._errors(), self.engine.connect() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """One transaction; a database's errors become `StoreError`."""
        with self._errors(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except SQLAlchemyError as error:
            reason = str(error.orig) if isinstance(error, DBAPIError) and error.orig else str(error)
            where = self.engine.url.render_as_string(hide_password=True)
            hint = "free some space, and run the same command: it goes on" if "full" in reason else "reaseq config"
            raise StoreError(f"store {where}: {reason}", hint=hint) from error

    def _migrate(self) -> None:
        version = self._version()
        if version == HEAD or (version is None and self._made_anew()):
            return
        from reaseq.knowledge_store.migrations import upgrade

        upgrade(self.engine)

    def _made_anew(self) -> bool:
        """Make all tables of an empty database, in a fraction of the time of all migrations, and wholly or not at all;
        False where it holds some.
        https://alembic.sqlalchemy.org/en/latest/cookbook.html#building-an-up-to-date-database-from-scratch"""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                connection.exec_driver_sql("BEGIN IMMEDIATE")  # its driver begins nothing before tables are made
            if inspect(connection).get_table_names():
                return False
            SQLModel.metadata.create_all(connection)
            _VERSION.create(connection)
            connection.execute(_VERSION.insert().values(version_num=HEAD))
            connection.commit()
        return True

    def _version(self) -> str | None:
        with self.engine.connect() as connection:
            if not self.engine.dialect.has_table(connection, "alembic_version"):
                return None
            return connection.exec_driver_sql("select version_num from alembic_version").scalar()


def among(connection: Connection, column: ColumnElement[Any], values: Collection[str]) -> ColumnElement[bool]:
    """Is the column one of these texts? To SQLite they go as one parameter: of many, making the statement would take
    longer than finding the rows."""
    if connection.dialect.name != "sqlite":
        return column.in_(values)
    return column.in_(select(func.json_each(_as_json(list(values))).table_valued("value").c.value))


def insert_all(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Rows that all have the same columns, among them every one with a default, into a table. For SQLite their values
    are made ready here, a column's type asked once."""
    if connection.dialect.name != "sqlite" or not rows:
        connection.execute(insert(table), rows)
        return
    names = [column.name for column in table.c if column.name in rows[0]]  # in the statement's order
    statement = str(insert(table).compile(dialect=connection.dialect, column_keys=names))
    ready = [table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect) for name in names]
    columns = [
        [row[name] for row in rows] if make is None else [make(row[name]) for row in rows]
        for name, make in zip(names, ready, strict=True)
    ]
    connection.exec_driver_sql(statement, list(zip(*columns, strict=True)))


def _as_json(value: Any) -> str:
    """orjson takes a fraction of the time, and refuses what is rare: numbers of more than 64 bits."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value)


def _sqlite_connected(connection: Any, _: object) -> None:
    # WAL lets readers go on while a run writes, and survives a kill at any moment; NORMAL risks only
    # the last transactions of a power cut, never the file. https://www.sqlite.org/wal.html
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
