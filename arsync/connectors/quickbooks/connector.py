"""QuickBooks Online: the six verbs, and nothing but glue. Facts and limits are in README.md."""

import urllib.parse
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from arsync.connectors import oauth
from arsync.connectors.contract import (
    Answer,
    Bundle,
    Call,
    Cannot,
    Document,
    Found,
    Fresh,
    Kind,
    Manifest,
    Page,
    Ports,
    Probe,
    Pull,
    Reads,
    Ref,
    Tokens,
    Total,
    Verb,
    Webhooks,
    Writes,
)
from arsync.connectors.pace import AccountPace, Limit
from arsync.connectors.quickbooks import plan, query
from arsync.connectors.transport import Transport, garbled
from arsync.core.items import Books
from arsync.core.money import AmountUnreadable, Money, total
from arsync.errors import PlatformBusy, PlatformRefused

if TYPE_CHECKING:
    from arsync.connectors.quickbooks.sdk import Company

NAME = "quickbooks"
_TOKEN_HOST, _REVOKING_HOST = "oauth.platform.intuit.com", "developer.api.intuit.com"
SCOPE = "com.intuit.quickbooks.accounting"
# Opt-in: without it Intuit does not say when a person must consent again whatever we do.
_HARD_EXPIRY = {"x-include-refresh-token-hard-expires-in": "true"}
_SKEW_WORTH_A_WARNING_S = 60
_LIMITS = (Limit(8, 1.0), Limit(450, 60.0), Limit(35, 60.0, ending="/batch"))  # QuickBooks: 10, 500, 40
_CONCURRENT = 8  # QuickBooks allows 10
_RECEIVABLE = query.equals("AccountType", "Accounts Receivable")
_EVERY_STATE = "Active IN (true, false)"
Given = TypeVar("Given")


@dataclass(frozen=True, slots=True)
class QuickBooksSettings:
    """One connection. For the sandbox or a simulator, the addresses differ."""

    company: ClassVar[str] = "realm_id"
    realm_id: str
    base_url: str = "https://quickbooks.api.intuit.com"
    token_url: str = "https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer"  # noqa: S105 - an address
    authorize_url: str = "https://appcenter.intuit.com/connect/oauth2"
    revoke_url: str = ""  # else Intuit's, or where a sandbox or simulator has its token address
    minor_version: int = 75


_RECORDS = Reads(
    frozenset({"changes", "window", "full", "ids"}), gone="feed", applications="explicit", overlap_s=300
)
_LIST = Reads(
    frozenset({"changes", "window", "full", "ids"}), gone="flag", applications="none", overlap_s=300
)
_BOOKS = Reads(frozenset({"full"}), gone="never", applications="none", overlap_s=0)
_READS: Mapping[Kind, Reads] = {
    "customer": _LIST,
    "item": _RECORDS,
    "payment": _RECORDS,
    "terms": _LIST,
    "account": _LIST,
    "product": _LIST,
    "books": _BOOKS,
}
_DOCUMENT = Writes(
    route="direct",
    target="line",
    bundle="intent",
    retry="same_key",
    key_ttl_s=None,  # Intuit does not say how long a key is remembered: look first, then send again
    find="ask",
    marker=(plan.MARKER_FIELD, plan.MARKER_WIDTH),
    undo="delete",
    atomic=True,
    calls_per_send=plan.BATCH,
    late_s=130,  # QuickBooks gives a request up after 120 s
)
_WRITES: Mapping[Verb, Writes] = {
    **dict.fromkeys(("post_receipt", "apply", "post_credit", "post_entry"), _DOCUMENT),
    # No pull shows a deposit that touches no receivable, so nothing knows its version.
    **dict.fromkeys(("deposit", "park"), replace(_DOCUMENT, undo="none")),
    "reverse": replace(_DOCUMENT, marker=None, undo="none"),
    "note": replace(_DOCUMENT, marker=None, undo="none"),
}


class QuickBooksConnector:
    """One company of QuickBooks Online."""

    manifest: ClassVar[Manifest] = Manifest(
        NAME, _READS, _WRITES, frozenset({"customer", "ledger", "document"})
    )
    Settings: ClassVar[type] = QuickBooksSettings

    def __init__(self, settings: QuickBooksSettings, ports: Ports) -> None:
        self._settings, self._ports = settings, ports
        self._site = plan.Site(settings.realm_id, settings.minor_version)
        self._endpoints = oauth.Endpoints(
            NAME,
            settings.authorize_url,
            settings.token_url,
            settings.revoke_url or _revoke_url(settings),
            SCOPE,
            asks=_HARD_EXPIRY,
        )

    # ---- signing in

    def authorize_url(self, redirect_uri: str, state: str) -> str:
        """Where a person lets us in."""
        return oauth.authorize_url(self._endpoints, self._ports.client_id, redirect_uri, state)

    def exchange(self, code: str, redirect_uri: str) -> Tokens:
        """Trade the code that came back for tokens, and save them."""
        return self._sign_in.exchange(code, redirect_uri)

    def revoke(self) -> bool:
        """Give the consent back; False when QuickBooks knew nothing of it any more."""
        return self._sign_in.revoke()

    # ---- what it tells by itself

    @staticmethod
    def webhooks() -> Webhooks:
        """How QuickBooks says that something changed."""
        from arsync.connectors.quickbooks import webhook

        return Webhooks(webhook.SIGNATURE, webhook.signed, webhook.companies)

    # ---- the contract

    def probe(self) -> Probe:
        """Sign in, look at the company and its settings."""
        from arsync.connectors.quickbooks.pull import books_record, company_name, read_preferences

        name = self._told(lambda: company_name(self._company))
        preferences, _ = self._told(lambda: read_preferences(self._company))
        books = books_record(preferences, name).value
        assert isinstance(books, Books)
        skew_s = self._skew_s()
        return Probe(books, frozenset(_WRITES), books.warnings + _clock_warnings(skew_s), skew_s)

    def pull(self, want: Pull) -> Iterator[Page]:
        """Everything that changed since the cursor; see `pull.py`."""
        from arsync.connectors.quickbooks.pull import Puller

        pages = Puller(self._company, want, self._ports.now).pages()
        while (page := self._told(lambda: next(pages, None))) is not None:
            yield page

    def plan(self, bundle: Bundle, fresh: Fresh, done: Sequence[Answer]) -> Call | Cannot | None:
        """The next call of the bundle; pure."""
        return plan.plan(bundle, fresh, done, self._site)

    def send(self, calls: Sequence[Call]) -> Iterator[Answer]:
        """One call by itself; several as one batch, whose items stand or fall each by itself."""
        from arsync.connectors.quickbooks import send

        if len(calls) == 1:
            yield send.send(self._company, calls[0])
        elif calls:
            yield from send.send_together(self._company, calls)

    def find(self, call: Call) -> Found:
        """What became of a call whose answer was lost."""
        from arsync.connectors.quickbooks import send

        return self._told(lambda: send.find(self._company, call))

    def fetch(self, refs: Sequence[Ref]) -> Page:
        """These records as they are now."""
        from arsync.connectors.quickbooks.pull import Puller

        entries = any(ref.id.startswith(("JournalEntry:", "Deposit:", "Payment:")) for ref in refs)
        receivable = (
            frozenset(str(row.get("Id")) for row in self._receivable_rows()) if entries else frozenset()
        )
        puller = Puller(self._company, Pull(None), self._ports.now)
        return self._told(lambda: puller.fetch(refs, receivable))

    def totals(self, as_of: date, foreign: frozenset[str] = frozenset()) -> tuple[Total, ...]:
        """What each customer owes on that day by QuickBooks' own report, and their sum, in home currency.

        The report states `foreign` customers in home currency at a rate of its own; those with something open are
        stated by their own record instead, in their currency, as of now.
        """
        from arsync.connectors.quickbooks import reports

        options = {"report_date": as_of.isoformat(), "aging_method": "Report_Date"}
        report = self._told(lambda: self._company.report("AgedReceivables", options))
        home = self._home_of(report)
        try:
            totals = reports.aged_receivables(report, f"AgedReceivables {as_of}", home)
        except (reports.ReportUnreadable, AmountUnreadable) as error:
            raise garbled(NAME, self._company.last, str(error), "AgedReceivables") from error
        abroad = sorted(str(one.customer) for one in totals if one.customer in foreign)
        rest = (one for one in totals if one.customer not in foreign)
        return (*rest, *self._told(lambda: self._balances(abroad)))

    def _balances(self, customers: Sequence[str]) -> tuple[Total, ...]:
        """What these customers' own records say they owe, in their own currency."""
        from arsync.connectors.quickbooks.pull import by_ids

        totals = []
        for row in by_ids(self._company, "Customer", customers):
            currency, where = (row.get("CurrencyRef") or {}).get("value"), f"customer {row.get('Id')}"
            try:
                balance = Money.of(str(row.get("Balance")), str(currency))
            except AmountUnreadable as error:
                raise garbled(NAME, self._company.last, f"Balance: {error}", where) from error
            totals.append(Total(str(row.get("Id")), balance, f"balance of {where}"))
        return tuple(totals)

    def documents(self, customers: Sequence[str], as_of: date) -> tuple[Document, ...]:
        """The open documents of these customers by QuickBooks' own report, in home currency."""
        from arsync.connectors.quickbooks import mapping, reports
        from arsync.connectors.quickbooks.pull import ENTITIES

        options = {"report_date": as_of.isoformat(), "customer": ",".join(customers)}
        report = self._told(lambda: self._company.report("CustomerBalanceDetail", options))
        home = self._home_of(report)
        try:
            stated = reports.open_documents(report, home)
        except (reports.ReportUnreadable, AmountUnreadable) as error:
            raise garbled(NAME, self._company.last, str(error), "CustomerBalanceDetail") from error
        entities = {one.lower(): one for one in ENTITIES}
        found = []
        for one in stated:
            entity = entities.get(one.kind.replace(" ", "").lower())
            ref = mapping.ref_of(entity, one.number) if entity else None
            found.append(Document(one.customer, ref, one.name, one.open))
        return tuple(found)

    def _home_of(self, report: Mapping[str, Any]) -> str:
        """The home currency, where a report does not state it itself."""
        stated = report.get("Header")
        return "" if isinstance(stated, dict) and stated.get("Currency") else self._home_currency()

    def control(self) -> tuple[Total, ...]:
        """The balances of the accounts receivable, one total per currency."""
        rows = self._receivable_rows()
        home = self._home_currency() if any(not row.get("CurrencyRef") for row in rows) else ""
        per_currency: dict[str, list[Money]] = {}
        names: dict[str, list[str]] = {}
        for row in rows:
            currency = str((row.get("CurrencyRef") or {}).get("value") or home)
            try:
                balance = Money.of(str(row.get("CurrentBalance")), currency)
            except AmountUnreadable as error:
                where = f"account {row.get('Id')}"
                raise garbled(NAME, self._company.last, f"CurrentBalance: {error}", where) from error
            per_currency.setdefault(currency, []).append(balance)
            names.setdefault(currency, []).append(f"account {row.get('Id')} {row.get('Name')}")
        return tuple(
            Total(None, total(balances, currency), ", ".join(names[currency]))
            for currency, balances in per_currency.items()
        )

    def close(self) -> None:
        """Close the connections; the connector may still be used and opens new ones."""
        if "_transport" in self.__dict__:
            self._transport.close()
            for name in ("_transport", "_sign_in", "_company"):
                self.__dict__.pop(name, None)

    # ---- what the verbs stand on

    @cached_property
    def _transport(self) -> Transport:
        ports = self._ports
        # QuickBooks counts by company and app, so all who speak with the company here share one pace.
        account = f"{self._settings.base_url} {self._settings.realm_id}"

        def make() -> AccountPace:
            return AccountPace(_LIMITS, _CONCURRENT, ports.now, ports.sleep)

        pace = make() if ports.paces is None else ports.paces.of(account, make)
        return Transport(NAME, ports.now, ports.sleep, ports.meter, pace)

    @cached_property
    def _sign_in(self) -> oauth.SignIn:
        return oauth.SignIn(self._endpoints, self._transport, self._ports)

    @cached_property
    def _company(self) -> "Company":
        from arsync.connectors.quickbooks.sdk import Company

        site = self._settings
        return Company(site.base_url, site.realm_id, site.minor_version, self._transport, self._sign_in)

    def _told(self, read: Callable[[], Given]) -> Given:
        """A reading, whose fault becomes an error for people."""
        from arsync.connectors.quickbooks.faults import meaning
        from arsync.connectors.quickbooks.sdk import Faulted

        try:
            return read()
        except Faulted as error:
            fault = error.fault
            where = f"{error.where}, trace {fault.trace or 'none'}"
            if meaning(fault) in {"busy", "throttled"}:
                what = f"QuickBooks cannot answer now: {fault.said}"
                raise PlatformBusy(what, where=where, do="nothing; the next run tries again") from error
            what = f"QuickBooks refused a question: {fault.said}"
            raise PlatformRefused(what, where=where, do="report it with the trace number") from error

    def _receivable_rows(self) -> list[dict[str, Any]]:
        statement = query.select("Account", _RECEIVABLE, _EVERY_STATE)
        answer = self._told(lambda: self._company.query(statement))
        return list((answer.get("QueryResponse") or {}).get("Account") or [])

    def _home_currency(self) -> str:
        from arsync.connectors.quickbooks.pull import books_record, read_preferences

        preferences, _ = self._told(lambda: read_preferences(self._company))
        books = books_record(preferences, "").value
        assert isinstance(books, Books)
        return books.home_currency

    def _skew_s(self) -> int | None:
        theirs = self._company.date()
        return None if theirs is None else round((self._ports.now() - theirs).total_seconds())


def _revoke_url(settings: QuickBooksSettings) -> str:
    """Never another platform's address than the one that gave the tokens."""
    split = urllib.parse.urlsplit(settings.token_url)
    host = _REVOKING_HOST if split.hostname == _TOKEN_HOST else split.netloc
    return f"{split.scheme}://{host}/v2/oauth2/tokens/revoke"


def _clock_warnings(skew_s: int | None) -> tuple[str, ...]:
    if skew_s is None or abs(skew_s) < _SKEW_WORTH_A_WARNING_S:
        return ()
    return (f"this machine's clock is {abs(skew_s)} s {'ahead of' if skew_s > 0 else 'behind'} QuickBooks'",)
