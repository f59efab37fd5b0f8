"""What a step of a run is given: the store, the ledger, its connector, the clock and somebody to tell."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date

from arsync.clock import Clock, stamp
from arsync.connectors.contract import Connector
from arsync.connectors.deliveries import Source
from arsync.store.books import Place
from arsync.store.engine import Store
from arsync.store.office import Ledger

ENGINE = "engine"


@dataclass(frozen=True, slots=True)
class Job:
    """One run of one ledger."""

    store: Store
    ledger: Ledger
    connector: Connector
    clock: Clock
    signing_key: bytes = field(repr=False)
    tell: Callable[[str, str], None] = lambda _step, _text: None  # progress for people
    optional_reads: bool = True  # False: the month's reads run out, only necessary ones are asked
    sources: tuple[Source, ...] = ()  # mailboxes, servers and feeds to look into
    still_ours: Callable[[], None] = lambda: None  # raises when the ledger's lock was lost

    def at(self) -> str:
        """Now, as the store keeps instants."""
        return stamp(self.clock())

    def today(self) -> date:
        """The ledger's own day."""
        return self.ledger.day_of(self.clock())

    def place(self) -> Place:
        """Where pages of this ledger belong."""
        return Place(self.ledger.connection_id, self.ledger.id, self.at())
