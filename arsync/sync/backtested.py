"""What back-tests said: kept as events, so that a ledger goes to `auto` knowing its own past."""

import hashlib
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from arsync.core.matching.sampling import interval
from arsync.output import counted
from arsync.store import audit, office
from arsync.store.engine import Tx
from arsync.store.office import Ledger

if TYPE_CHECKING:
    from arsync.core.matching.backtest import Quality

_WHAT, _SUBJECT = "back-tested", "back-test"


@dataclass(frozen=True, slots=True)
class BackTest:
    """One that was run."""

    at: str
    who: str
    receipts: int
    alone: int
    wrong: int


def entry(text: str, since: date | None, quality: "Quality") -> audit.Entry:
    """The event of a back-test of the policy with this text."""
    body = {
        "policy_sha": _sha(text),
        "since": since.isoformat() if since else None,
        "receipts": quality.receipts,
        "alone": quality.alone,
        "wrong": quality.wrong,
    }
    return audit.Entry(_WHAT, _SUBJECT, body)


def newest(conn: Tx, ledger: Ledger) -> BackTest | None:
    """The newest of the policy in force; None if nobody has asked for one."""
    sha = _sha(office.policy_in_force(conn, ledger.id).text)
    for event in reversed(audit.history(conn, ledger.id, _SUBJECT)):
        body = event["body"]
        if body is not None and body["policy_sha"] == sha:
            return BackTest(event["at"], event["who"], body["receipts"], body["alone"], body["wrong"])
    return None


def said(tested: BackTest | None) -> str:
    """It in a sentence, or what to do where there is none."""
    if tested is None:
        return "warning: nobody has asked what the policy in force would have done with the past: arsync backtest"
    low, high = (round(10_000 * share) for share in interval(tested.wrong, tested.alone))
    return (
        f"back-tested {tested.at[:10]} by {tested.who} under the policy in force: of "
        f"{counted(tested.receipts, 'receipt')} {tested.alone:,} applied alone, {tested.wrong:,} of them wrong "
        f"({low} to {high} in 10,000)"
    )


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
