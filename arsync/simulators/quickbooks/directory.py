"""Who is who in the books of one company: references, accounts and their currencies, names, tax codes.

Shape   what the shaping of documents asks for (`transactions.ReferenceData`); nothing is written here.
Errors  `Refused` for a reference to nothing (2500, 610), a missing one (2020), or one of the wrong kind (6000).
"""

from collections.abc import Iterator
from decimal import Decimal

from arsync.simulators.quickbooks import refusals
from arsync.simulators.quickbooks.ledger import Ledger
from arsync.simulators.quickbooks.records import CompanySettings, Record, Switches
from arsync.simulators.quickbooks.schema import ENTITIES, REFERENCES, UNNAMED_REFERENCES
from arsync.simulators.quickbooks.taxes import Rate
from arsync.simulators.quickbooks.transactions import Undeposited
from arsync.simulators.quickbooks.wire import Document

DEPOSITED_KINDS = ("Payment", "SalesReceipt", "RefundReceipt", "JournalEntry")
"""What a deposit can bring from Undeposited Funds to the bank."""
MONEY_ACCOUNTS = ("Bank", "Other Current Asset", "Credit Card")
MUST_EXIST = REFERENCES | UNNAMED_REFERENCES


class Directory:
    """Everything a company knows by Id, and the questions about it."""

    def __init__(self, settings: CompanySettings, switches: Switches) -> None:
        self.settings = settings
        self.switches = switches
        self.records: dict[str, dict[str, Record]] = {kind: {} for kind in ENTITIES}
        self.ledger = Ledger()
        self.creating = False  # a new document may not point at what is inactive
        self.roles: dict[str, str] = {}  # what an account is there for -> its Id

    def find(self, kind: str, record_id: str) -> Record | None:
        """A record that is there; deleted ones are not."""
        record = self.records[kind].get(record_id)
        return None if record is None or record.deleted else record

    def live(self, kind: str) -> Iterator[Record]:
        """Every record of a kind that has not been deleted."""
        return (record for record in self.records[kind].values() if not record.deleted)

    def lineage(self, customer_id: str) -> tuple[str, ...]:
        """A customer and those above it."""
        found = []
        while customer_id and customer_id not in found:
            found.append(customer_id)
            record = self.records["Customer"].get(customer_id)
            customer_id = record.fields.get("ParentRef", {}).get("value", "") if record else ""
        return tuple(found)

    def account(self, role: str) -> str:
        """The Id of the account that plays a role of the chart."""
        return self.roles[role]

    def play_role(self, role: str, account_id: str) -> None:
        """Remember which account plays a role of the chart."""
        self.roles[role] = account_id

    def is_receivable(self, account_id: str) -> bool:
        """Whether postings to an account must name a customer."""
        return account_id in self.ledger.receivable

    def reference(self, kind: str, fields: Document, name: str) -> str:
        """The Id in a reference property, or "" when it is not given.

        Raises:
            Refused: 2500 when nothing ever had the Id, 610 when it is inactive or deleted.
        """
        value = fields.get(name, {}).get("value", "")
        if not value:
            return ""
        record = self.records[kind].get(value)
        if record is None:
            raise refusals.bad_reference(name, value)
        # What is already booked may go on pointing at something that has since been made inactive.
        if record.deleted or (self.creating and not record.fields.get("Active", True)):
            raise refusals.not_found()
        return str(value)

    def reference_of(self, fields: Document, name: str) -> Record | None:
        """What a reference points at, by the kinds its name allows."""
        value = fields.get(name, {}).get("value", "")
        found = (self.records[kind].get(value) for kind in MUST_EXIST[name])
        return next((record for record in found if record is not None), None)

    def check_references(self, value: object) -> None:
        """Everything a document names must be there.

        Raises:
            Refused: 2500 when it never was, 610 when it is gone.
        """
        for one in value if isinstance(value, list) else ():
            self.check_references(one)
        for name, one in value.items() if isinstance(value, dict) else ():
            if name not in MUST_EXIST or not isinstance(one, dict) or "value" not in one:
                self.check_references(one)
                continue
            target = self.reference_of({name: one}, name)
            if target is None:
                raise refusals.bad_reference(name, one["value"])
            self.reference(target.kind, {name: one}, name)

    def income_account(self, item_id: str) -> str:
        """Where the sale of an item is posted."""
        item = self.records["Item"].get(item_id)
        account = item.fields.get("IncomeAccountRef") if item else None
        return str(account["value"]) if account else self.account("income")

    def expense_account(self, item_id: str) -> str:
        """Where the purchase of an item is posted."""
        item = self.records["Item"].get(item_id)
        account = item.fields.get("ExpenseAccountRef") if item else None
        return str(account["value"]) if account else self.account("fees")

    def account_currency(self, account_id: str) -> str:
        """The one currency of an account."""
        fields = self.records["Account"][account_id].fields
        return str(fields.get("CurrencyRef", {}).get("value", self.settings.home_currency))

    def money_account(self, fields: Document, name: str, currency: str) -> str:
        """The bank account, till or card in a reference, or "".

        Raises:
            Refused: 6000 for an account of another type, or of a currency neither of the document nor ours.
        """
        account_id = self.reference("Account", fields, name)
        if not account_id:
            return ""
        if self.records["Account"][account_id].fields.get("AccountType") not in MONEY_ACCOUNTS:
            raise refusals.business(f"{name} must be a Bank, Other Current Asset or Credit Card account.")
        self._check_currency(account_id, currency)
        return account_id

    def posted_account(self, detail: Document, currency: str) -> str:
        """The account a line is posted to.

        Raises:
            Refused: 2020 without one, 6000 when its currency does not go with the document.
        """
        account_id = self.reference("Account", detail, "AccountRef")
        if not account_id:
            raise refusals.missing("AccountRef")
        self._check_currency(account_id, currency)
        return account_id

    def _check_currency(self, account_id: str, currency: str) -> None:
        """Home accounts take every currency, receivables and foreign accounts only their own."""
        own = self.account_currency(account_id)
        if own != currency and (own != self.settings.home_currency or self.is_receivable(account_id)):
            raise refusals.business(
                f"The currency of the account, {own}, is not that of the transaction, {currency}."
            )

    def party(self, account_id: str, entity: Document, name: str, currency: str) -> str:
        """The customer behind a line on a receivable account, else "".

        Raises:
            Refused: 6000 when the kind of account needs a name of another kind, or none is given.
        """
        known = self.reference_of(entity, name)
        if self.is_receivable(account_id):
            if known is None or known.kind != "Customer":
                raise refusals.business(
                    "When you use Accounts Receivable, you must choose a customer in the Name field."
                )
            if known.fields["CurrencyRef"]["value"] != currency:
                raise refusals.business("The transaction's currency is not that of the customer.")
            return known.id
        payable = self.records["Account"][account_id].fields.get("AccountType") == "Accounts Payable"
        if payable and (known is None or known.kind != "Vendor"):
            raise refusals.business(
                "When you use Accounts Payable, you must choose a vendor in the Name field."
            )
        return ""

    def undeposited(self, kind: str, record_id: str, deposit_id: str) -> Undeposited:
        """What a payment, receipt or journal entry has put into Undeposited Funds.

        Raises:
            Refused: 2500 for an unknown transaction, 6000 when nothing of it is there to be deposited.
        """
        record = self.find(kind, record_id) if kind in DEPOSITED_KINDS else None
        if record is None:
            raise refusals.bad_reference("LinkedTxn", record_id)
        if record.deposit_id not in {"", deposit_id}:
            raise refusals.business("The transaction is already on a deposit.")
        till = self.account("undeposited")
        there = [posting for posting in record.postings if posting.account_id == till]
        if not there:
            raise refusals.business("The transaction is not in Undeposited Funds.")
        currency = str(record.fields["CurrencyRef"]["value"])
        return Undeposited(sum(one.cents for one in there), sum(one.home_cents for one in there), currency)

    def tax_rates(self, code_id: str) -> tuple[Rate, ...]:
        """The rates of a tax code; none for one without tax."""
        code = self.records["TaxCode"].get(code_id)
        details = code.fields.get("SalesTaxRateList", {}).get("TaxRateDetail", []) if code else []
        ids = [one["TaxRateRef"]["value"] for one in details]
        return tuple(Rate(one, Decimal(self.records["TaxRate"][one].fields["RateValue"])) for one in ids)

    def line_tax_code(self, detail: Document) -> None:
        """Lines in the United States are NON by default; elsewhere a missing code is disputed.

        Raises:
            Refused: 6000, by switch.
        """
        if "TaxCodeRef" in detail:
            return
        if self.settings.country == "US":
            detail["TaxCodeRef"] = {"value": "NON"}
        elif self.records["TaxCode"] and self.switches.missing_tax_code == "refuse":
            raise refusals.business("Make sure all your transactions have a tax rate before you save.")

    def term_fields(self, term_id: str) -> Document:
        """The stored fields of a term."""
        return self.records["Term"][term_id].fields

    def currency_of_accounts(self, fields: Document) -> str:
        """The foreign currency among the accounts a document names, if there is one."""
        details = (
            detail for line in fields.get("Line", []) for detail in line.values() if isinstance(detail, dict)
        )
        owners = ((fields, "DepositToAccountRef"), (fields, "AccountRef"), (fields, "FromAccountRef"))
        named = [*owners, *((detail, "AccountRef") for detail in details)]
        found = [self.records["Account"].get(one.get(name, {}).get("value", "")) for one, name in named]
        currencies = {self.account_currency(account.id) for account in found if account is not None}
        return min(currencies - {self.settings.home_currency}, default="")
