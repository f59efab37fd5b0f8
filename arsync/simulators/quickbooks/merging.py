"""Two customers become one, as happens when somebody saves a customer under another's name."""

from typing import TYPE_CHECKING, Any

from arsync.simulators.quickbooks import refusals
from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.schema import TRANSACTION_KINDS

if TYPE_CHECKING:  # books imports what this module needs
    from arsync.simulators.quickbooks.books import Books

CUSTOMER_REFERENCES = ("CustomerRef", "EntityRef", "Entity", "ParentRef")


def merge(books: "Books", gone_id: str, kept_id: str, *, user: str = "") -> None:
    """Make one customer of two: everything goes to `kept_id`, the other is left inactive.

    Raises:
        Refused: 610, or 6000 for two currencies or a customer merged into itbooks.
    """
    with books.lock:
        gone, kept = books.find("Customer", gone_id), books.find("Customer", kept_id)
        if gone is None or kept is None:
            raise refusals.not_found()
        if gone_id in books.lineage(kept_id) or gone.fields["CurrencyRef"] != kept.fields["CurrencyRef"]:
            raise refusals.business("A customer is merged into another of its currency, not below itbooks.")
        books.items.hand_over(gone_id, kept_id)
        for kind in ("Customer", *TRANSACTION_KINDS):
            for record in tuple(books.live(kind)):
                _hand_over(books, record, gone_id, kept_id)
        books.children[kept_id] |= books.children.pop(gone_id, set()) - {kept_id}
        kept.merged_id, gone.user, kept.user = gone_id, user, user
        gone.fields = {**gone.fields, "Active": False}
        books.name_index.pop("Customer", None)
        books.forget_texts()
        books.touch(gone, "Delete")
        books.touch(kept, "Merge")
        books.commit()


def _hand_over(books: "Books", record: Record, gone_id: str, kept_id: str) -> None:
    fields = _with_reference(record.fields, gone_id, kept_id)
    is_either = record.kind == "Customer" and record.id in {gone_id, kept_id}
    if is_either or fields == record.fields:
        return
    record.fields = fields
    if record.customer_id == gone_id:
        record.customer_id = kept_id
    moved = tuple(
        posting._replace(customer_id=kept_id) if posting.customer_id == gone_id else posting
        for posting in record.postings
    )
    books.post(record, moved)
    books.touch(record)


def _with_reference(value: Any, old: str, new: str) -> Any:  # noqa: ANN401 - any JSON value
    """The same with one customer's Id in the place of another's."""
    if isinstance(value, list):
        return [_with_reference(one, old, new) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: {"value": new}
        if name in CUSTOMER_REFERENCES and isinstance(one, dict) and one.get("value") == old
        else _with_reference(one, old, new)
        for name, one in value.items()
    }
