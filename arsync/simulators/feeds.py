"""Plaid and GoCardless Bank Account Data, simulated: what they answer for one sign-in, as their documentation says.

Shape   a `Feeds` holds transactions in Plaid's words and the Berlin Group's; `serve` answers both on one address.
Law     Plaid's cursor counts what was done to the list, so that an update is what happened since; a page holds at
        most `page` of it. GoCardless counts requests of an account and refuses more than four a day.
Source  Plaid API reference, "/transactions/sync"; GoCardless Bank Account Data API v2 reference.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

CLIENT, SECRET, TOKEN = "client", "secret-of-the-app", "access-sandbox-1"
_CHANGED = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
_START_S = 10.0


@dataclass
class Feeds:
    """What both would tell, and how they misbehave.

    Attributes:
        events: ("added" | "modified" | "removed", a transaction in Plaid's words), oldest first.
        booked: transactions in the Berlin Group's words.
        changes: how many more times Plaid changes an update between two of its pages.
        consented: whether the bank's consent holds.
    """

    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    booked: list[dict[str, Any]] = field(default_factory=list)
    pending: list[dict[str, Any]] = field(default_factory=list)
    page: int = 2
    changes: int = 0
    consented: bool = True
    requests: list[str] = field(default_factory=list)
    asked_today: int = 0

    async def sync(self, request: Request) -> JSONResponse:
        """Plaid's /transactions/sync."""
        self.requests.append("sync")
        asked = await request.json()
        if (asked.get("client_id"), asked.get("secret")) != (CLIENT, SECRET):
            return _plaid_error("INVALID_API_KEYS", "invalid client_id or secret provided")
        if asked.get("access_token") != TOKEN:
            return _plaid_error("INVALID_ACCESS_TOKEN", "could not find matching access token")
        if not self.consented:
            return _plaid_error("ITEM_LOGIN_REQUIRED", "the login details of this item have changed")
        cursor = asked.get("cursor") or "c0"
        at = int(cursor.removeprefix("c"))
        if at and at % self.page == 0 and self.changes and at < len(self.events):
            self.changes -= 1
            return _plaid_error(_CHANGED, "underlying transaction data changed since last page was fetched")
        step = min(self.page, int(asked.get("count", 100)))
        chosen = self.events[at : at + step]
        answer: dict[str, Any] = {"added": [], "modified": [], "removed": [], "accounts": []}
        for kind, record in chosen:
            answer[kind].append(record)
        after = at + len(chosen)
        return JSONResponse(
            {
                **answer,
                "next_cursor": f"c{after}",
                "has_more": after < len(self.events),
                "request_id": f"r{at}",
            }
        )

    async def token(self, request: Request) -> JSONResponse:
        """GoCardless' /api/v2/token/new/."""
        asked = await request.json()
        if (asked.get("secret_id"), asked.get("secret_key")) != (CLIENT, SECRET):
            return JSONResponse({"summary": "Authentication failed", "status_code": 401}, 401)
        return JSONResponse(
            {"access": TOKEN, "access_expires": 86400, "refresh": "r", "refresh_expires": 2592000}
        )

    async def transactions(self, request: Request) -> JSONResponse:
        """GoCardless' /api/v2/accounts/{id}/transactions/."""
        self.requests.append(request.url.query)
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"summary": "Invalid token", "status_code": 401}, 401)
        if not self.consented:
            return JSONResponse(
                {"summary": "Access has expired", "detail": "EUA has expired", "status_code": 401}, 401
            )
        self.asked_today += 1
        if self.asked_today > 4:  # noqa: PLR2004 - a day, as the banks allow
            return JSONResponse({"summary": "Rate limit exceeded", "status_code": 429}, 429)
        since = request.query_params.get("date_from", "")
        booked = [one for one in self.booked if one.get("bookingDate", "") >= since]
        return JSONResponse({"transactions": {"booked": booked, "pending": self.pending}})

    @contextmanager
    def serve(self) -> Iterator[str]:
        """Answer for a block; yields the address."""
        listening = socket.create_server(("127.0.0.1", 0))
        routes = [
            Route("/transactions/sync", self.sync, methods=["POST"]),
            Route("/api/v2/token/new/", self.token, methods=["POST"]),
            Route("/api/v2/accounts/{account}/transactions/", self.transactions, methods=["GET"]),
        ]
        config = uvicorn.Config(Starlette(routes=routes), log_level="critical", lifespan="off", ws="none")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        waited_s = 0.0
        while not server.started:
            if waited_s > _START_S:
                raise RuntimeError("the simulated feeds did not start")
            time.sleep(0.005)
            waited_s += 0.005
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(_START_S)
            listening.close()


def _plaid_error(code: str, message: str) -> JSONResponse:
    body = {
        "error_type": "TRANSACTIONS_ERROR",
        "error_code": code,
        "error_message": message,
        "request_id": "r",
    }
    return JSONResponse(body, 400)
