"""The back door: what a person or another process may do to the simulator, and pages to look at.

GET    /_control/                            the organisations, as a page
GET    /_control/books/TENANT                the books as JSON; with ?page=1 as a page
POST   /_control/organisations               {"name", "country", ...}: arguments of `add_organisation`
POST   /_control/apps                        {"name", "kind", ...}: arguments of `Desk.add_app`
POST   /_control/grant                       {"client_id", "tenant_ids", "scopes", ...}: tokens without a browser
POST   /_control/books/TENANT/ACTION         arguments of a bookkeeper's action
GET POST DELETE /_control/faults             the fault script
GET    /_control/requests, /_control/egress
POST   /_control/clock                       {"advance_s"}
GET POST /_control/switches                  read or set switches
POST   /_control/webhooks/listen             {"client_id", "url"}: prove the door and subscribe
POST   /_control/webhooks/deliver            send what is due now
"""

from collections.abc import Callable
from dataclasses import asdict
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from arsync.simulators.exact_json import Document, dump_json, parse_json
from arsync.simulators.xero import refusals, rendering
from arsync.simulators.xero.bookkeeper import ACTIONS
from arsync.simulators.xero.oauth import App, redirect_allowed
from arsync.simulators.xero.refusals import Invalid, Refused
from arsync.simulators.xero.simulator import ALL_SCOPES, SWITCH_NAMES, Answer, Tenant
from arsync.simulators.xero.wire import amount

if TYPE_CHECKING:  # the simulator starts the server, which comes here
    from arsync.simulators.xero.simulator import XeroSimulator


def answer(simulator: "XeroSimulator", method: str, path: str, query: dict[str, str], body: bytes) -> Answer:
    """Serve one control request."""
    parts = [part for part in path.split("/") if part]
    try:
        arguments = parse_json(body) if body else {}
        if not isinstance(arguments, dict):
            return _json(400, {"error": "the body must be a JSON object"})
        if parts[:1] == ["webhooks"]:  # doors may ask back: no lock
            return _webhooks(simulator, parts[1:], arguments)
        with simulator.lock:
            return _route(simulator, method, parts, query, arguments)
    except Invalid as bad:
        return _json(400, {"error": "; ".join(bad.messages)})
    except Refused as refused:
        return Answer(refused.status, refused.body, refused.content_type)
    except (KeyError, TypeError, ValueError) as bad:
        return _json(400, {"error": f"{type(bad).__name__}: {bad}"})


def _route(
    simulator: "XeroSimulator", method: str, parts: list[str], query: dict[str, str], arguments: Document
) -> Answer:
    match (method, *parts):
        case ("GET",):
            return _page("Xero simulator", _organisations_page(simulator))
        case (_, "books", tenant_id, *below):
            return _books(simulator.tenants[tenant_id], method, below, query, arguments)
        case (_, "faults"):
            return _faults(simulator, method, arguments)
        case (_, "switches"):
            return _switches(simulator, arguments)
        case ("GET", name) if name in _SHOWN:
            return _json(200, {name: _SHOWN[name](simulator)})
        case ("POST", name) if name in _DONE:
            return _json(200, _DONE[name](simulator, arguments))
    return _unknown(method, parts)


def _unknown(method: str, parts: list[str]) -> Answer:
    return _json(404, {"error": f"no control called {method} /_control/{'/'.join(parts)}"})


def _books(
    tenant: Tenant, method: str, below: list[str], query: dict[str, str], arguments: Document
) -> Answer:
    match (method, *below):
        case ("GET",) if query.get("page"):
            return _page(tenant.organisation.name, _books_page(tenant))
        case ("GET",):
            return _json(200, books_document(tenant))
        case ("POST", action) if action in ACTIONS:
            return _json(200, _acted(tenant, action, arguments))
    return _unknown(method, ["books", tenant.organisation.id, *below])


def _organisation(simulator: "XeroSimulator", arguments: Document) -> Document:
    return {"tenant_id": simulator.add_organisation(**_tuples(arguments)).organisation.id}


def _app(simulator: "XeroSimulator", arguments: Document) -> Document:
    app = simulator.add_app(**_tuples(arguments))
    return {"client_id": app.client_id, "client_secret": app.client_secret}


def _grant(simulator: "XeroSimulator", arguments: Document) -> Document:
    app = simulator.desk.apps[arguments.pop("client_id")]
    return dict(simulator.grant(app, *arguments.pop("tenant_ids"), **_tuples(arguments)))


def _clock(simulator: "XeroSimulator", arguments: Document) -> Document:
    simulator.advance(float(arguments["advance_s"]))
    return {"now": simulator.now().isoformat()}


def _requests(simulator: "XeroSimulator") -> list[Document]:
    return [{**one._asdict(), "time": one.time.isoformat()} for one in simulator.requests]


def _egress(simulator: "XeroSimulator") -> list[Document]:
    return [
        {"client_id": client_id, "tenant_id": tenant_id, "day": day, "bytes": count}
        for (client_id, tenant_id, day), count in simulator.egress.items()
    ]


_DONE: dict[str, Callable[["XeroSimulator", Document], Document]] = {
    "organisations": _organisation,
    "apps": _app,
    "grant": _grant,
    "clock": _clock,
}
_SHOWN: dict[str, Callable[["XeroSimulator"], list[Document]]] = {"requests": _requests, "egress": _egress}


def _tuples(arguments: Document) -> dict[str, Any]:
    return {name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items()}


def _acted(tenant: Tenant, action: str, arguments: Document) -> Document:
    done = getattr(tenant.books, action)(**arguments)
    if isinstance(done, list):
        return {action: done}
    return done if isinstance(done, dict) else {}


def _webhooks(simulator: "XeroSimulator", parts: list[str], arguments: Document) -> Answer:
    if parts == ["listen"]:
        app = simulator.desk.apps[arguments["client_id"]]
        proven = simulator.listen(app, str(arguments["url"]))
        return _json(200, {"proven": proven, "key": app.webhook_key, "state": app.webhook_state})
    if parts == ["deliver"]:
        return _json(200, {"sent": simulator.deliver_webhooks()})
    return _json(404, {"error": f"no control called /_control/webhooks/{'/'.join(parts)}"})


def _faults(simulator: "XeroSimulator", method: str, arguments: Document) -> Answer:
    if method == "POST":
        if "delay_s" in arguments:
            arguments["delay_s"] = float(arguments["delay_s"])
        simulator.faults.add(**arguments)
    elif method == "DELETE":
        simulator.faults.clear()
    shown = [{**asdict(fault), "delay_s": str(fault.delay_s)} for fault in simulator.faults.faults]
    return _json(200, {"faults": shown})


def _switches(simulator: "XeroSimulator", arguments: Document) -> Answer:
    for name in arguments:
        if name not in SWITCH_NAMES:
            return _json(400, {"error": f"no switch called {name}; there are {', '.join(SWITCH_NAMES)}"})
    for name, value in arguments.items():
        setattr(simulator.switches, name, value)
    return _json(200, asdict(simulator.switches))


# ---- the books ---------------------------------------------------------------------------------------------


def control_total(tenant: Tenant) -> Document:
    """Accounts Receivable beside the sum of its open items: they must be equal."""
    account = tenant.books.receivable_cents()
    items = sum(int(one["open_base"].scaleb(2)) for one in tenant.books.open_items())
    return {"account": amount(account), "open_items": amount(items), "difference": amount(account - items)}


def books_document(tenant: Tenant) -> Document:
    """Accounts with balances, open items, payments, the journal, and the control total."""
    core = tenant.core
    return {
        "tenant_id": tenant.organisation.id,
        "name": tenant.organisation.name,
        "base_currency": tenant.organisation.base_currency,
        "control_total": control_total(tenant),
        "accounts": [
            rendering.account(core, one) | {"Balance": amount(core.ledger.balances[one.id])}
            for one in core.accounts.values()
        ],
        "contacts": [rendering.contact(core, one) for one in core.contacts.values()],
        "open_items": tenant.books.open_items(),
        "payments": [rendering.payment_listed(core, one) for one in core.payments.values()],
        "journal": _journal(tenant),
    }


def _journal(tenant: Tenant) -> list[Document]:
    core, found = tenant.core, []
    for record_id, entry in sorted(core.ledger.entries.items(), key=lambda pair: (pair[1].on, pair[0])):
        lines = [
            {
                "account": core.accounts[posting.account_id].name,
                "debit": amount(max(posting.base_cents, 0)),
                "credit": amount(max(-posting.base_cents, 0)),
            }
            for posting in entry.postings
        ]
        found.append({"date": entry.on.isoformat(), "of": _said_of(tenant, record_id), "lines": lines})
    return found


def _said_of(tenant: Tenant, record_id: str) -> str:
    core = tenant.core
    if record_id in core.papers:
        paper = core.papers[record_id]
        return f"{paper.kind} {paper.number or paper.reference}".strip()
    if record_id in core.payments:
        return f"Payment {core.payments[record_id].reference}".strip()
    return "Allocation" if record_id in core.allocations else "Transfer"


# ---- consent -----------------------------------------------------------------------------------------------


def consent(
    simulator: "XeroSimulator", method: str, asked: dict[str, str], tenant_ids: tuple[str, ...]
) -> Answer:
    """The page on which a person chooses organisations, and the way back to the application."""
    app = simulator.desk.apps.get(asked.get("client_id", ""))
    redirect_uri = asked.get("redirect_uri", "")
    if app is None or redirect_uri not in app.redirect_uris or not redirect_allowed(redirect_uri):
        return _page(
            "Sorry", "<p>unauthorized_client: the client_id or the redirect_uri is not known.</p>", 400
        )
    scopes = tuple(asked.get("scope", "").split())
    try:
        simulator.desk.check_scopes(app, scopes)
    except ValueError as bad:
        return _page("Sorry", f"<p>invalid_scope: {escape(str(bad))}</p>", 400)
    challenge = asked.get("code_challenge", "")
    if (app.kind == "pkce" and not challenge) or asked.get("code_challenge_method", "S256") != "S256":
        return _page("Sorry", "<p>invalid_request: code challenge required, S256</p>", 400)
    if method == "GET":
        return _page(f"{app.name} wants access", _consent_form(simulator, asked))
    back = {"state": asked.get("state", "")}
    with simulator.lock:
        known = tuple(one for one in tenant_ids if one in simulator.tenants)
        if known:
            user = simulator.tenants[known[0]].organisation.user
            grant = simulator.desk.consent(app, known, scopes, user=user)
            back |= {
                "code": simulator.desk.new_code(grant, redirect_uri, challenge),
                "scope": " ".join(scopes),
            }
        else:
            back |= {"error": "access_denied"}
        simulator.written()
    joint = "&" if "?" in redirect_uri else "?"
    return Answer(302, b"", refusals.HTML, (("Location", f"{redirect_uri}{joint}{urlencode(back)}"),))


def consent_query(app: App) -> str:
    """The query of the address at which a person signs in."""
    return urlencode(
        {
            "response_type": "code",
            "client_id": app.client_id,
            "redirect_uri": app.redirect_uris[0],
            "scope": " ".join(ALL_SCOPES),
            "state": "s",
        }
    )


def _consent_form(simulator: "XeroSimulator", asked: dict[str, str]) -> str:
    names = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
    hidden = "".join(
        f'<input type="hidden" name="{name}" value="{escape(asked[name])}">'
        for name in names
        if name in asked
    )
    boxes = "".join(
        f'<p><label><input type="checkbox" name="tenant" value="{escape(one.organisation.id)}"> '
        f"{escape(one.organisation.name)}</label></p>"
        for one in simulator.tenants.values()
    )
    wanted = ", ".join(escape(scope) for scope in asked.get("scope", "").split())
    return (
        f'<p>It asks for: {wanted}</p><form method="post">{hidden}{boxes}'
        '<button>Allow access</button> <button name="tenant" value="">Cancel</button></form>'
    )


# ---- pages -------------------------------------------------------------------------------------------------


def _organisations_page(simulator: "XeroSimulator") -> str:
    rows = [
        [
            f'<a href="/_control/books/{one.organisation.id}?page=1">{escape(one.organisation.name)}</a>',
            one.organisation.id,
            one.organisation.base_currency,
            str(control_total(one)["account"]),
            str(control_total(one)["difference"]),
        ]
        for one in simulator.tenants.values()
    ]
    return _table(
        ["Organisation", "Tenant", "Currency", "Accounts Receivable", "Difference to open items"], rows
    )


def _books_page(tenant: Tenant) -> str:
    core, total = tenant.core, control_total(tenant)
    verdict = "equal" if not total["difference"] else f"DIFFER by {total['difference']}"
    balances = [
        [escape(one.code), escape(one.name), str(amount(core.ledger.balances[one.id]))]
        for one in core.accounts.values()
    ]
    items = [
        [
            one["kind"],
            escape(one["number"]),
            escape(core.contacts[one["contact_id"]].name),
            one["currency"],
            str(one["open"]),
            str(one["open_base"]),
        ]
        for one in tenant.books.open_items()
    ]
    items.append(["Total", "", "", tenant.organisation.base_currency, "", str(total["open_items"])])
    journal = [
        [entry["date"], escape(entry["of"]), escape(line["account"]), str(line["debit"]), str(line["credit"])]
        for entry in _journal(tenant)
        for line in entry["lines"]
    ]
    return (
        f"<p>Accounts Receivable {total['account']}, open items {total['open_items']}: {verdict}</p>"
        f"<h2>Accounts</h2>{_table(['Code', 'Account', 'Balance'], balances)}"
        f"<h2>Open items</h2>{_table(['Kind', 'Number', 'Contact', 'Currency', 'Open', 'In base currency'], items)}"
        f"<h2>Journal</h2>{_table(['Date', 'Of', 'Account', 'Debit', 'Credit'], journal)}"
    )


def _table(titles: list[str], rows: list[list[str]]) -> str:
    head = "".join(f"<th>{title}</th>" for title in titles)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{lines}</table>"


def _page(title: str, inside: str, status: int = 200) -> Answer:
    style = "body{font:16px sans-serif;margin:2em}td,th{padding:.2em 1em;text-align:left}"
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{style}</style></head><body><h1>{escape(title)}</h1>{inside}</body></html>"
    )
    return Answer(status, text.encode(), refusals.HTML)


def _json(status: int, document: Document) -> Answer:
    return Answer(status, dump_json(document).encode())
