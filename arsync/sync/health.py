"""Health: what of a ledger is well, what needs a person, and which command helps.

Shape   one `Check` a fact, from the store alone; `ask` looks at the platform.
"""

import re
import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from arsync.connectors.contract import Tokens
from arsync.core.items import Books
from arsync.errors import ArsyncError
from arsync.store import audit, books, office, proofs, quality, queries, runs
from arsync.store.office import Ledger
from arsync.store.vault import StoredTokens, sign_in_command
from arsync.sync.budget import SLOW_PERCENT, STOP_PERCENT, Budget, budget_of
from arsync.sync.connect import House, open_connector

_GAP = timedelta(days=2)  # a ledger that runs nightly is never older
_CONSENT_SOON, _CONSENT_NOW = 60, 7  # days; the second is an alarm
_CONSENT_THIS_MONTH = 30
_UNUSED_DAYS = 60  # a refresh token that nobody uses dies after about a hundred days
_DAYS_LEFT = 40
# Commands that want to know which ledger, where there are several.
_OF_A_LEDGER = re.compile(r"arsync (?:proof show|audit verify|quality|reconcile|pull|run)\b")
_WAITS_LONG = timedelta(hours=2)  # a webhook's mark that no pull has heeded


@dataclass(frozen=True, slots=True)
class Check:
    """One fact, whether it is well, and what to do if it is not."""

    state: Literal["ok", "warn", "bad"]
    what: str
    do: str = ""


def ledger_checks(house: House, ledger: Ledger) -> list[Check]:
    """Everything the store knows of a ledger's health."""
    now = house.clock()
    with house.store.read() as conn:
        row = office.connection_row(conn, ledger.connection_id)
        ended = runs.latest(conn, ledger.id)
        done = runs.latest(conn, ledger.id, outcome="done")
        open_ones = [d for d in proofs.standing(conn, ledger.id).values() if d.unexplained_minor]
        meter = office.metered(conn, ledger.connection_id, office.month_of(house.clock))
        budget = budget_of(conn, ledger.connection_id, house.monthly_reads, house.clock)
        unfinished = queries.unfinished(conn, ledger.id)
        read_only_since = queries.read_only_since(conn, ledger.id)
        count, faults = audit.verify(conn, ledger.id, house.vault.signing_key())
        policy = office.policy_in_force(conn, ledger.id)
        known_books = books.books_of(conn, ledger.id)
        strange = office.unknown_fields(conn, ledger.connection_id)
        several = len(office.ledgers(conn)) > 1
        held = quality.held(conn, ledger.id)
        never = policy.policy.never_customers
        strangers = sorted(never - set(queries.customer_names(conn, ledger.id).values())) if never else []
    checks = [Check("ok", f"{ledger.mode}, policy version {policy.version}, {_counted(count, 'event')}")]
    if ledger.stopped:
        checks.append(Check("bad", ledger.stopped, "see: arsync proof show"))
    if open_ones:
        checks.append(
            Check("warn", _counted(len(open_ones), "unexplained difference"), "see: arsync proof show")
        )
    if faults:
        checks.append(
            Check("bad", f"the audit chain has {_counted(len(faults), 'fault')}", "see: arsync audit verify")
        )
    checks += [
        Check(
            "warn",
            f'"{klass}" applies nothing by itself since {_minute(one.held_at)}: {one.why}',
            "arsync quality",
        )
        for klass, one in held.items()
    ]
    checks += [
        Check("warn", f"do_not_accept names {name}, whom the books do not have", "arsync policy show")
        for name in strangers
    ]
    checks += _work(row, ended, done, now)
    if unfinished:
        checks.append(Check("warn", "something is still to be sent or verified", "arsync reconcile"))
    checks += _sign_in(house, row, now)
    checks += _budget(budget, meter)
    checks += _company(row, known_books, read_only_since)
    checks.append(_zone(house, ledger, known_books))
    if strange:
        names = ", ".join(one.name for one in strange[:5]) + (" ..." if len(strange) > 5 else "")  # noqa: PLR2004
        checks.append(
            Check("ok", f"{row.platform} sends what nobody announced, kept in the raw records: {names}")
        )
    which = f" --ledger {shlex.quote(ledger.name)}" if several else ""
    return [
        Check(one.state, f"ledger {ledger.name}: {one.what}", _OF_A_LEDGER.sub(rf"\g<0>{which}", one.do))
        for one in checks
    ]


# ---- work


def _work(row: Any, ended: Any, done: Any, now: datetime) -> list[Check]:
    if ended is None:
        return [Check("warn", "never run", "arsync reconcile --dry-run"), *_heard(row, now)]
    well = ended.outcome == "done"
    said = f": {ended.error}" if ended.error else ""
    checks = [
        Check(
            "ok" if well else "warn",
            f"last run {ended.outcome} {_minute(ended.ended_at or ended.started_at)}{said}",
        )
    ]
    pulled = max(filter(None, (done.started_at if done else None, row.cursor_at)), default=None)
    if pulled is None:
        checks.append(Check("warn", "the books were never read to the end", "arsync pull"))
    elif (gap := now - datetime.fromisoformat(pulled)) > _GAP:
        what = f"the books were last read {gap.days} days ago, {_minute(pulled)}"
        checks.append(Check("warn", what, "arsync run; what changed meanwhile is caught up, deletions too"))
    if row.totals_at is None:
        checks.append(Check("warn", "never proved against the platform's figures", "arsync reconcile"))
    elif now - datetime.fromisoformat(row.totals_at) > _GAP:
        checks.append(Check("warn", f"last proved {_minute(row.totals_at)}", "arsync run"))
    else:
        checks.append(Check("ok", f"last proved {_minute(row.totals_at)}"))
    return checks + _heard(row, now)


def _heard(row: Any, now: datetime) -> list[Check]:
    if row.heard_at is None:
        return []
    if office.unheeded(row) and now - datetime.fromisoformat(row.heard_at) > _WAITS_LONG:
        what = f"changed at {_minute(row.heard_at)}, as a webhook said, and not read since"
        return [Check("warn", what, "arsync run; or let it follow: arsync run --follow")]
    return [Check("ok", f"last webhook {_minute(row.heard_at)}")]


# ---- sign-in


def _sign_in(house: House, row: Any, now: datetime) -> list[Check]:
    again = sign_in_command(row.platform, row.name)
    try:
        tokens = StoredTokens(house.store, house.vault, row.id).load()
    except ArsyncError as error:
        return [Check("bad", error.what, error.do)]
    return [*_use(tokens, row.platform, again, now), *_consent(tokens, row.platform, again, now)]


def _use(tokens: Tokens, platform: str, again: str, now: datetime) -> list[Check]:
    """The sign-in dies when nobody uses it."""
    if tokens.refresh_until is None:
        return [Check("ok", f"signed in to {platform}")]
    left = (tokens.refresh_until - now).days
    if tokens.refresh_until <= now:
        return [Check("bad", f"the sign-in to {platform} ended {_day(tokens.refresh_until)}", again)]
    unused = (now - tokens.renewed_at).days if tokens.renewed_at else 0
    if unused > _UNUSED_DAYS or left < _DAYS_LEFT:
        what = (
            f"the sign-in to {platform} was not used for {unused} days and ends {_day(tokens.refresh_until)}"
        )
        return [Check("bad", what, "arsync run, before that day")]
    return [Check("ok", f"{platform} lets us in for {left} more days without another run")]


def _consent(tokens: Tokens, platform: str, again: str, now: datetime) -> list[Check]:
    """The consent ends some day whatever we do."""
    if tokens.hard_until is None:
        return []
    left, day = (tokens.hard_until - now).days, _day(tokens.hard_until)
    if tokens.hard_until <= now:
        return [Check("bad", f"the consent to {platform} ended {day}", again)]
    what = f"the consent to {platform} ends {day}, whatever is done"
    if left <= _CONSENT_NOW:
        return [Check("bad", f"{what}: in {left} days", f"an administrator of the company, now: {again}")]
    if left <= _CONSENT_SOON:
        when = "this month" if left <= _CONSENT_THIS_MONTH else "within two months"
        return [Check("warn", f"{what}: {when}", f"an administrator of the company: {again}")]
    return [Check("ok", what)]


# ---- reads, and the company itself


def _budget(budget: Budget, meter: dict[str, int]) -> list[Check]:
    calls = ", ".join(f"{number:,} {what}" for what, number in meter.items())
    checks = [Check("ok", f"calls this month: {calls}")] if calls else []
    what = f"{budget.percent} % of the month's {budget.allowed:,} reads are used"
    if budget.percent < SLOW_PERCENT:
        return [*checks, Check("ok", what)]
    how = (
        "looks at books where nothing waits come once a day"
        if budget.percent >= STOP_PERCENT
        else "looks at books where nothing waits come every four hours"
    )
    return [*checks, Check("warn", f"{what}: {how}", f"run less often, or raise {budget.app}.monthly_reads")]


def _company(row: Any, known: Books | None, read_only_since: str | None) -> list[Check]:
    checks = []
    if read_only_since is not None:
        what = f"the company is read-only since {_minute(read_only_since)}: nothing can be written"
        checks.append(Check("bad", what, f"renew the company's subscription to {row.platform}"))
    if known is not None and known.closed_until is not None:
        checks.append(Check("ok", f"the books are closed through {known.closed_until}"))
    warnings = known.warnings if known is not None else ()
    return checks + [Check("warn", warning, "in the company's settings") for warning in warnings]


def _zone(house: House, ledger: Ledger, known: Books | None) -> Check:
    """Where its day begins, and who says so."""
    here = house.here(ledger).zone
    if ledger.name in house.zones:
        stated = f"; its books say {known.zone}" if known and known.zone not in (None, here) else ""
        return Check("ok", f"its day is that of {here}, as arsync.toml says{stated}")
    if known is not None and known.zone is not None:
        return Check("ok", f"its day is that of {here}, as its books say")
    return Check("ok", f"its day is that of {here}: timezone in arsync.toml can name another zone")


def ask(house: House, ledger: Ledger) -> Check:
    """Sign in and look whether the platform answers; costs two or three reads."""
    name = f"ledger {ledger.name}"
    with house.store.read() as conn:
        budget = budget_of(conn, ledger.connection_id, house.monthly_reads, house.clock)
    if budget.stops:
        return Check("warn", f"{name}: not asked, {budget.percent} % of the month's reads are used")
    try:
        connector, meter = open_connector(house, ledger.connection_id)
        try:
            probe = connector.probe()
        finally:
            connector.close()
            meter.keep()
    except ArsyncError as error:
        return Check("bad", f"{name}: {error.what}", error.do)
    if probe.clock_skew_s is not None and abs(probe.clock_skew_s) > 60:  # noqa: PLR2004 - a minute
        return Check(
            "warn", f"{name}: the platform's clock and ours are {probe.clock_skew_s} s apart", "set the clock"
        )
    return Check("ok", f"{name}: the platform answers; the company is {probe.books.company}")


def _minute(at: str) -> str:
    return at[:16].replace("T", " ")


def _day(at: datetime) -> str:
    return f"{at:%Y-%m-%d}"


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
