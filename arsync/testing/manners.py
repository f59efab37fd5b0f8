"""What is tried of a connector as a whole: no secret told, no float, no connection left, nothing hidden.

Shape   a case takes a `Stage`; it raises `Violation`.
"""

import base64
import dataclasses
import json
import traceback
import urllib.parse
from collections.abc import Iterator, Mapping

from arsync.connectors.contract import Pull
from arsync.errors import ArsyncError
from arsync.testing.stage import Deed, Listener, Stage, eventually, is_call
from arsync.testing.verdicts import few, must, same
from arsync.testing.wire import Fault, Trouble


def made_in_silence(stage: Stage) -> None:
    """Constructing a connector asks nobody, and its settings are a frozen dataclass that JSON can hold."""
    connector = stage.connector()
    same(stage.wire.exchanges, [], "requests while constructing")
    settings = stage.bench.settings(stage.wire.url)
    must(isinstance(settings, connector.Settings), f"the settings are no {connector.Settings.__name__}")
    must(dataclasses.is_dataclass(settings), "the settings are no dataclass")
    must(_is_frozen(settings), "the settings can be changed")
    kept = json.loads(json.dumps(dataclasses.asdict(settings)))
    same(connector.Settings(**kept), settings, "the settings after a way through JSON")


def _is_frozen(settings: object) -> bool:
    name = dataclasses.fields(settings)[0].name  # type: ignore[arg-type] # `is_dataclass` was asked before
    try:
        setattr(settings, name, getattr(settings, name))
    except dataclasses.FrozenInstanceError:
        return True
    return False


def probe_keeps_to_the_manifest(stage: Stage) -> None:
    """Signing in shows the books, and no right that the manifest does not declare."""
    probe = stage.connector().probe()
    same(probe.books.home_currency, stage.bench.currency, "the books' home currency")
    must(
        probe.can <= stage.manifest.writes.keys(),
        f"{few(probe.can - stage.manifest.writes.keys())} not declared",
    )


def closed_twice(stage: Stage) -> None:
    """Closing lets go of every connection: unused, twice, and in the middle of a pull."""
    unused = stage.connector()
    unused.close()
    unused.close()
    busy = stage.connector()
    pages = busy.pull(Pull(None))
    next(pages)
    busy.close()
    busy.close()
    must(
        eventually(lambda: stage.wire.connections == 0),
        f"{stage.wire.connections} connections open after closing",
    )


def no_secret_is_told(stage: Stage) -> None:
    """No token and no client secret shows in any log, error, record, answer or repr."""
    listener = Listener()
    with listener.listening():
        told = [*_session(stage)]
    secrets = {stage.bench.client_secret, *stage.tokens.secrets}
    pair = f"{stage.bench.client_id}:{stage.bench.client_secret}"
    secrets |= {base64.b64encode(pair.encode()).decode()}
    secrets |= {urllib.parse.quote(secret, safe="") for secret in secrets}
    for text in (*told, *listener.lines):
        found = next((secret for secret in secrets if secret in text), None)
        must(found is None, f"a secret is told: {text.replace(found or ' ', '[the secret]')[:400]}")


def _session(stage: Stage) -> Iterator[str]:
    """Everything a connector says in a day with trouble, as text."""
    yield repr(stage.bench.settings(stage.wire.url))
    connector = stage.connector()
    yield repr(connector)
    yield repr(stage.pull())
    for trouble in _LOUD:
        stage.wire.fault(Fault(trouble))
        yield from _tried(stage)
        stage.wire.heal()
    for trouble in _LOUD if stage.bench.expire() else ():
        stage.bench.expire()
        stage.wire.fault(Fault(trouble, lambda sent: sent.is_sign_in))
        yield from _tried(stage)
        stage.wire.heal()
        # A lost answer may have spent the refresh token; then a person has to connect again.
        stage.tokens.replace(stage.bench.grant())
    if "post_receipt" in stage.manifest.writes:
        call = stage.planned(stage.job("post_receipt"))
        stage.wire.fault(Fault("broken", is_call(call)))
        yield repr(stage.sent(call))
        stage.wire.heal()
        yield repr((stage.sent(call), stage.connector().find(call)))
    stage.bench.revoke()
    yield from _tried(stage)


_LOUD: tuple[Trouble, ...] = ("html", "broken", "lost after")


def _tried(stage: Stage) -> Iterator[str]:
    try:
        yield repr(stage.pull())
    except ArsyncError as error:
        # What Python shows where nobody catches it; the causes are shown too.
        yield f"{error!r} {''.join(traceback.format_exception(error))}"


def no_float(stage: Stage) -> None:
    """No float holds anything in a page, a total, a call or an answer."""
    connector = stage.connector()
    said: list[object] = []
    for verb in sorted(stage.manifest.writes.keys() & {"post_receipt", "post_credit"}):
        deed: Deed = "post_receipt" if verb == "post_receipt" else "post_credit"
        for answer in stage.carried_out(stage.job(deed)):
            said += [answer, *_numbers(answer.call.body)]
    said += [connector.probe(), *stage.pull().pages, *stage.stated()]
    found = [f"{where} = {number!r}" for where, number in floats(said, "")]
    must(not found, f"floats: {few(found)}")


def _numbers(body: bytes) -> Iterator[object]:
    """What a JSON call carries, with numbers as the text they are written as; 1e2 or 0.30000000000000004 shows."""
    try:
        document = json.loads(body or b"null", parse_float=_plain)
    except ValueError:
        return
    yield document


def _plain(text: str) -> float | str:
    """The text of a plain amount; a number with an exponent or many digits came out of a float."""
    whole, _, rest = text.partition(".")
    return (
        text if whole.lstrip("-").isdecimal() and rest.isdecimal() and len(rest) <= _DIGITS else float(text)
    )


_DIGITS = 4


def floats(thing: object, where: str) -> Iterator[tuple[str, float]]:
    """Every float within a value, and where."""
    if isinstance(thing, float):
        yield where, thing
    elif dataclasses.is_dataclass(thing):
        for one in dataclasses.fields(thing):
            yield from floats(getattr(thing, one.name), f"{where}.{one.name}")
    elif isinstance(thing, Mapping):
        for name, value in thing.items():
            yield from floats(value, f"{where}[{name!r}]")
    elif isinstance(thing, list | tuple | set | frozenset):
        for place, value in enumerate(thing):
            yield from floats(value, f"{where}[{place}]")
