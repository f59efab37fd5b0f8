"""Raw records: any bytes come back as they were, also those that stores of before hold."""

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arsync.errors import Broken
from arsync.store import bulk, raw
from arsync.store.engine import Store
from arsync.store.tables import raw as table


@given(st.lists(st.binary(max_size=5000)))
def test_what_was_packed_is_unpacked_to_the_same_bytes(bodies: list[bytes]):
    assert [raw.unpacked(one) for one in raw.packed(bodies)] == bodies


def test_a_record_kept_as_zlib_by_an_older_version_is_still_read(store: Store):
    body = b'{"Id":"7","CustomerRef":{"name":"O\'Brien \\\\ Sons\' & Co"}}'
    key = raw.sha(body)
    with store.begin() as conn:
        bulk.insert(conn, table, ("sha", "body"), [(key, zlib.compress(body, 1))])
    with store.read() as conn:
        assert raw.get(conn, key) == body


def test_a_record_is_kept_once_and_a_missing_one_is_an_error(store: Store):
    with store.begin() as conn:
        keys = raw.keep(conn, [b"one", b"two", b"one", b""])
    with store.read() as conn:
        assert raw.get_many(conn, keys) == {keys[0]: b"one", keys[1]: b"two", keys[3]: b""}
        with pytest.raises(Broken, match="1 raw record"):
            raw.get(conn, raw.sha(b"three"))


@pytest.mark.parametrize(
    "stored",
    [
        pytest.param(b"", id="nothing at all"),
        pytest.param(b"no frame", id="not compressed"),
        pytest.param(raw.packed([b"x" * 900])[0][:-3], id="a frame cut short"),
        pytest.param(raw.packed([b"x" * 900])[0] + b"y", id="bytes after the frame"),
        pytest.param(zlib.compress(b"x" * 900)[:-3], id="zlib cut short"),
    ],
)
def test_damaged_bytes_are_an_error_not_a_shorter_record(stored: bytes):
    with pytest.raises(ValueError, match=r"."):
        raw.unpacked(stored)
