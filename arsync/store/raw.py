"""Raw records: the exact bytes received or sent, kept once, compressed, by SHA-256."""

import hashlib
import zlib
from collections.abc import Iterable, Mapping

import zstandard
from sqlalchemy import Connection, select

from arsync.errors import Broken
from arsync.store import bulk
from arsync.store.tables import raw

_ZSTD = b"\x28\xb5\x2f\xfd"  # RFC 8878, section 3.1.1; stores of before hold zlib


def packed(bodies: Iterable[bytes]) -> list[bytes]:
    """The bodies as Zstandard frames: a third of zlib's time at the same size, for records of a kilobyte."""
    compress = zstandard.ZstdCompressor(level=1).compress
    return [compress(body) for body in bodies]


def unpacked(stored: bytes) -> bytes:
    """The body of a stored one; ValueError for bytes that are no whole frame."""
    body = bytes(stored)
    try:
        if body.startswith(_ZSTD):
            return zstandard.ZstdDecompressor().decompress(body, allow_extra_data=False)
        return zlib.decompress(body)
    except (zstandard.ZstdError, zlib.error) as error:
        raise ValueError(str(error)) from error


def sha(body: bytes) -> bytes:
    """The key of a body."""
    return hashlib.sha256(body).digest()


def keep(conn: Connection, bodies: Iterable[bytes]) -> list[bytes]:
    """Keep bodies that are not there yet; their keys, in order."""
    keyed = [(sha(body), body) for body in bodies]
    keep_keyed(conn, dict(keyed))
    return [key for key, _ in keyed]


def keep_keyed(conn: Connection, bodies: Mapping[bytes, bytes]) -> None:
    """Keep bodies whose `sha` is known already; sorted, so that neighbours share a page of the index."""
    rows = sorted(zip(bodies, packed(bodies.values()), strict=True))
    bulk.insert_missing(conn, raw, ("sha", "body"), rows)


def get(conn: Connection, key: bytes) -> bytes:
    """The body of a key."""
    return get_many(conn, [key])[key]


def get_many(conn: Connection, keys: Iterable[bytes]) -> dict[bytes, bytes]:
    """The bodies of several keys."""
    wanted = set(keys)
    found: dict[bytes, bytes] = {}
    for part in bulk.chunks(sorted(wanted)):
        for key, body in conn.execute(select(raw.c.sha, raw.c.body).where(raw.c.sha.in_(part))):
            found[bytes(key)] = unpacked(body)
    if missing := wanted - set(found):
        raise Broken(f"{len(missing)} raw record(s) are missing from the store, first {min(missing).hex()}")
    return found
