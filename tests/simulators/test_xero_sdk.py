"""The real xero-python drives a whole cycle of receivables, with its own models, tokens and quirks."""

from datetime import date
from decimal import Decimal

import pytest
import urllib3

accounting = pytest.importorskip("xero_python.accounting")

from xero_python.accounting import AccountingApi  # noqa: E402 - after the check that it is there
from xero_python.api_client import ApiClient  # noqa: E402
from xero_python.api_client.configuration import Configuration  # noqa: E402
from xero_python.api_client.oauth2 import OAuth2Token, TokenApi  # noqa: E402
from xero_python.exceptions import AccountingBadRequestException, RateLimitException  # noqa: E402
from xero_python.identity import IdentityApi  # noqa: E402

from arsync.simulators.xero import ALL_SCOPES  # noqa: E402

pytestmark = pytest.mark.slow
TOKEN_FIELDS = {
    "access_token",
    "scope",
    "expires_in",
    "token_type",
    "expires_at",
    "refresh_token",
    "id_token",
}


@pytest.fixture
def app(xero):
    return xero.add_app("SDK")


class Sdk:
    """An API client of its own: the SDK's Configuration is one for the whole process, so it is made by hand."""

    def __init__(self, url, xero, tenant, app, monkeypatch):
        self.tenant_id = tenant.organisation.id
        tokens = xero.grant(app, self.tenant_id)
        self.kept = {**tokens, "scope": list(ALL_SCOPES)}
        configuration = Configuration()
        configuration.oauth2_token = OAuth2Token(client_id=app.client_id, client_secret=app.client_secret)
        self.client = ApiClient(configuration, pool_threads=1)
        self.client.oauth2_token_getter(lambda: self.kept)
        self.client.oauth2_token_saver(self.kept.update)
        monkeypatch.setattr(TokenApi, "refresh_token_url", f"{url}/connect/token")
        # Left alone it sends a PUT four times and sleeps inside a call as long as Retry-After says.
        self.client.rest_client.pool_manager.connection_pool_kw["retries"] = urllib3.Retry(
            0, read=0, connect=0, redirect=0, status=0, other=0, respect_retry_after_header=False
        )
        self.api = AccountingApi(self.client, base_url=f"{url}/api.xro/2.0")
        self.identity = IdentityApi(self.client, base_url=url)


@pytest.fixture
def sdk(xero, tenant, app, monkeypatch):
    with xero.serve() as url:
        yield Sdk(url, xero, tenant, app, monkeypatch)


def test_a_whole_cycle_of_receivables(xero, tenant, keeper, sdk):  # noqa: PLR0915 - one story
    api, tid = sdk.api, sdk.tenant_id
    (connection,) = sdk.identity.get_connections()
    assert connection.tenant_name == "Acme Supply"
    (organisation,) = api.get_organisations(tid).organisations
    assert organisation.base_currency.value == "USD"
    name = r"O'Brien \ Sons' & Co"
    made = api.create_contacts(tid, accounting.Contacts(contacts=[accounting.Contact(name=name)]))
    contact = accounting.Contact(contact_id=made.contacts[0].contact_id)
    bank = next(one for one in api.get_accounts(tid).accounts if one.code == "090")

    def an_invoice(amount, **more):
        row = accounting.LineItem(description="Work", quantity=1, unit_amount=amount, account_code="200")
        return accounting.Invoice(
            type="ACCREC",
            contact=contact,
            date=date(2026, 2, 1),
            due_date=date(2026, 3, 3),
            line_items=[row],
            line_amount_types=accounting.LineAmountTypes.NOTAX,
            status="AUTHORISED",
            **more,
        )

    wanted = accounting.Invoices(invoices=[an_invoice(100.10), an_invoice(50), an_invoice(70)])
    first, second, third = api.create_invoices(tid, wanted, idempotency_key="inv-1").invoices
    again = api.create_invoices(tid, wanted, idempotency_key="inv-1").invoices
    assert [one.invoice_id for one in again] == [one.invoice_id for one in (first, second, third)]
    assert first.amount_due == Decimal("100.10")
    assert first.due_date == date(2026, 3, 3)

    account = accounting.Account(account_id=bank.account_id)
    one = accounting.Payment(
        invoice=accounting.Invoice(invoice_id=first.invoice_id),
        account=account,
        date=date(2026, 3, 1),
        amount=40.10,
    )
    (paid,) = api.create_payments(tid, accounting.Payments(payments=[one]), idempotency_key="pay-1").payments
    assert paid.amount == Decimal("40.10")
    rows = [
        accounting.Payment(invoice=accounting.Invoice(invoice_id=first.invoice_id), amount=60),
        accounting.Payment(invoice=accounting.Invoice(invoice_id=second.invoice_id), amount=50),
    ]
    batch = accounting.BatchPayment(account=account, date=date(2026, 3, 1), reference="ACH 7", payments=rows)
    made = api.create_batch_payment(tid, accounting.BatchPayments(batch_payments=[batch])).batch_payments[0]
    assert made.total_amount == Decimal("110.00")
    assert api.get_invoice(tid, first.invoice_id).invoices[0].status == "PAID"

    note = accounting.CreditNote(
        type="ACCRECCREDIT",
        contact=contact,
        date=date(2026, 2, 20),
        status="AUTHORISED",
        line_amount_types=accounting.LineAmountTypes.NOTAX,
        line_items=[accounting.LineItem(description="Back", quantity=1, unit_amount=30, account_code="200")],
    )
    credit = api.create_credit_notes(tid, accounting.CreditNotes(credit_notes=[note])).credit_notes[0]
    part = accounting.Allocation(
        amount=25, date=date(2026, 3, 1), invoice=accounting.Invoice(invoice_id=third.invoice_id)
    )
    done = api.create_credit_note_allocation(
        tid, credit.credit_note_id, accounting.Allocations(allocations=[part])
    ).allocations[0]
    assert done.amount == Decimal("25.00")

    ahead = accounting.BankTransaction(
        type="RECEIVE-OVERPAYMENT",
        contact=contact,
        bank_account=account,
        date=date(2026, 3, 1),
        line_items=[
            accounting.LineItem(description="Too much", quantity=1, unit_amount=5, account_code="610")
        ],
    )
    received = api.create_bank_transactions(tid, accounting.BankTransactions(bank_transactions=[ahead]))
    assert received.bank_transactions[0].overpayment_id
    assert api.get_overpayments(tid, page=1).overpayments[0].remaining_credit == Decimal("5.00")

    found = api.get_invoices(tid, where='Status=="AUTHORISED"', page=1, summary_only=True)
    assert [one.amount_due for one in found.invoices] == [Decimal("45.00")]
    assert len(api.get_payments(tid, where='Reference=="ACH 7"', page=1).payments) == 2
    report = api.get_report_aged_receivables_by_contact(tid, contact.contact_id).reports[0]
    assert report.rows[1].rows[-1].cells[-1].value == "35.00"
    api.create_invoice_history(
        tid,
        first.invoice_id,
        accounting.HistoryRecords(history_records=[accounting.HistoryRecord(details="Applied by test")]),
    )
    assert api.get_invoice_history(tid, first.invoice_id).history_records[0].details == "Applied by test"

    gone = api.delete_payment(tid, paid.payment_id, accounting.PaymentDelete(status="DELETED")).payments[0]
    assert gone.status == "DELETED"
    assert api.get_invoice(tid, first.invoice_id).invoices[0].amount_due == Decimal("40.10")
    keeper.audit()
    assert keeper.receivable_cents() == 40_10 + 45_00 - 5_00 - 5_00


def test_errors_arrive_as_the_sdk_knows_them(xero, keeper, bluebird, sdk):
    made = keeper.invoice(bluebird, "10.00")
    payment = accounting.Payment(
        invoice=accounting.Invoice(invoice_id=made["InvoiceID"]),
        account=accounting.Account(code="090"),
        amount=11,
    )
    with pytest.raises(AccountingBadRequestException) as caught:
        sdk.api.create_payments(sdk.tenant_id, accounting.Payments(payments=[payment]))
    assert "exceeds the amount outstanding" in caught.value.reason
    xero.faults.add("GET /Invoices", "status_429_minute")
    with pytest.raises(RateLimitException):
        sdk.api.get_invoices(sdk.tenant_id)


def test_the_sdk_refreshes_its_token(xero, sdk, clock):
    before = sdk.kept["access_token"]
    clock.advance(minutes=31)
    sdk.kept["expires_at"] = 1.0  # the SDK reads the real clock
    assert sdk.api.get_organisations(sdk.tenant_id).organisations
    assert sdk.kept["access_token"] != before
    assert set(sdk.kept) <= TOKEN_FIELDS


def test_left_alone_the_sdk_books_a_lost_payment_twice_and_a_key_prevents_it(xero, keeper, bluebird, sdk):
    """The trap behind the rule of one key a command: its retries repeat a PUT whose answer was lost."""
    del sdk.client.rest_client.pool_manager.connection_pool_kw["retries"]
    made = keeper.invoice(bluebird, "100.00")
    payment = accounting.Payment(
        invoice=accounting.Invoice(invoice_id=made["InvoiceID"]),
        account=accounting.Account(code="090"),
        amount=10,
    )
    for key, booked in ((None, 2), ("k1", 1)):
        xero.faults.add("PUT /Payments", "lost_after_commit")
        before = len(keeper.core.payments)
        more = {"idempotency_key": key} if key else {}
        sdk.api.create_payments(sdk.tenant_id, accounting.Payments(payments=[payment]), **more)
        assert len(keeper.core.payments) - before == booked
