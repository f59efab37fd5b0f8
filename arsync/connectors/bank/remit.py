"""What a payer says it pays, put together the same way for every format.

Shape   lines and what ties them to money -> `Remittance`; pure.
Law     where every line says what is paid and the payment's total is known, they agree or a problem says so.
"""

from collections.abc import Sequence
from datetime import date

from arsync.connectors.bank import identity
from arsync.core.bank import Grade, Problem, Remittance, RemittanceLine
from arsync.core.money import Money

DISAGREES = "remittance-does-not-add-up"
ASK = "ask the payer; nothing of it is taken for granted"


def advice(
    lines: Sequence[RemittanceLine],
    *,
    locator: str,
    on: date | None,
    currency: str | None,
    total: Money | None,
    reference: str = "",
    payer_name: str = "",
    payer_account: str = "",
    line_key: str | None = None,
    grade: Grade = "bank file",
    problems: Sequence[Problem] = (),
    raw: str = "",
) -> Remittance:
    """Build a remittance, and hold its lines against its total."""
    lines = tuple(lines)
    problems = (*problems, *_sum_problem(lines, total, locator, raw))
    identifying = "\x1f".join(f"{line.reference}={line.paid or line.gross}" for line in lines)
    return Remittance(
        key=identity.hashed((line_key or "", reference, str(on), str(total), payer_account, identifying)),
        locator=locator,
        on=on,
        payer_name=payer_name,
        payer_account=payer_account,
        currency=currency,
        total=total,
        grade=grade,
        reference=reference,
        line_key=line_key,
        lines=lines,
        problems=problems,
        raw=raw,
    )


def _sum_problem(
    lines: tuple[RemittanceLine, ...], total: Money | None, locator: str, raw: str
) -> tuple[Problem, ...]:
    paid = [line.paid for line in lines if line.paid is not None]
    if total is None or not lines or len(paid) < len(lines):
        return ()
    comes_to = sum(amount.minor for amount in paid if amount.currency == total.currency)
    if comes_to == abs(total.minor) and all(amount.currency == total.currency for amount in paid):
        return ()
    why = f"its lines add up to {Money(comes_to, total.currency)}, the payment is {abs(total)}"
    return (Problem(DISAGREES, locator, "remittance", raw[:400], why, ASK),)
