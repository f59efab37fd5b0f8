"""The migrations and the tables say the same, on every database; a store of another revision is refused."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from arsync import migrations
from arsync.errors import StoreUnusable
from arsync.store.engine import Store
from arsync.store.tables import metadata


def test_migrating_an_empty_store_gives_exactly_the_tables(store):
    with store.begin() as conn:
        context = MigrationContext.configure(conn, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_migrating_twice_changes_nothing(store):
    migrations.upgrade(store)
    assert store.revision() == migrations.HEAD


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        pytest.param(None, "has not been set up", id="an empty database is told to be set up"),
        pytest.param("0000", "an older arsync", id="an older store is told to be upgraded"),
        pytest.param("9999", "a newer arsync", id="a newer store is not touched"),
    ],
)
def test_a_store_of_another_revision_is_refused(tmp_path, revision, says):
    other = Store(f"sqlite:///{tmp_path}/a.db")
    if revision is not None:
        migrations.upgrade(other)
        with other.begin() as conn:
            conn.execute(text("update alembic_version set version_num = :r"), {"r": revision})
    with pytest.raises(StoreUnusable, match=says):
        migrations.check(other)
    other.close()


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("nonsense", id="not a URL"),
        pytest.param("oracle://x", id="a database we do not know"),
        pytest.param("sqlite:////nonexistent/folder/a.db", id="a folder that is not there"),
        pytest.param("postgresql+psycopg://nobody@127.0.0.1:1/x", id="a server that does not answer"),
    ],
)
def test_a_store_that_cannot_be_opened_says_so(url):
    with pytest.raises(StoreUnusable) as error:
        migrations.check(Store(url))
    assert error.value.do
