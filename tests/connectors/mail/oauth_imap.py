"""pymap with the XOAUTH2 of pysasl: takes no password, and of access tokens those that a file lists just now.

Run as a program: the file's path comes first, then pymap's own arguments.
"""

import sys
from pathlib import Path

from pymap import config, main
from pysasl import SASLAuth
from pysasl.creds.external import ExternalVerificationRequired
from pysasl.creds.plain import PlainCredentials
from pysasl.mechanism import ServerChallenge
from pysasl.mechanism.oauth import OAuth2Mechanism

PASSWORD = "demopass"  # of pymap's demo data; no client of this server ever says it


def _token(creds):
    try:
        creds.verify(None)
    except ExternalVerificationRequired as asked:
        return asked.token


def accepting(listed: Path) -> OAuth2Mechanism:
    class Mechanism(OAuth2Mechanism):
        def server_attempt(self, responses):
            creds, _ = super().server_attempt(responses)
            if _token(creds) in listed.read_text().split():
                return PlainCredentials(creds.authzid, PASSWORD), None
            if len(responses) == 1:  # a server says why, and refuses when it has heard an empty answer
                raise ServerChallenge(b'{"status":"401","schemes":"bearer"}')
            assert responses[1].response == b""
            return PlainCredentials(creds.authzid, "refused"), None

    return Mechanism()


if __name__ == "__main__":
    mechanism = accepting(Path(sys.argv.pop(1)))
    config.IMAPConfig.tls_auth = property(lambda _: SASLAuth([mechanism]))
    main.main()
