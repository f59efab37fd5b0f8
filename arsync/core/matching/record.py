"""Snapshots, knowledge, findings and policies as JSON text, so that a decision can be replayed to the same answer.

Shape   one line each: objects by field name, named tuples as lists, dates as ISO text, sets sorted.
Law     from_text(to_text(x)) == x; the same value always gives the same text.
"""

from functools import cache
from typing import TYPE_CHECKING, TypeVar

from arsync.core.decisions import Finding
from arsync.core.matching.snapshot import Knowledge, MatchPolicy, Snapshot

if TYPE_CHECKING:
    from msgspec import json

T = TypeVar("T")


def snapshot_to_text(snapshot: Snapshot) -> str:
    """The snapshot as JSON."""
    return _encode(snapshot)


def snapshot_from_text(text: str) -> Snapshot:
    """The snapshot that a text states."""
    return decode(text, Snapshot)


def knowledge_to_text(knowledge: Knowledge) -> str:
    """What was learned, as JSON."""
    return _encode(knowledge)


def knowledge_from_text(text: str) -> Knowledge:
    """What a text states as learned."""
    return decode(text, Knowledge)


def finding_to_text(finding: Finding) -> str:
    """The finding as JSON."""
    return _encode(finding)


def finding_from_text(text: str) -> Finding:
    """The finding that a text states."""
    return decode(text, Finding)


def policy_to_text(policy: MatchPolicy) -> str:
    """The matcher's part of the policy, as JSON."""
    return _encode(policy)


def policy_from_text(text: str) -> MatchPolicy:
    """The matcher's part of the policy that a text states."""
    return decode(text, MatchPolicy)


@cache
def _encoder() -> "json.Encoder":
    import msgspec

    return msgspec.json.Encoder(order="deterministic")


def encode(value: object) -> bytes:
    """A value as JSON; the same value always gives the same bytes."""
    return _encoder().encode(value)


def _encode(value: object) -> str:
    return encode(value).decode()


def compact(value: object) -> bytes:
    """A value as JSON whose keys may be numbers; sets and dictionaries in any order."""
    from msgspec import json

    return json.encode(value)


def decode(text: str | bytes, kind: type[T]) -> T:
    """The value of a kind that a JSON text states."""
    from msgspec import json

    return json.decode(text, type=kind)
