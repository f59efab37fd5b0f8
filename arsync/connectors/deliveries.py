"""What sources of documents bring: mailboxes, servers of banks, feeds. The words both sides speak.

Law     a source yields what is new since its mark, oldest first; a mark is safe to go on from once what came before it
        is kept. It raises where it cannot look: no news is a proven no news.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class Delivery:
    """One document.

    Attributes:
        name: what it is called in messages.
        data: its bytes; empty where `refused` says why they were not fetched.
        mark: where to go on from when this one is kept.
        kind: a file of a bank, or a letter: what a stranger may have written.
        folder: the bank account a file belongs to, where it does not name one itself.
    """

    name: str
    data: bytes
    mark: str
    kind: Literal["file", "letter"] = "file"
    folder: str | None = None
    refused: str = ""


class Source(Protocol):
    """Where documents come from."""

    @property
    def name(self) -> str:
        """What its mark is kept under."""

    @property
    def ledger(self) -> str:
        """The ledger whose runs look there."""

    @property
    def authority(self) -> str:
        """The name our mail server writes what it checked under; empty for a source without letters."""

    def new(self, mark: str | None) -> Iterator[Delivery]:
        """What came since. Raises `Unreachable`, `Garbled`, `ConfigError`, `ConsentLost`."""
