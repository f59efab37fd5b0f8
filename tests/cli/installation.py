"""An installation in a folder, the commands typed in it, and the owner of a company at the consent page."""

import json
import shlex
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from click.testing import CliRunner, Result

from arsync.cli import cli
from arsync.errors import ArsyncError
from arsync.simulators.quickbooks import QuickBooksSimulator

REALM = "4620816365"


class Installation:
    """A folder, and the commands typed in it."""

    def __init__(self, folder: Path, simulator: QuickBooksSimulator, url: str) -> None:
        self.folder, self.simulator, self.url = folder, simulator, url

    def type(self, line: str, *, code: int = 0, answer: str | None = None) -> Result:
        """Type a command; an arsync error is raised as it would be shown."""
        runner = CliRunner()
        words = ["--config", str(self.folder / "arsync.toml"), *shlex.split(line)]
        result = runner.invoke(cli, words, standalone_mode=False, input=answer)
        if isinstance(result.exception, ArsyncError):
            raise result.exception
        assert result.exception is None, result.output
        assert (result.return_value or 0) == code, result.output
        return result

    def json(self, line: str, *, code: int = 0) -> object:
        return json.loads(self.type(line + " --json", code=code).stdout)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: object) -> None:
        return None


def consent(address: str, realm: str = REALM) -> str:
    """What a browser does when the owner allows access: the address it is sent to."""
    fields = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(address).query)) | {"realm_id": realm}
    page = address.partition("?")[0]
    request = urllib.request.Request(page, data=urllib.parse.urlencode(fields).encode(), method="POST")
    try:
        urllib.request.build_opener(_Stay).open(request)
    except urllib.error.HTTPError as answer:
        return str(answer.headers["Location"])
    raise AssertionError("the consent page sent nobody anywhere")


def connect(place: Installation, options: str = "--ledger supply", realm: str = REALM) -> str:
    """Consent in a browser elsewhere, and the address it was sent to handed over; what arsync said."""
    query = {
        "client_id": place.simulator.client_id,
        "redirect_uri": "http://127.0.0.1:8765/callback",
        "response_type": "code",
        "scope": "com.intuit.quickbooks.accounting",
        "state": "s",
    }
    sent_to = consent(f"{place.url}/connect/oauth2?{urllib.parse.urlencode(query)}", realm)
    return place.type(f"--as dana connect quickbooks {options} --redirected '{sent_to}'").output
