"""What a case can say: a promise is broken, or there was nothing to try."""

from collections.abc import Iterable


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
        Violation: they differ.
    """
    if found != wanted:
        raise Violation(f"{what}: {found!r}, not {wanted!r}")


def few(things: Iterable[object]) -> str:
    """The first of many, for a message."""
    listed = [str(thing) for thing in things]
    more = f" and {len(listed) - 5} more" if len(listed) > 5 else ""  # noqa: PLR2004 - enough to recognise them
    return ", ".join(listed[:5]) + more
