"""Run by Alembic: applies migrations over the engine it is handed."""

from alembic import context
from sqlmodel import SQLModel

from reaseq.knowledge_store import tables  # noqa: F401  (registers the tables)

engine = context.config.attributes["engine"]
with engine.begin() as connection:
    context.configure(connection=connection, target_metadata=SQLModel.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
