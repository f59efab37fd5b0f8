"""What a case can say: a promise is broken, or there was nothing to try."""

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet


class Violation(AssertionError):
    """The connector breaks a promise of the contract; the message says which and how."""


class NotExercised(Exception):
    """The platform has nothing this case could try; it proves nothing then."""


def must(holds: object, said: str) -> None:
    """Go on only if it holds.

    Raises:
        Violation: it does not. A plain `assert` would vanish under `python -O`.
    """
    if not holds:
        raise Violation(said)


def same(found: object, wanted: object, what: str) -> None:
    """Go on only if both are equal.

    Raises:
        Violation: they differ; of large collections it says in what.
    """
    if found != wanted:
        raise Violation(f"{what}: {_difference(found, wanted)}")


def _difference(found: object, wanted: object) -> str:
    if isinstance(found, Mapping) and isinstance(wanted, Mapping):
        changed = [key for key in found.keys() & wanted.keys() if found[key] != wanted[key]]
        told = [f"{key} is {found[key]}, not {wanted[key]}" for key in changed]
        return _lists(found.keys() - wanted.keys(), wanted.keys() - found.keys(), told)
    if isinstance(found, AbstractSet) and isinstance(wanted, AbstractSet):
        return _lists(found - wanted, wanted - found, [])
    return f"{found!r}, not {wanted!r}"


def _lists(more: Iterable[object], less: Iterable[object], told: list[str]) -> str:
    parts = [("too much: ", more), ("missing: ", less), ("", told)]
    return "; ".join(f"{head}{few(things)}" for head, things in parts if things)


def few(things: Iterable[object]) -> str:
    """The first of many, for a message."""
    listed = [str(thing) for thing in things]
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""  # noqa: PLR2004 - enough to recognise them
    return ", ".join(listed[:5]) + more
