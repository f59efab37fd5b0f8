"""Writing to the simulated platform: exactly one effect, and no answer believed that does not show it."""

from datetime import date

import pytest

from arsync.connectors import exact
from arsync.connectors.contract import (
    ApplyCredits,
    ApplyPayment,
    Bundle,
    Cannot,
    Fresh,
    PostCredit,
    PostReceipt,
    Ref,
    Reverse,
    Settle,
)
from arsync.core.items import AppliedLine, Books
from arsync.core.money import Money
from arsync.errors import ConsentLost, Unreachable
from arsync.simulators.quickbooks import Switches
from tests import xsd_oracle
from tests.connectors.quickbooks.helpers import USD_BOOKS, usd

ON = date(2026, 11, 20)
SERVICES = "1"


@pytest.fixture
def switches():
    return Switches(audit_every_write=True)


@pytest.fixture
def acme(world):
    return Ref("customer", world.keeper.create_customer("Acme")["Id"])


def invoice(world, customer, amount):
    return Ref("item", f"Invoice:{world.keeper.create_invoice(customer.id, amount)['Id']}")


def memo(world, customer, amount):
    return Ref("item", f"CreditMemo:{world.keeper.create_credit_memo(customer.id, amount)['Id']}")


def balance(world, ref):
    entity, number = ref.id.split(":")[:2]
    return str(world.keeper.get(entity, number)["Balance"])


def receipt(customer, total, *settles, **more):
    return PostReceipt(
        customer, ON, usd(total), tuple(Settle(item, usd(size)) for item, size in settles), **more
    )


def planned(world, *intents, raw=None, books=USD_BOOKS, generation=0):
    return world.connector.plan(Bundle("b-1", generation, intents), Fresh(raw or {}, books), ())


@pytest.fixture(autouse=True)
def every_body_holds_only_what_the_schema_knows(request, monkeypatch):
    """Each request body that leaves in these tests is checked against Intuit's own schema."""
    if not xsd_oracle.FOLDER.exists():
        yield
        return
    from arsync.connectors.quickbooks import sdk

    real, problems = sdk.Company.write, []

    def checked(self, entity, operation, body, key):
        problems.extend(xsd_oracle.check_entity(entity, exact.read_object(body)))
        return real(self, entity, operation, body, key)

    monkeypatch.setattr(sdk.Company, "write", checked)
    yield
    assert problems == []


# ---- what each intent becomes


def test_one_receipt_pays_three_invoices_less_a_credit_with_a_short_pay(world, acme):
    one, two, three = (invoice(world, acme, amount) for amount in ("100.10", "200.20", "50"))
    credit = memo(world, acme, "30.30")
    raw = world.raw(one, two, three, credit)
    settles = [(one, "100.10"), (two, "200.20"), (three, "40"), (credit, "-30.30")]
    _, [answer] = world.send(receipt(acme, "310.00", *settles, reference="WIRE  4711\nfrom Acme"), raw=raw)
    assert answer.outcome == "accepted"
    assert [balance(world, ref) for ref in (one, two, three, credit)] == ["0", "0", "10.00", "0"]
    stored = world.keeper.get("Payment", answer.ref.id.split(":")[1])
    assert (str(stored["TotalAmt"]), str(stored["UnappliedAmt"])) == ("310.00", "0")
    assert stored["PaymentRefNum"] == "WIRE 4711 from Acme"
    assert stored["PrivateNote"].startswith("arsync:b-1.0.0 ")
    assert stored["ProcessPayment"] is False
    [record] = answer.records
    assert record.ref == answer.ref
    assert record == world.pull().records[answer.ref], "the answer and the next pull tell the same"


def test_a_long_reference_is_cut_in_its_field_and_whole_in_the_note(world, acme):
    reference = "ACME INVOICES 1041 1042 1043 DATED NOVEMBER"
    _, [answer] = world.send(receipt(acme, "10", reference=reference))
    stored = world.keeper.get("Payment", answer.ref.id.split(":")[1])
    assert stored["PaymentRefNum"] == reference[:21].rstrip()
    assert reference in stored["PrivateNote"]


def test_money_without_an_invoice_stays_on_account(world, acme):
    account = world.keeper.account("checking")
    _, [answer] = world.send(receipt(acme, "25", deposit_account=account))
    [record] = answer.records
    assert (record.value.unapplied, record.value.deposit_account) == (usd("25"), account)


def test_credits_pay_without_cash_and_the_rest_of_them_remains(world, acme):
    owed, credit = invoice(world, acme, "20"), memo(world, acme, "50")
    intent = ApplyCredits(acme, ON, (Settle(owed, usd("20")), Settle(credit, usd("-20"))))
    _, [answer] = world.send(intent, raw=world.raw(owed, credit))
    assert answer.outcome == "accepted"
    assert (balance(world, owed), balance(world, credit)) == ("0", "30.00")


def test_a_journal_line_is_used_as_a_credit(world, acme):
    owed = invoice(world, acme, "100")
    row = world.keeper.create_journal_entry(
        [("Credit", "receivable", "30", acme.id), ("Debit", "income", "30")], date="2026-11-02"
    )
    line = next(one["Id"] for one in row["Line"] if one["JournalEntryLineDetail"].get("Entity"))
    credit = Ref("item", f"JournalEntry:{row['Id']}:{line}")
    intent = receipt(acme, "70", (owed, "100"), (credit, "-30"))
    _, [answer] = world.send(intent, raw=world.raw(owed, credit))
    assert answer.outcome == "accepted"
    assert balance(world, owed) == "0"
    assert world.pull().value("payment", answer.ref.id).lines == (
        AppliedLine(owed.id, usd("100")),
        AppliedLine(credit.id, usd("-30")),
    )


def test_a_discount_is_a_credit_memo_that_the_payment_then_uses(world, acme):
    owed = invoice(world, acme, "100")
    discount = PostCredit(acme, ON, usd("2"), SERVICES, None, "cash discount", owed)
    pay = receipt(acme, "98", (owed, "100"), credits_of=(0,))
    raw = world.raw(owed)
    finished, answers = world.send(discount, pay, raw=raw)
    assert finished is None
    assert [answer.outcome for answer in answers] == ["accepted", "accepted"]
    assert balance(world, owed) == "0"
    assert balance(world, answers[0].ref) == "0"
    assert answers[0].records[0].value.memo.startswith("arsync:b-1.0.0 cash discount on Invoice")


def test_the_unapplied_part_of_a_payment_is_used_and_its_other_lines_stay(world, acme):
    old, new = invoice(world, acme, "10"), invoice(world, acme, "40")
    number = world.keeper.create_payment(acme.id, "50", [("Invoice", old.id.split(":")[1], "6")])["Id"]
    payment = Ref("payment", f"Payment:{number}")
    raw = world.raw(payment, old, new)
    intent = ApplyPayment(payment, (Settle(new, usd("40")), Settle(old, usd("4"))))
    call = planned(world, intent, raw=raw)
    assert b"LineEx" not in call.body
    assert b"UnappliedAmt" not in call.body
    _, [answer] = world.send(intent, raw=raw)
    assert answer.outcome == "accepted"
    assert set(answer.records[0].value.lines) == {
        AppliedLine(old.id, usd("10")),
        AppliedLine(new.id, usd("40")),
    }
    back = Reverse(payment, (Settle(new, usd("40")), Settle(old, usd("4"))))
    _, [undone] = world.send(back, key="b-2", raw=world.raw(payment))
    assert undone.outcome == "accepted"
    assert undone.records[0].value.lines == (AppliedLine(old.id, usd("6")),)


def test_what_we_wrote_is_taken_back_payment_first(world, acme):
    owed = invoice(world, acme, "100")
    discount = PostCredit(acme, ON, usd("2"), SERVICES, None, "cash discount", owed)
    _, (credit, paid) = world.send(
        discount, receipt(acme, "98", (owed, "100"), credits_of=(0,)), raw=world.raw(owed)
    )
    _, [one] = world.send(Reverse(paid.ref), key="b-2", raw=world.raw(paid.ref))
    _, [two] = world.send(Reverse(credit.ref), key="b-3", raw=world.raw(credit.ref))
    assert (one.outcome, two.outcome) == ("accepted", "accepted")
    assert balance(world, owed) == "100.00"
    assert world.keeper.all("Payment") == world.keeper.all("CreditMemo") == []


def test_a_document_without_our_marker_is_not_deleted(world, acme):
    payment = Ref("payment", f"Payment:{world.keeper.create_payment(acme.id, '10')['Id']}")
    cannot = planned(world, Reverse(payment), raw=world.raw(payment))
    assert isinstance(cannot, Cannot)
    assert cannot.code == "unsupported"


# ---- what cannot be done is said before anything leaves


def test_less_is_left_than_decided_is_stale(world, acme):
    owed = invoice(world, acme, "100")
    world.keeper.create_payment(acme.id, "40", [("Invoice", owed.id.split(":")[1], "40")])
    cannot = planned(world, receipt(acme, "100", (owed, "100")), raw=world.raw(owed))
    assert cannot == Cannot(f"{owed.id} has 60.00 left, less than the 100.00 decided", "stale")


def closed(day):
    return Books("X", "USD", closed_until=day)


@pytest.mark.parametrize(
    ("books", "on", "total", "code"),
    [
        pytest.param(closed(ON), ON, usd("1"), "closed_period", id="the closing day itself"),
        pytest.param(closed(date(2026, 11, 19)), ON, usd("1"), None, id="the day after"),
        pytest.param(USD_BOOKS, ON, Money(100, "EUR"), "currency_mismatch", id="euros into dollar books"),
    ],
)  # fmt: skip
def test_books_that_take_no_such_receipt(world, acme, books, on, total, code):
    got = planned(world, PostReceipt(acme, on, total, ()), books=books)
    assert (got.code if isinstance(got, Cannot) else None) == code


def test_an_adjustment_without_a_product_is_unmapped(world, acme):
    owed = invoice(world, acme, "100")
    intent = PostCredit(acme, ON, usd("2"), "", None, "write-off", owed)
    assert planned(world, intent, raw=world.raw(owed)).code == "unmapped_adjustment"


def test_an_item_of_a_stranger_cannot_be_settled_but_one_of_a_branch_can(world, acme):
    branch = Ref("customer", world.keeper.create_customer("Branch", parent=acme.id)["Id"])
    stranger = Ref("customer", world.keeper.create_customer("Other")["Id"])
    own, foreign = invoice(world, branch, "10"), invoice(world, stranger, "10")
    raw = world.raw(own, foreign, branch, stranger, acme)
    assert planned(world, receipt(acme, "10", (foreign, "10")), raw=raw).code == "unsupported"
    _, [answer] = world.send(receipt(acme, "10", (own, "10")), raw=raw)
    assert answer.outcome == "accepted"


# ---- what the platform says against it


def test_a_payment_changed_by_somebody_else_is_stale(world, acme):
    owed = invoice(world, acme, "40")
    payment = Ref("payment", f"Payment:{world.keeper.create_payment(acme.id, '50')['Id']}")
    raw = world.raw(payment, owed)
    world.keeper.edit("Payment", payment.id.split(":")[1], PrivateNote="touched")
    _, [answer] = world.send(ApplyPayment(payment, (Settle(owed, usd("40")),)), raw=raw)
    assert (answer.outcome, answer.code) == ("stale", "5010")
    assert "trace 1-" in answer.why


def test_books_closed_meanwhile_refuse_with_their_own_code(world, acme):
    world.keeper.set_closing_date("2026-11-21")
    _, [answer] = world.send(receipt(acme, "10"))
    assert (answer.outcome, answer.code) == ("refused", "closed_period")
    assert world.keeper.all("Payment") == []


class TestStaleCodeForClosedBooks:
    @pytest.fixture
    def switches(self):
        return Switches(closed_period="5010")

    def test_a_closed_period_that_calls_itself_stale_is_still_a_refusal(self, world, acme):
        world.keeper.set_closing_date("2026-11-21")
        _, [answer] = world.send(receipt(acme, "10"))
        assert (answer.outcome, answer.code) == ("refused", "closed_period")


class TestAnswerThatDidNotDoIt:
    @pytest.fixture
    def switches(self):
        return Switches(closed_period="unchanged")

    def test_an_answer_of_success_that_changed_nothing_is_not_believed(self, world, acme):
        owed = invoice(world, acme, "40")
        payment = Ref(
            "payment", f"Payment:{world.keeper.create_payment(acme.id, '50', date='2026-11-02')['Id']}"
        )
        raw = world.raw(payment, owed)
        world.keeper.set_closing_date("2026-11-21")
        call, [answer] = world.send(ApplyPayment(payment, (Settle(owed, usd("40")),)), raw=raw)
        assert answer.outcome == "unknown"
        assert "UnappliedAmt '50.00', not '10.00'" in answer.why
        assert world.connector.find(call).state == "absent"


def test_more_than_is_left_is_refused_by_the_platform_too(world, acme):
    owed = invoice(world, acme, "100")
    raw = world.raw(owed)
    world.keeper.create_payment(acme.id, "40", [("Invoice", owed.id.split(":")[1], "40")])
    _, [answer] = world.send(receipt(acme, "100", (owed, "100")), raw=raw)
    assert (answer.outcome, answer.code) == ("refused", "6000")


# ---- lost answers


@pytest.mark.parametrize(
    "fault",
    ["lost_before_commit", "lost_after_commit", "reset_mid_body", "empty_504_after_commit", "html_503"],
)
def test_an_answer_lost_once_is_asked_for_again_under_the_same_key(world, acme, fault):
    world.simulator.faults.add("POST /payment", fault)
    _, [answer] = world.send(receipt(acme, "10"))
    assert answer.outcome == "accepted"
    assert len(world.keeper.all("Payment")) == 1
    sent = [line.requestid for line in world.requests("/payment") if line.method == "POST"]
    assert len(sent) == 2
    assert len(set(sent)) == 1


@pytest.mark.parametrize(
    ("fault", "state"),
    [
        ("lost_before_commit", "absent"),
        ("lost_after_commit", "present"),
        ("truncated_body", "present"),
        ("status_500", "absent"),
        ("status_500_after_commit", "present"),
        ("status_429", "absent"),
    ],
)
def test_an_answer_lost_for_good_is_unknown_and_found_out(world, acme, fault, state):
    owed = invoice(world, acme, "10")
    intent, raw = receipt(acme, "10", (owed, "10")), world.raw(owed)
    world.simulator.faults.add("POST /payment", fault, times=10)
    call, [answer] = world.send(intent, raw=raw)
    assert answer.outcome == "unknown"
    assert answer.why
    world.simulator.faults.clear()
    assert world.connector.find(call).state == state
    [again] = world.connector.send([call])
    assert again.outcome == "accepted"
    assert len(world.keeper.all("Payment")) == 1, "however often it is sent, there is one payment"


def test_a_platform_that_cannot_be_reached_raises_and_nothing_is_in_doubt(world, acme):
    call = planned(world, receipt(acme, "10"))
    world.simulator.stop()
    with pytest.raises(Unreachable):
        list(world.connector.send([call]))


def test_lost_consent_is_told_before_anything_leaves(world, acme):
    call = planned(world, receipt(acme, "10"))
    world.store.tokens = type(world.store.tokens)("access-gone", "refresh-gone", world.clock.now())
    with pytest.raises(ConsentLost):
        list(world.connector.send([call]))


def test_a_key_replayed_after_the_payment_was_deleted_is_not_success(world, acme):
    call, [answer] = world.send(receipt(acme, "10"))
    call = answer.call
    world.keeper.delete("Payment", answer.ref.id.split(":")[1])
    world.clock.sleep(3600)
    [again] = world.connector.send([call])
    assert again.outcome == "unknown"
    assert "exists no more" in again.why
    assert world.connector.find(call).state == "absent"
    _, [anew] = world.send(receipt(acme, "10"), generation=1)
    assert anew.outcome == "accepted"
    assert len(world.keeper.all("Payment")) == 1


# ---- finding


def sent(world, acme):
    _, [answer] = world.send(receipt(acme, "10"))
    return answer.call, answer.ref.id.split(":")[1]


def test_a_copied_note_is_not_mistaken_for_ours(world, acme):
    call, number = sent(world, acme)
    copy = world.keeper.copy("Payment", number)["Id"]
    assert world.connector.find(call).ref == Ref("payment", f"Payment:{number}")
    world.keeper.delete("Payment", number)
    world.keeper.edit("Payment", copy, TotalAmt=99)
    found = world.connector.find(call)
    assert found.state == "differs"
    assert "TotalAmt '99.00', not '10.00'" in found.difference


def test_a_payment_moved_to_another_day_is_found_by_its_customer(world, acme):
    call, number = sent(world, acme)
    world.keeper.edit("Payment", number, TxnDate="2026-11-01")
    assert world.connector.find(call).state == "present"


def test_a_marker_of_another_intent_with_the_same_beginning_is_not_ours(world, acme):
    _, number = sent(world, acme)
    world.keeper.edit("Payment", number, PrivateNote="arsync:b-1.0.01 hello")
    assert world.connector.find(planned(world, receipt(acme, "10"))).state == "absent"


def test_a_deletion_is_found_by_the_missing_object(world, acme):
    _, number = sent(world, acme)
    ref = Ref("payment", f"Payment:{number}")
    call = planned(world, Reverse(ref), raw=world.raw(ref))
    assert world.connector.find(call).state == "absent"
    world.keeper.delete("Payment", number)
    assert world.connector.find(call).state == "present"


def test_a_change_by_somebody_else_is_told_apart_from_ours(world, acme):
    owed = invoice(world, acme, "4")
    _, number = sent(world, acme)
    ref = Ref("payment", f"Payment:{number}")
    call = planned(world, ApplyPayment(ref, (Settle(owed, usd("4")),)), raw=world.raw(ref, owed))
    assert world.connector.find(call).state == "absent"
    world.keeper.edit("Payment", number, PaymentRefNum="other")
    assert world.connector.find(call).state == "differs"


# ---- other readings


def test_fetch_reads_again_and_says_what_is_gone(world, acme):
    one, two = invoice(world, acme, "1"), invoice(world, acme, "2")
    world.keeper.delete("Invoice", two.id.split(":")[1])
    page = world.connector.fetch([one, two, acme, Ref("terms", "1")])
    assert {record.ref for record in page.records} == {one, acme, Ref("terms", "1")}
    assert [gone.ref for gone in page.gone] == [two]


def test_totals_and_control_agree_with_the_open_items(world, acme):
    branch = Ref("customer", world.keeper.create_customer("Branch", parent=acme.id)["Id"])
    other = Ref("customer", world.keeper.create_customer("Other")["Id"])
    for customer, amount in ((acme, "10.10"), (branch, "20.20"), (other, "30.30")):
        invoice(world, customer, amount)
    world.keeper.create_payment(other.id, "100")
    totals = {one.customer: one.amount for one in world.connector.totals(date(2026, 11, 22))}
    assert totals == {
        acme.id: usd("10.10"), branch.id: usd("20.20"), other.id: usd("-69.70"), None: usd("-39.40")
    }  # fmt: skip
    [control] = world.connector.control()
    assert control.amount == usd("-39.40")


def test_an_empty_ledger_owes_nothing_and_says_so(world):
    assert [(one.customer, one.amount) for one in world.connector.totals(date(2026, 11, 22))] == [
        (None, usd("0"))
    ]


def test_probe_tells_the_books_and_a_clock_that_is_wrong(world):
    world.simulator.advance(600)
    probe = world.connector.probe()
    assert (probe.books.company, probe.books.home_currency) == ("Craig's Design", "USD")
    assert probe.clock_skew_s == -600
    assert any("600 s behind" in warning for warning in probe.warnings)


# ---- a company that keeps books in several currencies


class TestSeveralCurrencies:
    @pytest.fixture
    def company_options(self):
        from decimal import Decimal

        return {"multicurrency": True, "exchange_rates": {"EUR": Decimal("1.0825")}}

    def test_euros_pay_euros_and_everything_stays_in_euros(self, world):
        books = world.connector.probe().books
        assert books.multicurrency
        customer = Ref("customer", world.keeper.create_customer("Bauer GmbH", currency="EUR")["Id"])
        owed = invoice(world, customer, "100.10")
        raw = world.raw(owed, customer)
        euros = Money(10010, "EUR")
        intent = PostReceipt(customer, ON, euros, (Settle(owed, euros),))
        _, [answer] = world.send(intent, raw=raw, books=books)
        assert answer.outcome == "accepted"
        [record] = answer.records
        assert (record.value.total, record.value.lines) == (euros, (AppliedLine(owed.id, euros),))
        assert balance(world, owed) == "0"
        pulled = world.pull()
        assert pulled.unreadable == []
        assert pulled.value("item", owed.id).original == euros
        currencies = {one.amount.currency for one in world.connector.control()}
        assert currencies == {"USD", "EUR"}

    def test_dollars_do_not_pay_euros(self, world):
        books = world.connector.probe().books
        customer = Ref("customer", world.keeper.create_customer("Bauer GmbH", currency="EUR")["Id"])
        cannot = planned(world, receipt(customer, "1"), raw=world.raw(customer), books=books)
        assert cannot.code == "currency_mismatch"
