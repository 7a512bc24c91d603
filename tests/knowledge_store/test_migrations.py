"""New stores, and those that an older reaseq made."""

import subprocess
import sys
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine
from sqlmodel import SQLModel

from reaseq.knowledge_store import migrations
from reaseq.knowledge_store.store import HEAD, Store


def test_a_new_store_is_as_migrations_make_it(store: Store, tmp_path: Path) -> None:
    assert migrations.head() == HEAD
    url = f"sqlite:///{tmp_path / 'migrated.sqlite'}"
    migrated = create_engine(url)
    migrations.upgrade(migrated)
    names = []
    for engine in (store.engine, migrated):
        with engine.connect() as connection:
            context = MigrationContext.configure(connection)
            assert compare_metadata(context, SQLModel.metadata) == [], "the tables and the migrations differ"
            assert context.get_current_revision() == HEAD
            names.append(set(connection.exec_driver_sql("select type, name from sqlite_master").all()))
    assert names[0] == names[1]
    migrated.dispose()
    with Store.open(url) as opened:
        assert opened.product_ids() == []


def test_a_store_of_an_older_version_is_migrated(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'old.sqlite'}"
    old = create_engine(url)
    command.upgrade(migrations.config(old), "0003")
    with old.begin() as connection:
        connection.exec_driver_sql(
            "insert into product (id, title, description, attributes, fingerprint, source, line, import_id, "
            "created_at, updated_at) values ('a', 'Boot', '', '{}', '', 'f', 1, 1, '2025-01-01', '2025-01-01')"
        )
    old.dispose()
    with Store.open(url) as opened:
        found = opened.product("a")
        assert found is not None
        assert found["title"] == "Boot"


def test_two_open_a_new_store_at_once(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    code = "import sys; from reaseq.knowledge_store.store import Store; Store.open(sys.argv[1]).close()"
    both = [subprocess.Popen([sys.executable, "-c", code, url]) for _ in range(4)]
    assert [one.wait() for one in both] == [0] * 4
