"""Bytes in, bytes out: the routes of one simulator, and what a fault does to an answer."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from arsync.simulators.exact_json import dump_json
from arsync.simulators.faults import Fault
from arsync.simulators.serving import ServerThread, Silence, cut, drip
from arsync.simulators.xero import control, refusals
from arsync.simulators.xero.interference import RETRY_AFTER_S
from arsync.simulators.xero.oauth import TokenRefused
from arsync.simulators.xero.refusals import Refused
from arsync.simulators.xero.simulator import API, Answer, Request

if TYPE_CHECKING:  # the simulator starts this module
    from arsync.simulators.xero.simulator import XeroSimulator

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
CUT = {"lost_before_commit", "lost_after_commit", "reset_mid_body"}
ZIP_FROM_BYTES = 500
Act = Callable[[HttpRequest, bytes, str], Awaitable[Answer]]


def serve(simulator: "XeroSimulator", port: int) -> ServerThread:
    """Start a server for this simulator."""
    return ServerThread(lambda url: _Application(simulator, url).starlette(), port, "Xero simulator")


class _Application:
    """Routes of one simulator."""

    def __init__(self, simulator: "XeroSimulator", url: str) -> None:
        self._simulator = simulator
        self._url = url

    def starlette(self) -> Starlette:
        routes = [
            Route("/.well-known/openid-configuration", self._plain(self._discovery), methods=["GET"]),
            Route("/identity/connect/authorize", self._plain(self._consent), methods=["GET", "POST"]),
            Route("/connect/token", self._faulty(self._token), methods=["POST"]),
            Route("/connect/revocation", self._faulty(self._revoke), methods=["POST"]),
            *(
                Route(path, self._faulty(self._connections), methods=["GET", "DELETE"])
                for name in ("connections", "Connections")
                for path in (f"/{name}", f"/{name}/{{id}}")
            ),
            Route(f"{API}/{{path:path}}", self._faulty(self._api), methods=METHODS),
            Route("/_control/{path:path}", self._plain(self._control), methods=METHODS),
            Route("/_control", self._plain(self._control), methods=["GET"]),
            Route("/{path:path}", self._plain(self._nothing), methods=METHODS),
        ]
        return Starlette(routes=routes)

    # ---- around every answer -------------------------------------------------------------------------------

    def _plain(self, act: Act) -> Callable[[HttpRequest], Awaitable[Response]]:
        async def handle(http: HttpRequest) -> Response:
            return self._response(http, await act(http, await http.body(), ""))

        return handle

    def _faulty(self, act: Act) -> Callable[[HttpRequest], Awaitable[Response]]:
        async def handle(http: HttpRequest) -> Response:
            body = await http.body()
            with self._simulator.lock:
                fault = self._simulator.faults.next_for(http.method, _path(http))
            request = _request(http, body)
            with self._simulator.entering(request):
                instead = self._instead(fault)
                if instead is not None:
                    answer = self._simulator.log(request, instead, fault.kind if fault else "")
                else:
                    answer = await self._acted(act, http, body, fault)
                return await self._carried(http, answer, fault)

        return handle

    async def _acted(self, act: Act, http: HttpRequest, body: bytes, fault: Fault | None) -> Answer:
        kind = fault.kind if fault else ""
        if kind == "slow" and fault is not None:
            await asyncio.sleep(fault.delay_s)
        answer = await act(http, body, kind)
        if kind == "duplicate":
            answer = await act(http, body, kind)
        if kind == "html_500_after_commit":
            return Answer(500, refusals.HTML_500, refusals.HTML)
        if kind == "truncated_body":
            return Answer(
                answer.status, answer.body[: len(answer.body) // 2], answer.content_type, answer.headers
            )
        return answer

    def _instead(self, fault: Fault | None) -> Answer | None:
        """The answer of a fault that answers before anything has happened."""
        kind = fault.kind if fault else ""
        if kind == "lost_before_commit":
            return Answer(0, b"")
        if fault is not None and kind.startswith("status_429_"):
            wait = fault.retry_after_s if fault.retry_after_s is not None else RETRY_AFTER_S.get(kind)
            return _refusal(refusals.throttled(kind.removeprefix("status_429_"), wait))
        if kind.startswith("503_"):
            return _refusal(refusals.unavailable(kind.removeprefix("503_")))
        if kind == "html_500":
            return Answer(500, refusals.HTML_500, refusals.HTML)
        if kind == "status_401":
            return _refusal(self._simulator.token_expired())
        if kind == "status_403":
            forbidden = refusals.turned_away(
                403, "Forbidden", "AuthenticationUnsuccessful", self._simulator.new_id()
            )
            return _refusal(forbidden)
        if kind == "status_412":
            return Answer(
                412, b"One or more conditions in the request header could not be read", refusals.TEXT
            )
        return None

    async def _carried(self, http: HttpRequest, answer: Answer, fault: Fault | None) -> Response:
        if fault is None or fault.kind not in CUT | {"slow_drip"}:
            return self._response(http, answer)
        if fault.kind == "slow_drip":
            return self._streamed(answer, drip(answer.body, fault.delay_s))
        if fault.kind == "reset_mid_body":
            return self._streamed(answer, self._half(http, answer.body))
        await cut(http)
        return Silence()

    def _streamed(self, answer: Answer, chunks: AsyncIterator[bytes]) -> Response:
        headers = {**self._headers(answer), "Content-Length": str(len(answer.body))}
        return StreamingResponse(chunks, answer.status, headers=headers, media_type=answer.content_type)

    async def _half(self, http: HttpRequest, body: bytes) -> AsyncIterator[bytes]:
        yield body[: len(body) // 2]
        await asyncio.sleep(0.02)  # let the half reach the client before the reset does
        await cut(http)

    def _headers(self, answer: Answer) -> dict[str, str]:
        now = self._simulator.now().astimezone(UTC)
        return {"Date": format_datetime(now, usegmt=True), "Server": "nginx", **dict(answer.headers)}

    def _response(self, http: HttpRequest, answer: Answer) -> Response:
        body, headers = answer.body, self._headers(answer)
        if len(body) >= ZIP_FROM_BYTES and "gzip" in http.headers.get("accept-encoding", ""):
            body, headers = gzip.compress(body, 6), {**headers, "Content-Encoding": "gzip"}
        response = Response(body, answer.status, headers=headers)
        if answer.body:
            response.headers["Content-Type"] = answer.content_type
        return response

    # ---- routes --------------------------------------------------------------------------------------------

    async def _api(self, http: HttpRequest, body: bytes, fault: str) -> Answer:
        return self._simulator.answer(_request(http, body), fault)

    async def _nothing(self, _http: HttpRequest, _body: bytes, _fault: str) -> Answer:
        return _refusal(refusals.not_found())

    async def _control(self, http: HttpRequest, body: bytes, _fault: str) -> Answer:
        # In a thread: proving a webhook's door sends a request that may come back here.
        path, query = http.path_params.get("path", ""), dict(http.query_params)
        return await asyncio.to_thread(control.answer, self._simulator, http.method, path, query, body)

    async def _discovery(self, _http: HttpRequest, _body: bytes, _fault: str) -> Answer:
        return _json(
            200,
            {
                "issuer": "https://identity.xero.com",
                "authorization_endpoint": f"{self._url}/identity/connect/authorize",
                "token_endpoint": f"{self._url}/connect/token",
                "revocation_endpoint": f"{self._url}/connect/revocation",
                "response_types_supported": ["code"],
                "code_challenge_methods_supported": ["S256"],
                "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            },
        )

    async def _consent(self, http: HttpRequest, body: bytes, _fault: str) -> Answer:
        asked = {**dict(http.query_params), **_form(body)}
        chosen = [value for name, value in parse_qsl(body.decode("utf-8", "replace")) if name == "tenant"]
        return control.consent(self._simulator, http.method, asked, tuple(chosen))

    async def _token(self, http: HttpRequest, body: bytes, fault: str) -> Answer:
        simulator, form = self._simulator, _form(body)
        try:
            with simulator.lock:
                app = simulator.desk.client(http.headers.get("authorization", ""), form)
                tokens = simulator.desk.exchange(app, form)
                simulator.written()
        except TokenRefused as refused:
            return simulator.log(_request(http, b""), _json(refused.status, {"error": refused.error}), fault)
        return simulator.log(_request(http, b""), _json(200, tokens), fault)

    async def _revoke(self, http: HttpRequest, body: bytes, fault: str) -> Answer:
        simulator, form = self._simulator, _form(body)
        try:
            with simulator.lock:
                app = simulator.desk.client(http.headers.get("authorization", ""), form)
                simulator.desk.revoke(app, form.get("token", ""))
                simulator.written()
        except TokenRefused as refused:
            return _json(refused.status, {"error": refused.error})
        return simulator.log(_request(http, b""), Answer(200, b""), fault)

    async def _connections(self, http: HttpRequest, _body: bytes, fault: str) -> Answer:
        simulator, connection_id = self._simulator, http.path_params.get("id", "")
        who = http.headers.get("authorization", "")
        try:
            if http.method == "GET" and not connection_id:
                found = simulator.connections(who, http.query_params.get("authEventId", ""))
                answer = Answer(200, dump_json(found).encode())
            elif http.method == "DELETE" and simulator.disconnect(who, connection_id):
                answer = Answer(204, b"")
            else:
                raise refusals.not_found()
        except Refused as refused:
            answer = _refusal(refused)
        return simulator.log(_request(http, b""), answer, fault)


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _path(http: HttpRequest) -> str:
    """What follows `/api.xro/2.0`, or the whole path outside of it."""
    return http.url.path.removeprefix(API)


def _request(http: HttpRequest, body: bytes) -> Request:
    headers = {name.lower(): value for name, value in http.headers.items()}
    return Request(http.method, _path(http), dict(http.query_params), headers, body)


def _refusal(refused: Refused) -> Answer:
    return Answer(refused.status, refused.body, refused.content_type, refused.headers)


def _json(status: int, document: dict[str, object]) -> Answer:
    return Answer(status, dump_json(document).encode())
