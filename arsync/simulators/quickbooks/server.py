"""Bytes in, bytes out: the routes of one simulator, and what a fault does to an answer."""

import asyncio
import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC
from email.utils import format_datetime
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from arsync.simulators.faults import Fault
from arsync.simulators.quickbooks import attachments, control, refusals
from arsync.simulators.quickbooks.door import Answer, Request
from arsync.simulators.quickbooks.oauth import TokenRefused
from arsync.simulators.quickbooks.wire import dump_json, parse_json
from arsync.simulators.serving import ServerThread, Silence, cut, drip

if TYPE_CHECKING:  # the simulator starts this module
    from arsync.simulators.quickbooks.simulator import QuickBooksSimulator

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
CUT = {"lost_before_commit", "lost_after_commit", "reset_mid_body"}
INSTEAD = {
    "status_429",
    "xml_429",
    "status_403",
    "status_500",
    "html_503",
    "empty_504",
    "fault_in_200",
    "status_401",
}
"""Faults that answer before anything has happened."""

HTML_503 = (
    b"<html><head><title>503 Service Unavailable</title></head><body>upstream unavailable</body></html>"
)


def serve(simulator: "QuickBooksSimulator", port: int) -> ServerThread:
    """Start a server for this simulator."""
    return ServerThread(lambda url: _Application(simulator, url).starlette(), port, "QuickBooks simulator")


class _Application:
    """Routes of one simulator."""

    def __init__(self, simulator: "QuickBooksSimulator", url: str) -> None:
        self._simulator = simulator
        self._url = url

    def starlette(self) -> Starlette:
        routes = [
            Route("/.well-known/{name}", self._plain(self._discovery), methods=["GET"]),
            Route("/connect/oauth2", self._plain(self._consent), methods=["GET", "POST"]),
            Route("/oauth2/v1/tokens/bearer", self._faulty(self._token), methods=["POST"]),
            Route("/v2/oauth2/tokens/revoke", self._faulty(self._revoke), methods=["POST"]),
            Route("/op/v1/jwks", self._plain(self._keys), methods=["GET"]),
            Route("/v1/openid_connect/userinfo", self._plain(self._user), methods=["GET"]),
            Route("/v3/company/{realm}/{path:path}", self._faulty(self._api), methods=METHODS),
            Route("/files/{realm}/{record}", self._plain(self._file), methods=["GET"]),
            Route("/_control/{path:path}", self._plain(self._control), methods=METHODS),
            Route("/_control", self._plain(self._control), methods=["GET"]),
            Route("/{path:path}", self._plain(self._nothing), methods=METHODS),
        ]
        return Starlette(routes=routes)

    # ---- around every answer -------------------------------------------------------------------------------

    def _plain(
        self, act: Callable[[HttpRequest, bytes], Awaitable[Answer]]
    ) -> Callable[[HttpRequest], Awaitable[Response]]:
        async def handle(http: HttpRequest) -> Response:
            return self._response(await act(http, await http.body()))

        return handle

    def _faulty(
        self, act: Callable[[HttpRequest, bytes], Awaitable[Answer]]
    ) -> Callable[[HttpRequest], Awaitable[Response]]:
        async def handle(http: HttpRequest) -> Response:
            body = await http.body()
            with self._simulator.lock:
                fault = self._simulator.faults.next_for(http.method, _path(http))
            kind = fault.kind if fault else ""
            if fault is not None and kind in INSTEAD:
                answer = self._instead(fault, http)
            elif kind == "lost_before_commit":
                answer = Answer(0, b"")
            else:
                answer = await self._acted(act, http, body, fault)
            self._log(http, answer, kind)
            return await self._carried(http, answer, fault)

        return handle

    async def _acted(
        self,
        act: Callable[[HttpRequest, bytes], Awaitable[Answer]],
        http: HttpRequest,
        body: bytes,
        fault: Fault | None,
    ) -> Answer:
        company = self._simulator.companies.get(http.path_params.get("realm", ""))
        if company is not None:
            company.at_once += 1
        try:
            answer = await act(http, body)
            if fault is None:
                return answer
            if fault.kind == "slow":
                await asyncio.sleep(fault.delay_s)
            if fault.kind == "status_500_after_commit":
                return self._simulator.door.refusal(refusals.system_failure())
            if fault.kind == "empty_504_after_commit":
                return Answer(504, b"", "text/html")
            if fault.kind == "truncated_body":
                return Answer(
                    answer.status, answer.body[: len(answer.body) // 2], answer.content_type, answer.headers
                )
            return answer
        finally:
            if company is not None:
                company.at_once -= 1

    def _instead(self, fault: Fault, http: HttpRequest) -> Answer:
        door = self._simulator.door
        extra = (("Retry-After", str(fault.retry_after_s)),) if fault.retry_after_s is not None else ()
        if fault.kind == "xml_429":
            return Answer(429, door.fault_xml(refusals.throttled()), "application/xml", extra)
        if fault.kind == "html_503":
            return Answer(503, HTML_503, "text/html", extra)
        if fault.kind == "empty_504":
            return Answer(504, b"", "text/html", extra)
        if fault.kind == "status_401":
            token = http.headers.get("authorization", "").removeprefix("Bearer ")
            return door.turned_away(self._simulator.token_expired(token))
        refused = {
            "status_429": refusals.throttled(),
            "status_403": refusals.throttled(403),
            "status_500": refusals.system_failure(),
            "fault_in_200": refusals.business("The request could not be completed."),
        }[fault.kind]
        answer = door.refusal(refused)
        status = 200 if fault.kind == "fault_in_200" else answer.status
        return Answer(status, answer.body, answer.content_type, (*answer.headers, *extra))

    async def _carried(self, http: HttpRequest, answer: Answer, fault: Fault | None) -> Response:
        if fault is None or fault.kind not in CUT | {"slow_drip"}:
            return self._response(answer)
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
        trace_id = self._simulator.trace_id()
        return {
            "Date": format_datetime(self._simulator.now().astimezone(UTC), usegmt=True),
            "intuit_tid": trace_id,
            "QBO-Version": "1988.128",
            "Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private",
            **dict(answer.headers),
        }

    def _response(self, answer: Answer) -> Response:
        response = Response(answer.body, answer.status, headers=self._headers(answer))
        response.headers["Content-Type"] = answer.content_type
        return response

    def _log(self, http: HttpRequest, answer: Answer, fault: str) -> None:
        from arsync.simulators.quickbooks.simulator import LoggedRequest

        lost = fault in {"lost_before_commit", "lost_after_commit"}
        query = dict(http.query_params)
        line: LoggedRequest = LoggedRequest(
            self._simulator.now(),
            http.method,
            http.url.path,
            _path(http),
            query,
            query.get("requestid", ""),
            0 if lost else answer.status,
            0 if lost else len(answer.body),
            fault,
        )
        self._simulator.log(line)

    # ---- the API -------------------------------------------------------------------------------------------

    async def _api(self, http: HttpRequest, body: bytes) -> Answer:
        request = Request(http.method, _path(http), dict(http.query_params), body)
        realm_id = http.path_params["realm"]
        return self._simulator.answer(realm_id, http.headers.get("authorization", ""), request)

    async def _file(self, http: HttpRequest, _body: bytes) -> Answer:
        simulator, record_id = self._simulator, http.path_params["record"]
        company = simulator.companies.get(http.path_params["realm"])
        query = dict(http.query_params)
        with simulator.lock:
            found = company.core.find("Attachable", record_id) if company is not None else None
            if found is None or not attachments.opens(
                query, http.path_params["realm"], record_id, simulator.now_s()
            ):
                return Answer(403, b"<Error><Code>AccessDenied</Code></Error>", "application/xml")
            content = base64.b64decode(found.content)
            return Answer(200, content, str(found.fields.get("ContentType", "application/octet-stream")))

    async def _nothing(self, http: HttpRequest, _body: bytes) -> Answer:
        return self._simulator.door.refusal(refusals.unsupported(f"Operation {http.url.path}"))

    async def _control(self, http: HttpRequest, body: bytes) -> Answer:
        return control.answer(
            self._simulator, http.method, http.path_params.get("path", ""), dict(http.query_params), body
        )

    # ---- OAuth ---------------------------------------------------------------------------------------------

    async def _discovery(self, _http: HttpRequest, _body: bytes) -> Answer:
        return _json(
            200,
            {
                "issuer": f"{self._url}/op/v1",
                "authorization_endpoint": f"{self._url}/connect/oauth2",
                "token_endpoint": f"{self._url}/oauth2/v1/tokens/bearer",
                "userinfo_endpoint": f"{self._url}/v1/openid_connect/userinfo",
                "revocation_endpoint": f"{self._url}/v2/oauth2/tokens/revoke",
                "jwks_uri": f"{self._url}/op/v1/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
                "scopes_supported": ["openid", "email", "profile", "com.intuit.quickbooks.accounting"],
                "token_endpoint_auth_methods_supported": ["client_secret_post", "client_secret_basic"],
                "claims_supported": ["aud", "exp", "iat", "iss", "realmid", "sub"],
            },
        )

    async def _keys(self, _http: HttpRequest, _body: bytes) -> Answer:
        return _json(200, {"keys": []})

    async def _user(self, _http: HttpRequest, _body: bytes) -> Answer:
        return _json(200, {"sub": "simulated-user", "email": "owner@example.com", "emailVerified": True})

    async def _consent(self, http: HttpRequest, body: bytes) -> Answer:
        return control.consent(self._simulator, http.method, dict(http.query_params), body)

    async def _token(self, http: HttpRequest, body: bytes) -> Answer:
        form = control.form(body)
        simulator = self._simulator
        try:
            with simulator.lock, simulator.saving_once():
                simulator.tokens.check_client(http.headers.get("authorization", ""), form)
                access_token, refresh_token = self._exchanged(form)
                simulator.written()
        except TokenRefused as refused:
            error: dict[str, object] = {"error": refused.error}
            return _json(
                refused.status,
                {**error, "error_description": refused.description} if refused.description else error,
            )
        grant = simulator.tokens.grants[refresh_token]
        answer: dict[str, object] = {
            "token_type": "bearer",
            "access_token": access_token,
            "refresh_token": refresh_token,
            "expires_in": simulator.tokens.access[access_token].expires_s - simulator.now_s(),
            "x_refresh_token_expires_in": grant.expires_s - simulator.now_s(),
        }
        if http.headers.get("x-include-refresh-token-hard-expires-in", "").lower() == "true":
            answer["x_refresh_token_hard_expires_in"] = simulator.tokens.hard_expires_in_s(refresh_token)
        return _json(200, answer)

    def _exchanged(self, form: dict[str, str]) -> tuple[str, str]:
        tokens, switches = self._simulator.tokens, self._simulator.switches
        if form.get("grant_type") == "authorization_code":
            return tokens.redeem(form.get("code", ""), form.get("redirect_uri", ""))
        if form.get("grant_type") == "refresh_token":
            return tokens.refresh(
                form.get("refresh_token", ""), switches.refresh_rotation, switches.old_refresh_grace_s
            )
        raise TokenRefused(400, "unsupported_grant_type")

    async def _revoke(self, http: HttpRequest, body: bytes) -> Answer:
        simulator = self._simulator
        try:
            document = parse_json(body)
        except ValueError:
            document = dict(control.form(body))
        token = str(document.get("token", "")) if isinstance(document, dict) else ""
        with simulator.lock, simulator.saving_once():
            try:
                simulator.tokens.check_client(http.headers.get("authorization", ""), control.form(body))
            except TokenRefused as refused:
                return _json(refused.status, {"error": refused.error})
            known = simulator.tokens.revoke(token)
            simulator.written()
        return Answer(200, b"") if known else _json(400, {"error": "invalid_request"})


def _path(http: HttpRequest) -> str:
    """What follows the company, or the whole path outside of one."""
    if "realm" in http.path_params:
        return f"/{http.path_params['path']}"
    return http.url.path


def _json(status: int, document: dict[str, object]) -> Answer:
    return Answer(status, dump_json(document).encode())
