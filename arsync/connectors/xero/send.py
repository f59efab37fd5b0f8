"""Sending calls, reading their answers with suspicion, and finding what became of lost ones.

Law     an answer is "accepted" only if it shows every fact the call expects; anything that may have happened unseen is
        "unknown". A document is ours only if its marker and its facts agree. Before anything settles an invoice, what
        is left on it is asked for again: less than decided is "stale", and nothing is sent.
Shape   calls to one list share a request; each element is refused or taken by itself.
Source  README.md of this folder.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from arsync.connectors import exact
from arsync.connectors.contract import Answer, Call, Found, Record, Ref
from arsync.connectors.transport import NoAnswer
from arsync.connectors.xero import mapping
from arsync.connectors.xero.faults import Fault, meaning, refusal, said_of
from arsync.connectors.xero.mapping import Facts, FieldUnreadable, amount, day
from arsync.connectors.xero.plan import EACH_BY_ITSELF, sizes
from arsync.connectors.xero.pull import SHORT
from arsync.connectors.xero.wire import Faulted, Tenant
from arsync.core.money import Money
from arsync.errors import Garbled, Throttled

TOGETHER = 50  # elements in one request
_IDS_A_CALL = 40
_KEY_DIGITS = 40
_ID_OF = {
    "Payments": "PaymentID",
    "BatchPayments": "BatchPaymentID",
    "BankTransactions": "BankTransactionID",
    "CreditNotes": "CreditNoteID",
    "Invoices": "InvoiceID",
    "BankTransfers": "BankTransferID",
}
_SCOPES = {
    "Payments": "accounting.payments",
    "BatchPayments": "accounting.payments",
    "Overpayments": "accounting.payments",
    "Prepayments": "accounting.payments",
    "BankTransactions": "accounting.banktransactions",
    "BankTransfers": "accounting.banktransactions",
    "CreditNotes": "accounting.invoices",
    "Invoices": "accounting.invoices",
}
Row = Mapping[str, Any]


def _entity(call: Call) -> str:
    """The list a call speaks to: "Payments", also of "/Payments/<id>"."""
    return call.path.partition("?")[0].split("/")[1]


def _last(call: Call) -> str:
    return call.path.partition("?")[0].rpartition("/")[2]


# ---- sending


def send(tenant: Tenant, calls: Sequence[Call]) -> Iterator[Answer]:
    """One answer a call, in their order.

    Raises:
        Unreachable: nothing left this machine. ConsentLost: we are not let in, nothing happened.
    """
    late = _used_up(tenant, calls) | _transferred(tenant, calls)
    answers: dict[str, Answer] = {
        call.key: Answer(call, "stale", None, why=late[call.key]) for call in calls if call.key in late
    }
    groups: dict[str, list[Call]] = {}
    for call in calls:
        if call.key not in answers:
            alone = "" if call.path.endswith(EACH_BY_ITSELF) else call.key
            groups.setdefault(f"{call.method} {call.path} {alone}", []).append(call)
    for group in groups.values():
        answers |= {answer.call.key: answer for answer in _request(tenant, group)}
    yield from (answers[call.key] for call in calls)


def _request(tenant: Tenant, group: Sequence[Call]) -> list[Answer]:
    """Calls that go to the same place, in one request."""
    first, entity = group[0], _entity(group[0])
    body, key = first.body, first.key
    if len(group) > 1:
        listed = ",".join(_element(call, entity) for call in group)
        body = f'{{"{entity}":[{listed}]}}'.encode()
        key = hashlib.sha256("\n".join(call.key for call in group).encode()).hexdigest()[:_KEY_DIGITS]
    try:
        answer = tenant.write(first.method, first.path, body, key)
    except Faulted as error:
        return [_refused(call, error.fault, tenant.last.kept()) for call in group]
    except (NoAnswer, Throttled, Garbled) as error:
        return [Answer(call, "unknown", None, why=str(error)) for call in group]
    if not first.path.endswith(EACH_BY_ITSELF):
        return [_judged(tenant, first, answer)]
    rows = answer.get(entity)
    rows = rows if isinstance(rows, list) else []
    if len(rows) != len(group):
        why = f"the answer tells of {len(rows)} of {len(group)} {entity}, trace {tenant.last.trace or 'none'}"
        return [Answer(call, "unknown", None, tenant.last.text.encode(), why) for call in group]
    return [_element_judged(tenant, call, row) for call, row in zip(group, rows, strict=True)]


def _element(call: Call, entity: str) -> str:
    """The one element of a call's list, byte for byte."""
    return call.body.decode().removeprefix(f'{{"{entity}":[').removesuffix("]}")


def _element_judged(tenant: Tenant, call: Call, row: object) -> Answer:
    trace = tenant.last.trace or "none"
    if not isinstance(row, dict):
        return Answer(call, "unknown", None, b"", f"the answer holds no {_entity(call)}, trace {trace}")
    if row.get("StatusAttributeString") == "ERROR" or _errors(row):
        words = "; ".join(_errors(row)) or "refused without a word"
        return _refused(call, Fault(400, words, trace=tenant.last.trace), exact.text(row).encode())
    return _shown(tenant, call, row)


def _errors(row: Row) -> list[str]:
    found = said_of(row)
    for name in ("Payments", "LineItems", "Invoice"):
        inner = row.get(name)
        for one in inner if isinstance(inner, list) else [inner]:
            found += said_of(one) if isinstance(one, Mapping) else []
    return list(dict.fromkeys(found))


def _judged(tenant: Tenant, call: Call, answer: Row) -> Answer:
    """The answer to a call about one record that exists."""
    raw = exact.text(answer).encode()
    if "Gone" in call.expects:
        return Answer(call, "accepted", _gone_ref(call), raw)
    if "Details" in call.expects:
        return Answer(call, "accepted", _named(call.expects["Of"]), raw)
    if "Expected" in call.expects:
        return _expected(tenant, call, answer)
    if call.path.endswith("/Allocations"):
        return _allocated(tenant, call, answer)
    rows = answer.get(_entity(call))
    row = rows[0] if isinstance(rows, list) and rows and isinstance(rows[0], dict) else answer
    if errors := _errors(row):
        return _refused(call, Fault(400, "; ".join(errors), trace=tenant.last.trace), raw)
    return _shown(tenant, call, row)


def _shown(tenant: Tenant, call: Call, row: Row) -> Answer:
    """Accepted only if the row shows everything the call expects."""
    raw = exact.text(row).encode()
    ref = _ref(call, row)
    difference = _difference(call, row)
    if ref is None or difference:
        why = f"the answer shows {difference or 'no id'}, trace {tenant.last.trace or 'none'}"
        return Answer(call, "unknown", ref, raw, why)
    warned = "; ".join(
        str(one.get("Message")) for one in row.get("Warnings") or [] if isinstance(one, Mapping)
    )
    return Answer(call, "accepted", ref, raw, f"Xero warns: {warned}" if warned else "")


def _ref(call: Call, row: Row) -> Ref | None:
    """What a row is to us."""
    if "Of" in call.expects:  # a further step of what an earlier call began
        return _named(call.expects["Of"])
    entity = _entity(call)
    if entity == "BankTransactions":
        for kind in ("Overpayment", "Prepayment"):
            if isinstance(row.get(f"{kind}ID"), str):
                return mapping.payment_ref(str(row[f"{kind}ID"]), kind)
    number = row.get(_ID_OF[entity], _last(call) if call.expects.get("Status") else None)
    if not isinstance(number, str):
        return None
    if entity == "Payments":
        return mapping.payment_ref(number)
    if entity == "BatchPayments":
        return mapping.payment_ref(number, "Batch")
    return Ref("item", f"{_ITEMS[entity]}:{number}")


_ITEMS = {
    "Invoices": "Invoice", "CreditNotes": "CreditNote", "BankTransactions": "Spend", "BankTransfers": "Transfer",
}  # fmt: skip


def _named(text: str) -> Ref:
    return Ref("payment" if text.startswith("Payment:") else "item", text)


def _gone_ref(call: Call) -> Ref:
    if "Of" in call.expects:
        return _named(call.expects["Of"])
    _, _, note, _, allocation = call.path.split("/")
    return mapping.payment_ref(f"{note}:{allocation}", "Allocation")


def _allocated(tenant: Tenant, call: Call, answer: Row) -> Answer:
    raw = exact.text(answer).encode()
    rows = [one for one in answer.get("Allocations") or [] if isinstance(one, dict)]
    if errors := [words for row in rows for words in _errors(row)]:
        return _refused(call, Fault(400, "; ".join(errors), trace=tenant.last.trace), raw)
    if call.expects["Of"].startswith("Payment:"):
        return Answer(call, "accepted", _named(call.expects["Of"]), raw)
    # The number of a new allocation is not in every answer; the credit note shows it.
    found = _find_allocated(tenant, call)
    if found.state != "present":
        return Answer(call, "unknown", None, raw, f"the credit note does not show it: {found.difference}")
    return Answer(call, "accepted", found.ref, raw)


def _expected(tenant: Tenant, call: Call, answer: Row) -> Answer:
    """Read back as a pull reads it: what is shown then is no change to the next pull."""
    raw, number = exact.text(answer).encode(), _last(call)
    rows = [row for row in answer.get("Invoices") or [] if isinstance(row, dict)]
    if errors := [words for row in rows for words in _errors(row)]:
        return _refused(call, Fault(400, "; ".join(errors), trace=tenant.last.trace), raw)
    try:
        row = _invoices(tenant, [number]).get(number, {})
        shown = _expected_day(row)
    except (Faulted, NoAnswer, Throttled, Garbled) as error:
        return Answer(call, "unknown", None, raw, f"it could not be read back: {error}")
    except FieldUnreadable as error:
        return Answer(call, "unknown", None, raw, f"no readable {error.field_name}: {error.why}")
    if shown != call.expects["Expected"]:
        why = f"Xero shows {shown or 'no expected date'}, not {call.expects['Expected'] or 'none'}"
        return Answer(call, "refused", None, raw, why)
    whole = [row] if mapping.adds_up(row) else []  # else a pull reads it in another form
    states = [
        state for one in whole for state in mapping.read("Invoices", one, Facts("", multicurrency=True))
    ]
    records = tuple(state for state in states if isinstance(state, Record))
    return Answer(call, "accepted", _named(call.expects["Of"]), raw, records=records)


def _expected_day(row: Row) -> str:
    """On which day an invoice's money is expected; "" where it does not say."""
    return day(row, "ExpectedPaymentDate").isoformat() if row.get("ExpectedPaymentDate") else ""


def _refused(call: Call, fault: Fault, raw: bytes) -> Answer:
    why = f"Xero: {fault.said}, trace {fault.trace or 'none'}"
    what = meaning(fault) if fault.status != 400 else refusal(f"{fault.kind} {fault.said}")  # noqa: PLR2004 - "bad request"
    if what == "gone":
        if "Gone" in call.expects:
            return Answer(call, "accepted", _gone_ref(call), raw, "it was gone already")
        return Answer(call, "stale", None, raw, why)
    if what == "stale":
        return Answer(call, "stale", None, raw, why)
    if what == "locked":
        return Answer(call, "refused", None, raw, why, "closed_period")
    if what == "no_right":
        lacking = f"{why}; writing {_entity(call)} needs the scope {_SCOPES[_entity(call)]}"
        return Answer(call, "refused", None, raw, lacking, "read_only")
    if what == "refused":
        return Answer(call, "refused", None, raw, why)
    return Answer(call, "unknown", None, raw, why)


# ---- what is left, asked for just before


def _used_up(tenant: Tenant, calls: Sequence[Call]) -> dict[str, str]:
    """Why calls must not be sent, by key: an invoice has less left than they settle."""
    wanted = {call.key: _settled(call, "Invoices") | _settled(call, "Later") for call in calls}
    numbers = sorted({number for one in wanted.values() for number in one})
    if not numbers:
        return {}
    rows = _invoices(tenant, numbers)
    late: dict[str, str] = {}
    for key, settled in wanted.items():
        for number, size in settled.items():
            if why := _short_of(rows.get(number), size):
                late[key] = f"Invoice:{number} {why}"
    return late


def _invoices(tenant: Tenant, numbers: Sequence[str]) -> dict[str, Row]:
    """Invoices as they are now, in short form, by their id."""
    rows: dict[str, Row] = {}
    for first in range(0, len(numbers), _IDS_A_CALL):
        some = {"IDs": ",".join(numbers[first : first + _IDS_A_CALL]), "page": "1", "pageSize": "1000"}
        listed = tenant.look("/Invoices", some | SHORT).get("Invoices")
        rows |= {str(r.get("InvoiceID")): r for r in listed or [] if isinstance(r, dict)}
    return rows


def _settled(call: Call, name: str = "Invoices") -> dict[str, Money]:
    """What a call settles, or what a call after it will settle."""
    pairs = (one.partition("=") for one in call.expects.get(name, "").split())
    return {number: Money.of(size, call.expects["Currency"]) for number, _, size in pairs}


def _short_of(row: Row | None, size: Money) -> str:
    if row is None:
        return "is not in Xero any more"
    try:
        left = amount(row, "AmountDue", size.currency)
    except FieldUnreadable as error:
        return f"states no readable {error.field_name}: {error.why}"
    if row.get("Status") == "AUTHORISED" and size.minor <= left.minor:
        return ""
    return f"is {row.get('Status')} with {left.text()} left, less than {size.text()}"


def _transferred(tenant: Tenant, calls: Sequence[Call]) -> dict[str, str]:
    """Why transfers must not be sent, by key: somebody has made the same one by hand."""
    late: dict[str, str] = {}
    for call in calls:
        if _entity(call) != "BankTransfers" or call.again:
            continue
        (element,) = exact.read_object(call.body)["BankTransfers"]
        same = [row for row in _candidates(tenant, call, element) if not _difference(call, row)]
        for row in same:
            if not any("arsync:" in word for word in _words(row)):
                late[call.key] = (
                    f"BankTransfer {row.get('BankTransferID')} brought the same amount there that day"
                )
    return late


# ---- facts


def _difference(call: Call, row: Row) -> str:
    """How a row falls short of what the call expects; "" when it shows all of it."""
    try:
        shown = {name: _FACTS[name](row, call) for name in call.expects if name in _FACTS}
    except FieldUnreadable as error:
        return f"no readable {error.field_name}: {error.why}"
    wrong = [name for name, value in shown.items() if value != call.expects[name]]
    return ", ".join(f"{name} {shown[name]!r}, not {call.expects[name]!r}" for name in wrong)


def _invoices_of(row: Row, call: Call) -> str:
    payments = row.get("Payments") if "BatchPaymentID" in row and "PaymentID" not in row else [row]
    sums: dict[str, Money] = {}
    for one in payments or []:
        invoice = one.get("Invoice")
        number = invoice.get("InvoiceID") if isinstance(invoice, Mapping) else None
        if not isinstance(number, str):
            raise FieldUnreadable("Invoice", "the payment names no invoice")
        size = amount(one, "Amount", call.expects["Currency"])
        sums[number] = sums[number] + size if number in sums else size
    return sizes(sums)


def _back_of(name: str) -> Callable[[Row, Call], str]:
    """What a refund takes from a credit of this kind."""

    def told(row: Row, call: Call) -> str:
        credit = row.get(name)
        number = credit.get(f"{name}ID") if isinstance(credit, Mapping) else None
        return sizes({str(number): amount(row, "Amount", call.expects["Currency"])})

    return told


def _contact(row: Row, _call: Call) -> str:
    contact = row.get("Contact")
    return str(contact.get("ContactID")) if isinstance(contact, Mapping) else ""


def _side(name: str) -> Callable[[Row, Call], str]:
    """One of a transfer's accounts, told as the call names it: by code or by id."""

    def told(row: Row, call: Call) -> str:
        account = row.get(f"{name}BankAccount")
        names = [account.get("AccountID"), account.get("Code")] if isinstance(account, Mapping) else []
        return call.expects[name] if call.expects[name] in names else " ".join(map(str, names))

    return told


_FACTS: Mapping[str, Callable[[Row, Call], str]] = {
    "Invoices": _invoices_of,
    **{f"Back {name}": _back_of(name) for name in ("CreditNote", "Overpayment", "Prepayment")},
    "Contact": _contact,
    "Total": lambda row, call: amount(row, "Total", call.expects["Currency"]).text(),
    "BankAmount": lambda row, call: amount(row, "BankAmount", call.expects["BankCurrency"]).text(),
    "Amount": lambda row, call: amount(row, "Amount", call.expects["Currency"]).text(),
    "From": _side("From"),
    "To": _side("To"),
    "Date": lambda row, _call: day(row, "Date").isoformat(),
    "Status": lambda row, _call: str(row.get("Status")),
}


# ---- finding


def find(tenant: Tenant, call: Call) -> Found:
    """Whether the call's effect exists. Never writes."""
    if "Gone" in call.expects:
        return _find_taken_off(tenant, call)
    if "Details" in call.expects:
        return _find_note(tenant, call)
    if "Expected" in call.expects:
        return _find_expected(tenant, call)
    if "Status" in call.expects:
        return _find_status(tenant, call)
    if call.path.endswith("/Allocations"):
        return _find_allocated(tenant, call)
    return _find_created(tenant, call)


def _find_status(tenant: Tenant, call: Call) -> Found:
    entity = _entity(call)
    number = _last(call)
    if call.path.endswith(EACH_BY_ITSELF):
        (element,) = exact.read_object(call.body)[entity]
        number = str(element[_ID_OF[entity]])
    row = tenant.one(entity, number)
    if row is None:
        return Found("differs", None, f"{entity} {number} is not in Xero any more")
    ref = _ref(call, row)
    return Found("present" if row.get("Status") == call.expects["Status"] else "absent", ref)


def _find_taken_off(tenant: Tenant, call: Call) -> Found:
    _, entity, number, _, allocation = call.path.split("/")
    row = tenant.one(entity, number)
    standing = {str(one.get("AllocationID")) for one in (row or {}).get("Allocations") or []}
    return Found("absent" if allocation in standing else "present", _gone_ref(call))


def _find_allocated(tenant: Tenant, call: Call) -> Found:
    """Allocations carry no marker: ours are those that were not there before, with our invoices and amounts."""
    _, entity, number, _ = call.path.split("/")
    row = tenant.one(entity, number)
    if row is None:
        return Found("differs", None, f"{entity} {number} is not in Xero any more")
    before = set(call.expects["Before"].split())
    new = [one for one in row.get("Allocations") or [] if str(one.get("AllocationID")) not in before]
    ours = [one for one in new if _is_of(one, call)]
    wanted = _settled(call)
    if len(ours) < len(wanted):
        state = "absent" if not ours else "differs"
        return Found(state, None, f"{len(ours)} of {len(wanted)} allocations")  # type: ignore[arg-type]  # two literals
    if not call.expects["Of"].startswith("Payment:"):
        allocation = ours[-1].get("AllocationID")
        return Found("present", mapping.payment_ref(f"{number}:{allocation}", "Allocation"))
    return Found("present", _named(call.expects["Of"]))


def _is_of(allocation: Row, call: Call) -> bool:
    wanted = _settled(call)
    invoice = allocation.get("Invoice")
    number = invoice.get("InvoiceID") if isinstance(invoice, Mapping) else None
    try:
        return (
            number in wanted and amount(allocation, "Amount", call.expects["Currency"]) == wanted[str(number)]
        )
    except FieldUnreadable:
        return False


def _find_note(tenant: Tenant, call: Call) -> Found:
    listed = tenant.look(call.path).get("HistoryRecords")
    said = [str(one.get("Details")) for one in listed or [] if isinstance(one, Mapping)]
    # The newest word of ours is what stands.
    ours = [text for text in said if text.startswith("arsync: ")]
    return Found("present" if call.expects["Details"] in ours else "absent", _named(call.expects["Of"]))


def _find_expected(tenant: Tenant, call: Call) -> Found:
    row = tenant.one("Invoices", _last(call))
    if row is None:
        return Found("differs", None, f"{call.expects['Of']} is not in Xero any more")
    try:
        stands = _expected_day(row) == call.expects["Expected"]
    except FieldUnreadable as error:
        return Found("unclear", None, f"no readable {error.field_name}: {error.why}")
    # Sent again it says the same day once more, which does no harm.
    return Found("present" if stands else "absent", _named(call.expects["Of"]))


def _find_created(tenant: Tenant, call: Call) -> Found:
    entity = _entity(call)
    (element,) = exact.read_object(call.body)[entity]
    wanted = str(element["Reference"]).rpartition(" ")[2]
    differing: list[tuple[Ref | None, str]] = []
    unmarked: list[Ref | None] = []
    for row in _candidates(tenant, call, element):
        ref, difference = _ref(call, row), _difference(call, row)
        difference = difference or ("it was deleted" if row.get("Status") in {"DELETED", "VOIDED"} else "")
        if wanted in _words(row) and not difference:
            return Found("present", ref)
        if wanted in _words(row):
            differing.append((ref, difference))
        elif not difference and not any("arsync:" in word for word in _words(row)):
            unmarked.append(ref)
    if differing:
        ref, difference = differing[0]
        return Found("differs", ref, f"{ref.id if ref else entity} carries our marker, and {difference}")
    if unmarked:
        ref = unmarked[0]
        return Found(
            "unclear", ref, f"{ref.id if ref else entity} is the same, and does not carry our marker"
        )
    return Found("absent")


def _words(row: Row) -> set[str]:
    """Every word in which a document may carry our marker."""
    lines = [one for one in row.get("LineItems") or [] if isinstance(one, Mapping)]
    texts = [row.get(name) for name in ("Reference", "Details", "Narrative")]
    return {
        word
        for text in (*texts, *(one.get("Description") for one in lines))
        for word in str(text or "").split()
    }


def _candidates(tenant: Tenant, call: Call, element: Row) -> Iterable[Row]:
    """What a lost call may have made: by its invoice, or by contact and day."""
    entity = _entity(call)
    if entity in {"Payments", "BatchPayments"} and "Invoices" in call.expects:
        number = sorted(_settled(call))[0]
        rows = list(_all(tenant, "Payments", f'Invoice.InvoiceID==guid("{number}")'))
        if entity == "Payments":
            return [row for row in rows if mapping.batch_of(row) is None]
        batches = sorted({found for row in rows if (found := mapping.batch_of(row))})
        return [row for row in (tenant.one("BatchPayments", one) for one in batches) if row is not None]
    on = day(element, "Date")
    where = f"Date==DateTime({on.year},{on.month:02},{on.day:02})"
    if entity == "BankTransfers":  # a list without pages
        listed = tenant.look("/BankTransfers", {"where": where}).get("BankTransfers")
        return [row for row in listed or [] if isinstance(row, dict)]
    if entity == "Payments":  # a refund
        return _all(tenant, entity, where)
    contact = element["Contact"].get("ContactID")
    owner = f' AND Contact.ContactID==guid("{contact}")' if contact else ""
    return _all(tenant, entity, f'{where} AND Type=="{element["Type"]}"{owner}')


def _all(tenant: Tenant, entity: str, where: str) -> Iterator[Row]:
    page = 1
    while True:
        answer = tenant.look(f"/{entity}", {"where": where, "page": str(page), "pageSize": "1000"})
        listed = answer.get(entity)
        rows = [row for row in listed if isinstance(row, dict)] if isinstance(listed, list) else []
        yield from rows
        pages = answer.get("pagination")
        if not rows or (isinstance(pages, Mapping) and page >= int(pages.get("pageCount") or 0)):
            return
        page += 1
