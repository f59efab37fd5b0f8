"""Behind a difference: the documents that make the platform's figure of a customer another one than ours.

Shape   `ask` once, `compare` as often as our side changes.
Law     only customers that were asked for are compared. A report that cannot be had names nothing and stops
        nothing: the difference stands as it is.
"""

import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date

from arsync.connectors.contract import Document, Ref
from arsync.core.money import Money
from arsync.errors import Garbled, PlatformRefused
from arsync.store import books, proofs
from arsync.store.proofs import CONTROL, UNREAD, Key
from arsync.sync.job import Job

log = logging.getLogger("arsync.sync")
_MOST_CUSTOMERS = 200  # more that differ at once are no lost change
_A_QUESTION = 50  # customers in one
_MOST_NAMED = 5  # in one sentence


@dataclass(frozen=True, slots=True)
class Asked:
    """What the platform said stands open."""

    documents: tuple[Document, ...]
    owners: Mapping[str, Key]  # of each customer that was asked for, by platform id


@dataclass(frozen=True, slots=True)
class Behind:
    """What is other there than here."""

    refs: tuple[Ref, ...]  # to be read again
    told: Mapping[Key, str]  # for people, per customer


def ask(job: Job, keys: Collection[Key], strangers: Collection[str], as_of: date) -> Asked | None:
    """The open documents of the customers that differ, in home currency; None where nobody tells.

    `strangers` are customers the platform names and we have never read: they stand under the key of `UNREAD`.
    """
    home = job.ledger.home_currency
    ids = sorted(customer for customer, currency in keys if customer != CONTROL and currency == home)
    if "document" not in job.connector.manifest.totals or not job.optional_reads or not ids:
        return None
    with job.store.read() as conn:
        refs = books.platform_refs(conn, job.ledger.id, "customer", ids)
    owners = {external: (our_id, home) for our_id, external in refs.items()}
    if UNREAD in ids:
        owners |= dict.fromkeys(strangers, (UNREAD, home))
    owners = dict(list(owners.items())[:_MOST_CUSTOMERS])
    names, found = tuple(owners), list[Document]()
    try:
        for first in range(0, len(names), _A_QUESTION):
            found += job.connector.documents(names[first : first + _A_QUESTION], as_of)
        return Asked(tuple(found), owners)
    except (PlatformRefused, Garbled) as error:
        log.warning("%s: the documents behind a difference are not told: %s", job.ledger.name, error.what)
        return None


def compare(job: Job, asked: Asked) -> Behind:
    """The documents that are other there than here, and customers nobody has read yet."""
    there: dict[tuple[Key, str], list[Document]] = {}
    for one in asked.documents:
        if one.customer in asked.owners:
            name = _document_of(one.ref.id) if one.ref else one.name
            there.setdefault((asked.owners[one.customer], name), []).append(one)
    here: dict[tuple[Key, str], int] = {}
    with job.store.read() as conn:
        ours = proofs.documents(conn, job.ledger.id, {customer for customer, _ in asked.owners.values()})
    for row in ours:
        place = ((row.customer_id, row.currency), _document_of(row.external_id))
        here[place] = here.get(place, 0) + row.open_minor
    again = [Ref("customer", name) for name, key in asked.owners.items() if key[0] == UNREAD]
    told: dict[Key, list[str]] = {}
    for key, name in sorted({*there, *here}, key=str):
        stand, mine = there.get((key, name), []), here.get((key, name), 0)
        theirs = sum(one.open.minor for one in stand)
        if theirs == mine:
            continue
        told.setdefault(key, []).append(_said(name, stand, mine, theirs, key[1]))
        if not stand or stand[0].ref is not None:
            again.append(books.item_ref(name))
    return Behind(tuple(dict.fromkeys(again)), {key: sentence(one) for key, one in told.items()})


def _said(name: str, stand: list[Document], mine: int, theirs: int, currency: str) -> str:
    unread = " (a kind that is not read)" if stand and stand[0].ref is None else ""
    shown = stand[0].name if stand else name.replace(":", " ")
    return f"{shown} is {Money(mine, currency)} here and {Money(theirs, currency)} there{unread}"


def _document_of(external_id: str) -> str:
    """The document of an item: a line of an entry counts for its entry."""
    return ":".join(external_id.split(":")[:2])


def sentence(names: list[str]) -> str:
    """The first few names, and how many more there are."""
    more = f", and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
