"""The books as one JSON document, to keep them over a restart.

Law     `restore(snapshot(books))` reads like `books`, Ids and SyncTokens included.
"""

from dataclasses import asdict
from datetime import date
from decimal import Decimal

from arsync.simulators.quickbooks.books import Books
from arsync.simulators.quickbooks.ledger import ItemKey, OpenItem, Posting
from arsync.simulators.quickbooks.records import CompanySettings, Record
from arsync.simulators.quickbooks.wire import Document


def snapshot(books: Books) -> Document:
    """Everything that cannot be derived."""
    return {
        "realm_id": books.realm_id,
        "settings": settings_document(books.settings),
        "counters": books.counters(),
        "records": [_record(record) for records in books.records.values() for record in records.values()],
        "items": [[list(key), _item(item)] for key, item in books.items.by_key.items()],
    }


def settings_document(settings: CompanySettings) -> Document:
    """Settings with JSON values only."""
    closed = settings.book_close_date
    return {**asdict(settings), "book_close_date": closed.isoformat() if closed else None}


def read_settings(document: Document) -> CompanySettings:
    """The settings of a snapshot."""
    closed = document["book_close_date"]
    return CompanySettings(
        **{
            **document,
            "book_close_date": date.fromisoformat(closed) if closed else None,
            "custom_fields": tuple(document["custom_fields"]),
            "exchange_rates": {code: Decimal(rate) for code, rate in document["exchange_rates"].items()},
            "tax_percents": {
                name: Decimal(percent) for name, percent in (document.get("tax_percents") or {}).items()
            },
        }
    )


def _record(record: Record) -> Document:
    return {
        "kind": record.kind,
        "id": record.id,
        "fields": record.fields,
        "user": record.user,
        "sync_token": record.sync_token,
        "created_s": record.created_s,
        "updated_s": record.updated_s,
        "change": record.change,
        "deleted": record.deleted,
        "customer_id": record.customer_id,
        "total_cents": record.total_cents,
        "postings": [list(posting) for posting in record.postings],
        "items": [list(key) for key in record.items],
        "applications": [[list(key), cents] for key, cents in record.applications.items()],
        "deposit_id": record.deposit_id,
        "content": record.content,
    }


def _item(item: OpenItem) -> Document:
    return {
        "side": item.side,
        "cents": item.cents,
        "customer_id": item.customer_id,
        "account_id": item.account_id,
        "currency": item.currency,
        "rate": item.rate,
        "applied": item.applied,
    }


def changes(books: Books) -> Document:
    """What has changed since the last `changes`, and is forgotten now."""
    records, keys = books.take_unsaved()
    return {
        "realm_id": books.realm_id,
        "settings": settings_document(books.settings),
        "counters": books.counters(),
        "records": [_record(record) for record in records],
        "items": [[list(key), _item(books.items.by_key[key])] for key in keys if key in books.items.by_key],
        "gone": [list(key) for key in keys if key not in books.items.by_key],
    }


def joined(whole: Document, changed: list[Document]) -> Document:
    """A snapshot as it is after some `changes`."""
    records = {(one["kind"], one["id"]): one for one in whole["records"]}
    items = {tuple(key): item for key, item in whole["items"]}
    for change in changed:
        records |= {(one["kind"], one["id"]): one for one in change["records"]}
        items |= {tuple(key): item for key, item in change["items"]}
        for key in change["gone"]:
            items.pop(tuple(key), None)
        whole = {**whole, "settings": change["settings"], "counters": change["counters"]}
    return {**whole, "records": list(records.values()), "items": list(items.items())}


def restore(books: Books, document: Document) -> None:
    """Fill books with a snapshot, instead of what they hold."""
    records = [_read_record(one) for one in document["records"]]
    items = {ItemKey(*key): _read_item(item) for key, item in document["items"]}
    books.refill(records, items, document["counters"])


def _read_record(document: Document) -> Record:
    return Record(
        **{
            **document,
            "postings": tuple(Posting(*posting) for posting in document["postings"]),
            "items": tuple(ItemKey(*key) for key in document["items"]),
            "applications": {ItemKey(*key): cents for key, cents in document["applications"]},
        }
    )


def _read_item(document: Document) -> OpenItem:
    return OpenItem(**{**document, "rate": Decimal(document["rate"]), "applied": dict(document["applied"])})
