"""The back door: what a person or another process may do to the simulator.

GET    /_control/                          the companies, as a page
GET    /_control/books/REALM               the books as JSON; with ?page=1 as a page
POST   /_control/companies                 {"realm_id", "name", ...}: arguments of `add_company`
POST   /_control/grant                     {"realm_id"}: tokens without a browser
POST   /_control/books/REALM/ACTION        arguments of a bookkeeper's action
GET POST DELETE /_control/faults           the fault script
GET    /_control/app                       client id and secret
GET    /_control/requests, /_control/counters, /_control/mail
GET POST /_control/clock                   {"advance_s"}, or {"now": "2026-04-01T09:00:00+00:00"}
GET POST /_control/switches                read or set switches
GET POST DELETE /_control/webhooks         endpoints and deliveries; {"url", "shape", "verifier"}; {"url"}
POST   /_control/webhooks/deliver          send now what is due
"""

from dataclasses import asdict, fields
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from arsync.simulators.quickbooks import pages
from arsync.simulators.quickbooks.bookkeeper import ACTIONS
from arsync.simulators.quickbooks.door import Answer, Company
from arsync.simulators.quickbooks.records import Switches
from arsync.simulators.quickbooks.refusals import Refused
from arsync.simulators.quickbooks.schema import TRANSACTION_KINDS
from arsync.simulators.quickbooks.wire import Document, amount, dump_json, parse_json

if TYPE_CHECKING:  # the simulator starts the server, which comes here
    from arsync.simulators.quickbooks.simulator import QuickBooksSimulator


def form(body: bytes) -> dict[str, str]:
    """A form body as a dictionary."""
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def answer(
    simulator: "QuickBooksSimulator", method: str, path: str, query: dict[str, str], body: bytes
) -> Answer:
    """Serve one control request."""
    parts = [part for part in path.split("/") if part]
    try:
        arguments = parse_json(body) if body else {}
        if not isinstance(arguments, dict):
            return _json(400, {"error": "the body must be a JSON object"})
        if (method, *parts) == ("POST", "webhooks", "deliver"):  # without the lock: endpoints may call back
            return _json(200, {"sent": simulator.deliver_webhooks()})
        with simulator.lock:
            return _route(simulator, method, parts, query, arguments)
    except Refused as refused:
        return _json(refused.status, {"Fault": refused.envelope()})
    except (KeyError, TypeError, ValueError) as bad:
        return _json(400, {"error": f"{type(bad).__name__}: {bad}"})


def _route(
    simulator: "QuickBooksSimulator",
    method: str,
    parts: list[str],
    query: dict[str, str],
    arguments: Document,
) -> Answer:
    if parts[:1] == ["books"] and len(parts) > 1:
        return _books(simulator, simulator.companies[parts[1]], method, parts[2:], query, arguments)
    match (method, *parts):
        case ("GET",):
            return pages.page("QuickBooks simulator", pages.companies(simulator))
        case ("POST", "companies" | "grant" as what):
            return _json(
                200, _opened(simulator, arguments) if what == "companies" else _granted(simulator, arguments)
            )
        case ("GET" | "POST" | "DELETE", what) if what in _KNOBS:
            return _KNOBS[what](simulator, method, arguments)
        case ("GET", what) if what in _LISTS:
            return _json(200, {what: _LISTS[what](simulator)})
    return _unknown(method, parts)


def _opened(simulator: "QuickBooksSimulator", arguments: Document) -> Document:
    if arguments.get("book_close_date"):
        arguments["book_close_date"] = date.fromisoformat(arguments["book_close_date"])
    for name in ("exchange_rates", "tax_percents"):
        if name in arguments:
            arguments[name] = {key: Decimal(value) for key, value in arguments[name].items()}
    arguments["custom_fields"] = tuple(arguments.get("custom_fields", ()))
    return {"realm_id": simulator.add_company(arguments.pop("realm_id"), **arguments).realm_id}


def _granted(simulator: "QuickBooksSimulator", arguments: Document) -> Document:
    access_token, refresh_token = simulator.grant(arguments["realm_id"])
    return {"access_token": access_token, "refresh_token": refresh_token}


def _clock(simulator: "QuickBooksSimulator", _method: str, arguments: Document) -> Answer:
    if "now" in arguments:
        simulator.set_time(datetime.fromisoformat(arguments["now"]))
    if "advance_s" in arguments:
        simulator.advance(float(arguments["advance_s"]))
    return _json(200, {"now": simulator.now().isoformat()})


def _webhooks(simulator: "QuickBooksSimulator", method: str, arguments: Document) -> Answer:
    desk = simulator.webhooks
    if method == "POST":
        desk.register(**arguments)
    elif method == "DELETE":
        desk.forget(arguments["url"])
    attempts = [
        {**one._asdict(), "at": datetime.fromtimestamp(one.at_s, UTC).isoformat(), "at_s": str(one.at_s)}
        for one in desk.attempts
    ]
    return _json(200, {**desk.document(), "attempts": attempts})


def _unknown(method: str, parts: list[str]) -> Answer:
    return _json(404, {"error": f"no control called {method} /_control/{'/'.join(parts)}"})


def _books(
    simulator: "QuickBooksSimulator",
    company: Company,
    method: str,
    parts: list[str],
    query: dict[str, str],
    arguments: Document,
) -> Answer:
    match (method, *parts):
        case ("GET",) if query.get("page"):
            return pages.page(company.settings.name, pages.books(simulator, company))
        case ("GET",):
            return _json(200, books_document(company))
        case ("POST", action) if action in ACTIONS:
            return _json(200, getattr(company.books, action)(**arguments) or {})
    return _unknown(method, ["books", company.realm_id, *parts])


def _mail(simulator: "QuickBooksSimulator") -> list[Document]:
    return [
        {"realm_id": company.realm_id, **one._asdict(), "time": one.time.isoformat()}
        for company in simulator.companies.values()
        for one in company.mails
    ]


def _requests(simulator: "QuickBooksSimulator") -> list[Document]:
    return [{**one._asdict(), "time": one.time.isoformat()} for one in simulator.requests]


def _counters(simulator: "QuickBooksSimulator") -> list[Document]:
    return [
        {"realm_id": realm, "month": month, **asdict(one)}
        for (realm, month), one in simulator.counters.items()
    ]


_LISTS = {"requests": _requests, "counters": _counters, "mail": _mail}


def _faults(simulator: "QuickBooksSimulator", method: str, arguments: Document) -> Answer:
    if method == "POST":
        if "delay_s" in arguments:
            arguments["delay_s"] = float(arguments["delay_s"])
        simulator.faults.add(**arguments)
    elif method == "DELETE":
        simulator.faults.clear()
    shown = [{**asdict(fault), "delay_s": str(fault.delay_s)} for fault in simulator.faults.faults]
    return _json(200, {"faults": shown})


def _switches(simulator: "QuickBooksSimulator", _method: str, arguments: Document) -> Answer:
    known = {one.name for one in fields(Switches)}
    for name, value in arguments.items():
        if name not in known:
            return _json(400, {"error": f"no switch called {name}; there are {', '.join(sorted(known))}"})
        setattr(simulator.switches, name, value)
    return _json(200, asdict(simulator.switches))


def _app(simulator: "QuickBooksSimulator", _method: str, _arguments: Document) -> Answer:
    return _json(200, {"client_id": simulator.client_id, "client_secret": simulator.client_secret})


_KNOBS = {"app": _app, "clock": _clock, "faults": _faults, "switches": _switches, "webhooks": _webhooks}


def books_document(company: Company) -> Document:
    """Accounts with balances, open items, transactions and their journal."""
    core = company.core
    transactions = [
        (record, core.render(record))
        for kind in TRANSACTION_KINDS
        if kind != "Estimate"
        for record in core.live(kind)
    ]
    return {
        "realm_id": company.realm_id,
        "name": company.settings.name,
        "accounts": [core.render(record) for record in core.live("Account")],
        "customers": [core.render(record) for record in core.live("Customer")],
        "open_items": company.books.open_items(),
        "receivable": amount(company.books.receivable_cents()),
        "transactions": [{"kind": record.kind, **shown} for record, shown in transactions],
        "journal": [
            {
                "kind": record.kind,
                "id": record.id,
                "date": record.fields["TxnDate"],
                "lines": [
                    {
                        "account_id": posting.account_id,
                        "customer_id": posting.customer_id,
                        "debit": amount(max(posting.home_cents, 0)),
                        "credit": amount(max(-posting.home_cents, 0)),
                    }
                    for posting in record.postings
                ],
            }
            for record, _ in transactions
        ],
    }


def consent(simulator: "QuickBooksSimulator", method: str, query: dict[str, str], body: bytes) -> Answer:
    """The page on which a person chooses a company, and the way back to the application."""
    asked = {**query, **form(body)}
    redirect_uri = asked.get("redirect_uri", "")
    if asked.get("client_id") != simulator.client_id or not redirect_uri.startswith(("http://", "https://")):
        return pages.page("Sorry", "<p>The client_id or the redirect_uri is not known here.</p>", status=400)
    if method == "GET":
        return pages.page("Connect to QuickBooks", pages.consent(simulator, asked))
    joint = "&" if "?" in redirect_uri else "?"
    back = {"state": asked.get("state", "")}
    realm_id = asked.get("realm_id", "")
    with simulator.lock:
        if realm_id in simulator.companies:
            back |= {"code": simulator.tokens.new_code(realm_id, redirect_uri), "realmId": realm_id}
        else:
            back |= {"error": "access_denied"}
    return Answer(302, b"", "text/html", (("Location", f"{redirect_uri}{joint}{urlencode(back)}"),))


def _json(status: int, document: Document) -> Answer:
    return Answer(status, dump_json(document).encode())
