"""`arsync --help` answers at once: no heavy library is loaded before a command needs it."""

import json
import subprocess
import sys

from tests.house.sources import ROOT

HEAVY = (
    "alembic",
    "cryptography",
    "httpx2",
    "lxml",
    "msgspec",
    "quickbooks",
    "rapidfuzz",
    "requests",
    "rich",
    "sqlalchemy",
    "starlette",
    "tenacity",
    "uvicorn",
    "xlsxwriter",
    "zstandard",
)

LOADED = """
import contextlib, io, json, sys
from arsync.cli import main
with contextlib.redirect_stdout(io.StringIO()) as said, contextlib.suppress(SystemExit):
    sys.argv = ["arsync", "--help"]
    main()
assert "Usage" in said.getvalue(), said.getvalue()
json.dump(sorted({name.partition(".")[0] for name in sys.modules}), sys.stdout)
"""


def test_help_loads_no_heavy_library():
    ran = subprocess.run([sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True)
    assert set(json.loads(ran.stdout)) & set(HEAVY) == set()
