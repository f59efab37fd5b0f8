"""What a payer says it pays, put together the same way for every format.

Shape   a remittance without key -> the same with its key, held against its own total; pure.
Law     where every line says what is paid and the payment's total is known, they agree or a problem says so.
"""

from dataclasses import replace

from arsync.connectors.bank import identity
from arsync.core.bank import Problem, Remittance
from arsync.core.money import Money

DISAGREES = "remittance-does-not-add-up"
ASK = "ask the payer; nothing of it is taken for granted"
_SHOWN = 400


def sealed(advice: Remittance) -> Remittance:
    """The advice with its identity, and with a problem where its lines do not come to its total."""
    return keyed(replace(advice, problems=(*advice.problems, *_sum_problem(advice))))


def keyed(advice: Remittance) -> Remittance:
    """The advice with its identity."""
    documents = "\x1f".join(f"{line.reference}={line.paid or line.gross}" for line in advice.lines)
    identifying = (
        advice.line_key or "",
        advice.reference,
        str(advice.on),
        str(advice.total),
        advice.payer_account,
    )
    return replace(advice, key=identity.hashed((*identifying, documents)))


def _sum_problem(advice: Remittance) -> tuple[Problem, ...]:
    total = advice.total
    paid = [line.paid for line in advice.lines if line.paid is not None]
    if total is None or not paid or len(paid) < len(advice.lines):
        return ()
    if any(amount.currency != total.currency for amount in paid):
        return ()
    comes_to = sum(amount.minor for amount in paid)
    if comes_to == abs(total.minor):
        return ()
    why = f"its lines add up to {Money(comes_to, total.currency)}, the payment is {abs(total)}"
    return (Problem(DISAGREES, advice.locator, "remittance", advice.raw[:_SHOWN], why, ASK),)
