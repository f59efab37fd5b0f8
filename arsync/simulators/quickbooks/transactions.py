"""Turn a written document of any kind but a payment into lines, totals, postings and open items.

Shape   (books' reference data, cleaned fields) -> `Shaped`; nothing is stored here.
Errors  `Refused` when a rule of the business is broken.
"""

from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, Protocol

from arsync.simulators.quickbooks import refusals, taxes
from arsync.simulators.quickbooks.ledger import Posting, in_home
from arsync.simulators.quickbooks.wire import Document, amount, to_cents

DAYS_WITHOUT_TERM = 30
"""An invoice without a term was recorded as due 30 days after its date."""


class ItemPlan(NamedTuple):
    """An open item a document creates."""

    line_id: str
    side: int
    cents: int
    customer_id: str
    account_id: str


@dataclass(slots=True)
class Shaped:
    """A transaction ready to be booked."""

    fields: Document
    total_cents: int
    currency: str
    rate: Decimal
    customer_id: str = ""
    postings: list[Posting] = field(default_factory=list)
    items: list[ItemPlan] = field(default_factory=list)
    deposits: list[tuple[str, str]] = field(default_factory=list)  # (kind, Id) taken to the bank


class Undeposited(NamedTuple):
    """Something that waits to be brought to the bank."""

    cents: int
    home_cents: int
    currency: str


class ReferenceData(taxes.TaxData, Protocol):
    """What shaping asks of the books."""

    def account(self, role: str) -> str:
        """The account that plays a role."""
        ...

    def receivable_account(self, currency: str, fields: Document) -> str:
        """The receivable account of a document."""
        ...

    def is_receivable(self, account_id: str) -> bool:
        """Whether postings must name a customer."""
        ...

    def reference(self, kind: str, fields: Document, name: str) -> str:
        """The Id in a reference, or ""."""
        ...

    def income_account(self, item_id: str) -> str:
        """Where the sale of an item is posted."""
        ...

    def undeposited(self, kind: str, record_id: str, deposit_id: str) -> Undeposited:
        """Something in Undeposited Funds."""
        ...

    def money_account(self, fields: Document, name: str, currency: str) -> str:
        """The account of a bank or till in a reference."""
        ...

    def posted_account(self, detail: Document, currency: str) -> str:
        """The account of a line."""
        ...

    def party(self, account_id: str, entity: Document, name: str, currency: str) -> str:
        """The customer a line on a receivable account names, else ""."""
        ...

    def expense_account(self, item_id: str) -> str:
        """Where the purchase of an item is posted."""
        ...

    def term_fields(self, term_id: str) -> Document:
        """The fields of a term."""
        ...


def exact_cents(name: str, value: Decimal | int) -> int:
    """Whole cents of a written amount.

    Raises:
        Refused: 2080, the amount is finer than a cent; 2240, it is negative.
    """
    try:
        cents = to_cents(value)
    except ValueError as bad:
        raise refusals.bad_number(name, value) from bad
    return cents


def positive_cents(name: str, value: Decimal | int) -> int:
    """Whole cents of an amount that must not be negative.

    Raises:
        Refused: 2080 or 2240.
    """
    cents = exact_cents(name, value)
    if cents < 0:
        raise refusals.Refused(
            "2240", "Invalid Number", f"{name} must not be negative. Supplied value:{value}", name
        )
    return cents


def number_lines(lines: list[Document], first: int) -> list[Document]:
    """Give every line an Id that no other line of the document has; a line that brings its own keeps it."""
    taken = {line["Id"] for line in lines if "Id" in line}
    free = (str(number) for number in range(first, first + 2 * len(lines) + 1) if str(number) not in taken)
    seen: set[str] = set()
    numbered = []
    for line in lines:
        line_id = line.get("Id")
        if line_id is None or line_id in seen:
            line_id = next(free)
        seen.add(line_id)
        numbered.append({"Id": line_id, **{name: value for name, value in line.items() if name != "Id"}})
    return numbered


def shape_sale(kind: str, fields: Document, currency: str, rate: Decimal, data: ReferenceData) -> Shaped:
    """An invoice, credit memo, sales receipt, refund receipt or estimate."""
    fields = dict(fields)
    lines, credits_by_account, subtotal_cents = _sale_lines(fields, data)
    discount = next((line for line in lines if line["DetailType"] == "DiscountLineDetail"), None)
    discount_cents = to_cents(discount["Amount"]) if discount else 0
    tax_cents = exact_cents("TotalTax", fields.get("TxnTaxDetail", {}).get("TotalTax", 0))
    total_cents = subtotal_cents - discount_cents + tax_cents
    if total_cents < 0:
        raise refusals.business("Transaction amount must be 0 or greater.")
    customer_id = data.reference("Customer", fields, "CustomerRef")
    stored = {**fields, "Line": lines}
    if kind == "Estimate":
        return Shaped(stored, total_cents, currency, rate, customer_id)
    credits_by_account.append((data.account("discounts"), -discount_cents))
    credits_by_account.append((data.account("tax"), tax_cents))
    side = 1 if kind in {"Invoice", "SalesReceipt"} else -1
    contra = [
        Posting(account_id, -side * cents, -side * in_home(cents, rate))
        for account_id, cents in credits_by_account
        if cents
    ]
    shaped = Shaped(stored, total_cents, currency, rate, customer_id)
    if kind in {"Invoice", "CreditMemo"}:
        _owe(shaped, side, data)
    else:
        stored.setdefault("DepositToAccountRef", {"value": data.account("undeposited")})
        till = data.money_account(stored, "DepositToAccountRef", currency)
        shaped.postings = [Posting(till, side * total_cents, side * in_home(total_cents, rate))]
    shaped.postings = _balanced([*shaped.postings, *contra], data)
    return shaped


def _owe(shaped: Shaped, side: int, data: ReferenceData) -> None:
    """The receivable side of an invoice or credit memo, with the invoice's prepayment netted."""
    fields, rate = shaped.fields, shaped.rate
    receivable = data.receivable_account(shaped.currency, fields)
    prepaid_cents = positive_cents("Deposit", fields.get("Deposit", 0)) if side > 0 else 0
    if prepaid_cents > shaped.total_cents:
        raise refusals.business("The deposit is larger than the invoice.")
    total = side * shaped.total_cents
    shaped.postings = [Posting(receivable, total, in_home(total, rate), shaped.customer_id)]
    if prepaid_cents:
        till = data.money_account(fields, "DepositToAccountRef", shaped.currency) or data.account(
            "undeposited"
        )
        home = in_home(shaped.total_cents, rate) - in_home(shaped.total_cents - prepaid_cents, rate)
        shaped.postings += [
            Posting(receivable, -prepaid_cents, -home, shaped.customer_id),
            Posting(till, prepaid_cents, home),
        ]
    owed = shaped.total_cents - prepaid_cents
    shaped.items = [ItemPlan("", side, owed, shaped.customer_id, receivable)]


def _balanced(postings: list[Posting], data: ReferenceData) -> list[Posting]:
    """Rounding each line to home cents may leave a rest; it goes where exchange differences go."""
    rest = sum(posting.home_cents for posting in postings)
    return [*postings, Posting(data.account("exchange"), 0, -rest)] if rest else postings


def _sale_lines(fields: Document, data: ReferenceData) -> tuple[list[Document], list[tuple[str, int]], int]:
    """(lines with their Ids, income by account in cents, subtotal in cents); the subtotal line is derived."""
    lines: list[Document] = []
    income: list[tuple[str, int]] = []
    taxed: list[tuple[Document, int, tuple[taxes.Rate, ...]]] = []
    subtotal_cents = 0
    for line in fields["Line"]:
        detail_type = line.get("DetailType")
        if detail_type == "SubTotalLineDetail":
            continue
        if detail_type == "SalesItemLineDetail":
            priced, account_id = _item_line(line, data)
            cents, rates = taxes.taxed_line(priced, fields, data)
            lines.append(priced)
            taxed.append((priced, cents, rates))
            income.append((account_id, cents))
            subtotal_cents += cents
            continue
        if detail_type not in {"DiscountLineDetail", "DescriptionOnly"}:
            raise refusals.missing("DetailType") if detail_type is None else refusals.unsupported(detail_type)
        lines.append(line)
    if not income and not any(line["DetailType"] == "DescriptionOnly" for line in lines):
        raise refusals.missing("Line")
    plain = [line for line in lines if line["DetailType"] != "DiscountLineDetail"]
    plain = [{**line, "LineNum": number} for number, line in enumerate(number_lines(plain, 1), 1)]
    discounts = [
        _discount_line(line, subtotal_cents) for line in lines if line["DetailType"] == "DiscountLineDetail"
    ]
    before_tax = to_cents(discounts[0]["Amount"]) if discounts and fields.get("ApplyTaxAfterDiscount") else 0
    share = 1 - Decimal(before_tax) / subtotal_cents if subtotal_cents else Decimal(1)
    tax = taxes.tax_detail(fields, taxed, share)
    if tax:
        fields["TxnTaxDetail"] = tax
    return [*plain, *discounts[:1]], income, subtotal_cents


def _item_line(line: Document, data: ReferenceData) -> tuple[Document, str]:
    if "Amount" not in line:
        raise refusals.missing("Amount")
    detail = dict(line.get("SalesItemLineDetail", {}))
    detail.setdefault("ItemRef", {"value": "1"})
    cents = exact_cents("Amount", line["Amount"])
    if "Qty" in detail and "UnitPrice" in detail:
        product = (Decimal(detail["Qty"]) * Decimal(detail["UnitPrice"]) * 100).to_integral_value(
            ROUND_HALF_UP
        )
        if product != cents:
            raise refusals.wrong_product()
    account_id = data.income_account(data.reference("Item", detail, "ItemRef"))
    return {**line, "Amount": amount(cents), "SalesItemLineDetail": detail}, account_id


def _discount_line(line: Document, subtotal_cents: int) -> Document:
    detail = line.get("DiscountLineDetail", {})
    if detail.get("PercentBased"):
        percent = Decimal(detail.get("DiscountPercent", 0))
        cents = int((subtotal_cents * percent / 100).to_integral_value(ROUND_HALF_UP))
    else:
        cents = positive_cents("Amount", line.get("Amount", 0))
    return {**line, "Amount": amount(cents)}


def due_date(txn_date: str, term: Document | None) -> str:
    """When an invoice is due: by its term, else 30 days after its date."""
    day = date.fromisoformat(txn_date)
    if term is None:
        return (day + timedelta(days=DAYS_WITHOUT_TERM)).isoformat()
    if "DayOfMonthDue" not in term:
        return (day + timedelta(days=int(term.get("DueDays", 0)))).isoformat()
    due = _day_of_month(day.year, day.month, int(term["DayOfMonthDue"]))
    grace = int(term.get("DueNextMonthDays", 0))
    if due < day or (due - day).days < grace:
        due = _day_of_month(day.year + day.month // 12, day.month % 12 + 1, int(term["DayOfMonthDue"]))
    return due.isoformat()


def _day_of_month(year: int, month: int, day: int) -> date:
    last = (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
    return date(year, month, min(day, last))


def shape_journal_entry(fields: Document, currency: str, rate: Decimal, data: ReferenceData) -> Shaped:
    """A journal entry; each receivable line with a customer is an open debit or credit."""
    lines = number_lines(fields["Line"], 0)
    shaped = Shaped({**fields, "Line": lines}, 0, currency, rate)
    for line in lines:
        detail = line.get("JournalEntryLineDetail")
        if detail is None or "PostingType" not in detail:
            raise refusals.missing("PostingType")
        if "Amount" not in line:
            raise refusals.missing("Amount")
        cents = positive_cents("Amount", line["Amount"])
        line["Amount"] = amount(cents)
        side = 1 if detail["PostingType"] == "Debit" else -1
        account_id = data.posted_account(detail, currency)
        entity = detail.get("Entity", {})
        customer_id = data.party(account_id, entity, "EntityRef", currency)
        if customer_id and cents:
            shaped.items.append(ItemPlan(line["Id"], side, cents, customer_id, account_id))
        shaped.postings.append(Posting(account_id, side * cents, in_home(side * cents, rate), customer_id))
        shaped.total_cents += max(side * cents, 0)
    if sum(posting.cents for posting in shaped.postings):
        raise refusals.business("Your debits do not equal your credits.")
    shaped.postings = _balanced(shaped.postings, data)
    return shaped


def shape_deposit(
    record_id: str, fields: Document, currency: str, rate: Decimal, data: ReferenceData
) -> Shaped:
    """A bank deposit: what comes out of Undeposited Funds, and lines straight to an account (fees: below 0)."""
    bank = data.money_account(fields, "DepositToAccountRef", currency)
    lines = number_lines(fields["Line"], 1)
    shaped = Shaped({**fields, "Line": lines}, 0, currency, rate)
    for number, line in enumerate(lines, 1):
        line["LineNum"] = number
        if line.get("LinkedTxn"):
            posting = _linked_line(record_id, line, shaped, data)
        else:
            posting = _straight_line(line, shaped, data)
        shaped.postings.append(posting)
        shaped.total_cents -= posting.cents
    cash_back = fields.get("CashBack", {})
    if cash_back:
        cents = positive_cents("CashBack.Amount", cash_back.get("Amount", 0))
        account_id = data.posted_account(cash_back, currency)
        data.party(account_id, {}, "Entity", currency)
        shaped.postings.append(Posting(account_id, cents, in_home(cents, rate)))
        shaped.total_cents -= cents
    if shaped.total_cents < 0:
        raise refusals.business("The deposit total must be 0 or greater.")
    home = in_home(shaped.total_cents, rate)
    shaped.postings = _balanced([*shaped.postings, Posting(bank, shaped.total_cents, home)], data)
    return shaped


def _linked_line(record_id: str, line: Document, shaped: Shaped, data: ReferenceData) -> Posting:
    link = line["LinkedTxn"][0]
    kind, linked_id = link.get("TxnType", ""), link.get("TxnId", "")
    waiting = data.undeposited(kind, linked_id, record_id)
    if waiting.currency != shaped.currency:
        raise refusals.business("The linked transaction is in another currency than the deposit.")
    if exact_cents("Amount", line.get("Amount", amount(waiting.cents))) != waiting.cents:
        raise refusals.business("The amount of a deposit line must be that of the linked transaction.")
    if (kind, linked_id) in shaped.deposits:
        raise refusals.business("The same transaction is on the deposit twice.")
    shaped.deposits.append((kind, linked_id))
    line["Amount"] = amount(waiting.cents)
    return Posting(data.account("undeposited"), -waiting.cents, -waiting.home_cents)


def _straight_line(line: Document, shaped: Shaped, data: ReferenceData) -> Posting:
    if "Amount" not in line:
        raise refusals.missing("Amount")
    detail = line.get("DepositLineDetail", {})
    cents = exact_cents("Amount", line["Amount"])
    line["Amount"] = amount(cents)
    line["DetailType"] = "DepositLineDetail"
    account_id = data.posted_account(detail, shaped.currency)
    customer_id = data.party(account_id, detail, "Entity", shaped.currency)
    if customer_id and cents:
        side = -1 if cents > 0 else 1
        shaped.items.append(ItemPlan(line["Id"], side, abs(cents), customer_id, account_id))
    return Posting(account_id, -cents, -in_home(cents, shaped.rate), customer_id)


def shape_purchase(fields: Document, currency: str, rate: Decimal, data: ReferenceData) -> Shaped:
    """Money out by cheque, cash or card; a line on a receivable account is a refund the customer owes back."""
    paid_from = data.money_account(fields, "AccountRef", currency)
    refund = fields.get("Credit", False)
    if refund and fields["PaymentType"] != "CreditCard":
        raise refusals.business("Only a credit card purchase can be a credit.")
    side = -1 if refund else 1
    lines = number_lines(fields["Line"], 1)
    shaped = Shaped({**fields, "Line": lines}, 0, currency, rate)
    for line in lines:
        shaped.postings.append(_expense_line(line, side, shaped, data))
    shaped.total_cents = side * sum(posting.cents for posting in shaped.postings)
    if shaped.total_cents < 0:
        raise refusals.business("Transaction amount must be 0 or greater.")
    total = -side * shaped.total_cents
    shaped.postings = _balanced([*shaped.postings, Posting(paid_from, total, in_home(total, rate))], data)
    return shaped


def _expense_line(line: Document, side: int, shaped: Shaped, data: ReferenceData) -> Posting:
    if "Amount" not in line:
        raise refusals.missing("Amount")
    cents = exact_cents("Amount", line["Amount"])
    line["Amount"] = amount(cents)
    if line.get("DetailType") == "ItemBasedExpenseLineDetail":
        item_id = data.reference("Item", line.get("ItemBasedExpenseLineDetail", {}), "ItemRef")
        account_id = data.expense_account(item_id)
    elif line.get("DetailType") == "AccountBasedExpenseLineDetail":
        account_id = data.posted_account(line.get("AccountBasedExpenseLineDetail", {}), shaped.currency)
    else:
        raise refusals.missing("DetailType")
    customer_id = data.party(account_id, shaped.fields, "EntityRef", shaped.currency)
    if customer_id and cents:
        owed = 1 if side * cents > 0 else -1
        shaped.items.append(ItemPlan(line["Id"], owed, abs(cents), customer_id, account_id))
    return Posting(account_id, side * cents, in_home(side * cents, shaped.rate), customer_id)


def shape_transfer(fields: Document, currency: str, rate: Decimal, data: ReferenceData) -> Shaped:
    """Money from one account of the company to another."""
    cents = positive_cents("Amount", fields["Amount"])
    taken = data.posted_account({"AccountRef": fields["FromAccountRef"]}, currency)
    given = data.posted_account({"AccountRef": fields["ToAccountRef"]}, currency)
    if data.is_receivable(taken) or data.is_receivable(given):
        raise refusals.business("Money cannot be transferred from or to Accounts Receivable.")
    home = in_home(cents, rate)
    stored = {**fields, "Amount": amount(cents)}
    return Shaped(
        stored, cents, currency, rate, postings=[Posting(taken, -cents, -home), Posting(given, cents, home)]
    )
