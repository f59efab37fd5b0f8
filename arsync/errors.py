"""Every error arsync shows, sorted by who must act.

    ArsyncError                     what happened, where, what to do next
    ├── UsageError          exit 2  the person at the keyboard: a wrong argument
    │   ├── NotFound                no such ledger, item, queue item, decision ...
    │   ├── NotPermitted            the person's role does not allow it
    │   └── Conflict                the record changed since it was looked at
    ├── SetupError          exit 3  whoever runs the installation
    │   ├── ConfigError             arsync.toml or environment: file, key, allowed values
    │   ├── StoreUnusable           cannot open, wrong version, disk full
    │   ├── KeyMissing              the key that protects stored secrets
    │   └── ConsentLost             the platform no longer accepts our sign-in
    ├── FileRefused         exit 3  a bank file that cannot be read at all
    │   ├── UnknownFormat           content fits no format we know
    │   ├── UnsupportedFormat       known by name, not imported yet
    │   ├── TruncatedFile           ends before it should
    │   └── UnsafeFile              too large, too deep, DOCTYPE and the like
    ├── PlatformBusy        exit 5  nobody; the next run tries again
    │   ├── Throttled               the platform asks us to slow down
    │   ├── Unreachable             no connection, or no answer in time
    │   └── Garbled                 an answer that is not what the platform promises (HTML, cut JSON)
    ├── PlatformRefused     exit 1  us: a request the platform will never take
    ├── LedgerLocked        exit 6  nobody; another run holds the ledger
    ├── BooksDisagree       exit 7  the AR manager; nothing more is written
    └── Broken              exit 1  us: an invariant of arsync does not hold

Exit 0 is done; exit 4 is done, and new queue items wait for a person.
An unreadable value inside a record is not an error of the run: it is data (`Unreadable`, `Problem`) and becomes a
queue item.
"""

from typing import ClassVar


class ArsyncError(Exception):
    """What happened, where, and what to do next.

    Attributes:
        what: one sentence, no trailing full stop.
        where: the file and line, company and record, or command it concerns.
        do: what the reader should do; names a command that works.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, where: str = "", do: str = "") -> None:
        super().__init__(what)
        self.what, self.where, self.do = what, where, do

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.do:
            lines.append(f"  do:    {self.do}")
        return "\n".join(lines)


class UsageError(ArsyncError):
    """A wrong argument."""

    exit_code = 2


class NotFound(UsageError):
    """No such thing under this name or number."""


class NotPermitted(UsageError):
    """The person's role does not allow this action."""


class Conflict(UsageError):
    """The record changed since it was looked at; look again and decide again."""


class SetupError(ArsyncError):
    """The installation is not ready."""

    exit_code = 3


class ConfigError(SetupError):
    """A setting is missing or wrong; names file, key and allowed values."""


class StoreUnusable(SetupError):
    """The store cannot be opened, is of another version, or its disk is full."""


class KeyMissing(SetupError):
    """The key that protects stored secrets is missing or does not fit."""


class ConsentLost(SetupError):
    """The platform no longer accepts our sign-in; a person must connect again."""


class FileRefused(ArsyncError):
    """A file that cannot be read at all; it is kept, and nothing of it is imported."""

    exit_code = 3
    reason: ClassVar[str] = "refused"


class UnknownFormat(FileRefused):
    """The content fits no format arsync knows."""

    reason = "unknown-format"


class UnsupportedFormat(FileRefused):
    """A known format that is not imported (yet), or not a booked statement."""

    reason = "unsupported-format"


class TruncatedFile(FileRefused):
    """The file ends before its format says it should."""

    reason = "truncated"


class UnsafeFile(FileRefused):
    """Too large, too deep, or with a construct that has no place in a bank file."""

    reason = "unsafe"


class PlatformBusy(ArsyncError):
    """Nothing is wrong with us or the books; the next run tries again."""

    exit_code = 5


class Throttled(PlatformBusy):
    """The platform asks us to slow down."""


class Unreachable(PlatformBusy):
    """No connection, or no answer in time."""


class Garbled(PlatformBusy):
    """An answer that is not what the platform promises: HTML, cut JSON, an empty body."""


class PlatformRefused(ArsyncError):
    """A request the platform will not take; repeating it changes nothing."""


class LedgerLocked(ArsyncError):
    """Another run holds the ledger."""

    exit_code = 6


class BooksDisagree(ArsyncError):
    """Our figures and the platform's differ; nothing more is written until a person has looked."""

    exit_code = 7


class Broken(ArsyncError):
    """An invariant of arsync does not hold; please report it."""
