"""Contacts: made, found by what a document says of them, changed by it too, archived and merged.

Source  reference page of Contacts; that a document's Contact block changes the contact and drops the persons it does
        not list is reported by users.
"""

from arsync.simulators.exact_json import Document
from arsync.simulators.xero import fields
from arsync.simulators.xero.books import Books
from arsync.simulators.xero.records import Actor, Contact
from arsync.simulators.xero.refusals import Invalid

PERSONS = 5
IDENTIFYING = {"ContactID", "ContactNumber", "Name", "ContactStatus", "UpdatedDateUTC"}
IGNORED = {
    "HasAttachments",
    "HasValidationErrors",
    "IsCustomer",
    "IsSupplier",
    "Balances",
    "ValidationErrors",
}
TERM_TYPES = {"DAYSAFTERBILLDATE", "DAYSAFTERBILLMONTH", "OFCURRENTMONTH", "OFFOLLOWINGMONTH"}
STATUSES = {"ACTIVE", "ARCHIVED"}
_TEXTS = {
    "ContactNumber": ("number", 50),
    "AccountNumber": ("account_number", 50),
    "EmailAddress": ("email", 255),
    "FirstName": ("first_name", 255),
    "LastName": ("last_name", 255),
    "TaxNumber": ("tax_number", 50),
}
_PERSON = ("FirstName", "LastName", "EmailAddress", "IncludeInEmails")


def save(books: Books, element: Document, actor: Actor, method: str) -> Contact:
    """Make a contact, or change the one that is meant."""
    known = find(books, element)
    if known is None:
        return create(books, element, actor)
    if method == "PUT":
        raise Invalid(_taken(known.name))
    return update(books, known, element, actor)


def find(books: Books, element: Document) -> Contact | None:
    """The contact an element means: by id, then number, then name among the active ones."""
    contact_id = fields.text(element, "ContactID")
    if contact_id:
        found: Contact | None = books.find(books.contacts, contact_id)
        if found is None:
            raise Invalid(f"The contact with ContactID {contact_id} could not be found")
        return found
    number = fields.text(element, "ContactNumber", 50)
    name = (fields.text(element, "Name", 255) or "").strip()
    for one in books.contacts.values():
        if number and one.number == number:
            return one
    return _by_name(books, name)


def _by_name(books: Books, name: str) -> Contact | None:
    folded = name.casefold()
    return next(
        (
            one
            for one in books.contacts.values()
            if folded and one.name.casefold() == folded and one.status == "ACTIVE"
        ),
        None,
    )


def create(books: Books, element: Document, actor: Actor) -> Contact:
    """A new contact."""
    name = (fields.text(element, "Name", 255) or "").strip()
    if not name:
        raise Invalid("The contact name must be specified.")
    contact = books.add(books.contacts, Contact(books.new_id(), name))
    _fill(books, contact, element)
    books.stamp(contact)
    books.tell(contact, "CREATE")
    books.note(contact.id, "Created", f"{name} created", actor.user)
    return contact


def update(books: Books, contact: Contact, element: Document, actor: Actor) -> Contact:
    """Change what the element names."""
    books.change(contact)
    name = (fields.text(element, "Name", 255) or "").strip()
    if name and name != contact.name:
        other = _by_name(books, name)
        if other is not None and other.id != contact.id:
            raise Invalid(_taken(name))
        contact.name = name
    _fill(books, contact, element)
    books.stamp(contact)
    books.tell(contact, "UPDATE")
    books.note(contact.id, "Edited", f"{contact.name} changed", actor.user)
    return contact


def _taken(name: str) -> str:
    return (
        f"The contact name {name} is already assigned to another contact. "
        "The contact name must be unique across all active contacts."
    )


def _fill(books: Books, contact: Contact, element: Document) -> None:
    for name, (attribute, limit) in _TEXTS.items():
        value = fields.text(element, name, limit)
        if value is not None:
            setattr(contact, attribute, value)
    _fill_lists(contact, element)
    status = fields.text(element, "ContactStatus")
    if status is not None:
        if status not in STATUSES:
            raise Invalid(f"{status} is not a valid ContactStatus")
        contact.status = status
    currency = fields.text(element, "DefaultCurrency")
    if currency:
        contact.currency = books.check_currency(currency)
    terms = fields.inner(fields.inner(element, "PaymentTerms") or {}, "Sales")
    if terms:
        if terms.get("Type") not in TERM_TYPES or not isinstance(terms.get("Day"), int):
            raise Invalid("The payment terms are not valid")
        contact.terms = (terms["Day"], terms["Type"])


def _fill_lists(contact: Contact, element: Document) -> None:
    persons = fields.rows(element, "ContactPersons")
    if persons is not None:
        if len(persons) > PERSONS:
            raise Invalid(f"A contact can have at most {PERSONS} contact persons.")
        contact.persons = tuple({key: one[key] for key in _PERSON if key in one} for one in persons)
    for name, attribute in (("Addresses", "addresses"), ("Phones", "phones")):
        found = fields.rows(element, name)
        if found is not None:
            setattr(contact, attribute, tuple(found))


def of_document(books: Books, element: Document, actor: Actor) -> Contact:
    """The contact of a document: found or made; what else the block says changes it."""
    block = fields.inner(element, "Contact")
    if block is None:
        raise Invalid("A Contact must be specified for this type of transaction")
    if not any(block.get(name) for name in ("ContactID", "ContactNumber", "Name")):
        raise Invalid(
            "The Contact must contain at least 1 of the following elements to identify the contact: "
            "Name, ContactID, ContactNumber"
        )
    known = find(books, block)
    if known is None:
        return create(books, block, actor)
    if known.status != "ACTIVE":
        raise Invalid(f"The contact {known.name} is archived. It must be un-archived before it can be used.")
    # An empty list is what the SDK sends for "nothing said".
    said = {name for name, value in block.items() if value not in (None, [], {}, "")}
    if said - IDENTIFYING - IGNORED:
        return update(books, known, {"ContactPersons": [], **block}, actor)
    return known


def archive(books: Books, contact: Contact, merged_to: str = "") -> None:
    """Hide a contact; a merged one points to where its documents went."""
    books.change(contact)
    contact.status, contact.merged_to = "ARCHIVED", merged_to
    books.stamp(contact)
    books.tell(contact, "UPDATE")


def merge(books: Books, contact: Contact, into: Contact, actor: Actor) -> None:
    """All documents of one contact become another's; the first is archived."""
    for paper in books.contact_papers(contact.id):
        books.change(paper)
        books.move_paper(paper, into.id)
        books.stamp(paper)
    archive(books, contact, into.id)
    books.note(into.id, "Merged", f"{contact.name} was merged into {into.name}", actor.user)
