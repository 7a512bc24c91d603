"""Schema migrations (Alembic). They run by themselves when a store is opened."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Engine

from reaseq import ReaseqError


def config(engine: Engine) -> Config:
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    made.attributes["engine"] = engine
    return made


def head() -> str | None:
    """The newest migration on disk."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    return ScriptDirectory.from_config(made).get_current_head()


def upgrade(engine: Engine) -> None:
    """Bring the database to the newest version.

    Raises:
        ReaseqError: it was written by a newer reaseq.
    """
    try:
        command.upgrade(config(engine), "head")
    except CommandError as error:
        raise ReaseqError(
            f"the store was written by a newer reaseq: {error}", hint="upgrade reaseq, or use another store"
        ) from error
