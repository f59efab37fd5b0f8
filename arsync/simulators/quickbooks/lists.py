"""List entries: customers, accounts, items, terms and whatever else is chosen from a list.

Law     a name is unique among the live entries of its kind; customers, vendors and employees share theirs.
Errors  `Refused`: 2020 for what is missing, 6240 for a name that exists, 6000 for currencies and parents.
"""

from typing import TYPE_CHECKING

from arsync.simulators.quickbooks import refusals, rendering
from arsync.simulators.quickbooks.chart import ACCOUNTS
from arsync.simulators.quickbooks.records import Record
from arsync.simulators.quickbooks.schema import NAME_KINDS
from arsync.simulators.quickbooks.wire import Document

if TYPE_CHECKING:  # books imports this module
    from arsync.simulators.quickbooks.books import Books

TYPE_OF_SUBTYPE = {subtype: account_type for _, _, account_type, subtype in ACCOUNTS}
NAMING = ("DisplayName", "Name", "ParentRef", "Active")
"""What the full name of an entry depends on."""


def check(books: "Books", record: Record, fields: Document) -> None:
    """Whether an entry may look like this; missing names and currencies are filled in.

    Raises:
        Refused: 2020, 6240 or 6000.
    """
    _check_parent(books, record, fields)
    _check_name(books, record, fields)
    if record.kind == "Account":
        _check_account(books, record, fields)
    if record.kind == "Item":
        _check_item(books, fields)
    if record.kind == "Customer":
        _check_customer(books, record, fields)


def update(books: "Books", record: Record, fields: Document, user: str) -> Document:
    """Change an entry; the entry as a reader sees it.

    Raises:
        Refused: as `check`.
    """
    check(books, record, fields)
    if rendering.says_nothing_new(books, record, fields):
        return books.render(record)
    renamed = any(
        fields.get(name) != record.fields.get(name) for name in ("DisplayName", "Name", "ParentRef")
    )
    store(books, record, fields)
    record.user = user or books.settings.user
    if renamed:  # names are part of every reference
        books.forget_texts()
    books.touch(record)
    books.commit()
    return books.render(record)


def store(books: "Books", record: Record, fields: Document) -> None:
    """Hold a checked entry, and what is looked up by it."""
    old_parent = record.fields.get("ParentRef", {}).get("value", "")
    books.children[old_parent].discard(record.id)
    named = {name: record.fields.get(name) for name in NAMING}
    record.fields = fields
    if not record.created_s or named != {name: fields.get(name) for name in NAMING}:
        _index_name(books, record, is_new=not record.created_s)
    if record.kind == "Customer":
        record.customer_id = record.id
        books.children[fields.get("ParentRef", {}).get("value", "")].add(record.id)
    if record.kind == "Account" and fields["AccountType"] == "Accounts Receivable":
        books.ledger.receivable.add(record.id)


def _check_name(books: "Books", record: Record, fields: Document) -> None:
    """A name is unique among the live ones of its kind; people and companies share their names."""
    if record.kind in NAME_KINDS and "DisplayName" not in fields:
        parts = [
            fields[name]
            for name in ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
            if name in fields
        ]
        if not parts:
            raise refusals.missing("DisplayName")
        fields["DisplayName"] = " ".join(parts)
    if not fields.get("Active", True):
        return
    full = rendering.full_name(books, record.kind, fields)
    for kind in NAME_KINDS if record.kind in NAME_KINDS else (record.kind,):
        holder = _names(books, kind).get(full.casefold())
        if holder is not None and holder is not record:
            raise refusals.duplicate_name()


def _names(books: "Books", kind: str) -> dict[str, Record]:
    if kind not in books.name_index:
        books.name_index[kind] = {
            rendering.full_name(books, kind, record.fields).casefold(): record
            for record in books.records[kind].values()
            if record.fields.get("Active", True)
        }
    return books.name_index[kind]


def _index_name(books: "Books", record: Record, *, is_new: bool) -> None:
    """A new name is added; a changed one may rename sub-customers too, so the index is made again."""
    if is_new and record.kind in books.name_index and record.fields["Active"]:
        full = rendering.full_name(books, record.kind, record.fields)
        books.name_index[record.kind][full.casefold()] = record
    else:
        books.name_index.pop(record.kind, None)


def _check_parent(books: "Books", record: Record, fields: Document) -> None:
    parent_id = books.reference(record.kind, fields, "ParentRef")
    above = parent_id
    while above:
        if above == record.id:
            raise refusals.business(f"A {record.kind} cannot be its own parent.")
        above = books.records[record.kind][above].fields.get("ParentRef", {}).get("value", "")


def _check_account(books: "Books", record: Record, fields: Document) -> None:
    """The type follows from the subtype; what is posted already keeps its meaning."""
    if "AccountType" not in fields:
        if fields.get("AccountSubType") not in TYPE_OF_SUBTYPE:
            raise refusals.missing("AccountType")
        fields["AccountType"] = TYPE_OF_SUBTYPE[fields["AccountSubType"]]
    home = {"value": books.settings.home_currency}
    if fields.get("CurrencyRef", home) != home and not books.settings.multicurrency:
        raise refusals.business("Multi currency should be enabled to perform this operation.")
    if not record.created_s:
        return
    if record.fields.get("CurrencyRef", home)["value"] != fields.get("CurrencyRef", home)["value"]:
        raise refusals.business("The currency of an account cannot be changed.")
    types = {record.fields["AccountType"], fields["AccountType"]}
    if len(types) > 1 and "Accounts Receivable" in types:
        raise refusals.business("The type of an account cannot be changed from or to Accounts Receivable.")


def _check_item(books: "Books", fields: Document) -> None:
    if fields.get("Type", "Service") == "Service" and "IncomeAccountRef" not in fields:
        raise refusals.missing("IncomeAccountRef")
    for name in ("IncomeAccountRef", "ExpenseAccountRef"):
        account_id = books.reference("Account", fields, name)
        if account_id and (
            books.is_receivable(account_id)
            or books.account_currency(account_id) != books.settings.home_currency
        ):
            raise refusals.business(f"{name} must be an income or expense account in home currency.")


def _check_customer(books: "Books", record: Record, fields: Document) -> None:
    home = books.settings.home_currency
    currency = fields.setdefault("CurrencyRef", {"value": home})["value"]
    if currency != home and not books.settings.multicurrency:
        raise refusals.business("Multi currency should be enabled to perform this operation.")
    if record.fields.get("CurrencyRef", {"value": currency})["value"] != currency:
        raise refusals.business("The currency of a customer cannot be changed.")
    if "ParentRef" in fields:
        fields["Job"] = True
