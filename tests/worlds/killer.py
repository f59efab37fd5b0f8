"""Run arsync commands that kill themselves with SIGKILL at one point: the n-th commit or the n-th socket write.

Each line on standard input is a plan, for example

    {"arguments": ["reconcile", "--json"], "now": "2026-11-20T09:00:00+00:00", "kill": ["commit", 12, "after"],
     "environment": {...}, "out": "/tmp/said.txt", "trace": "/tmp/trace.json"}

and is carried out by a process of its own, a fork of this one, which has imported everything already; the answer is a
line with its exit status. Commits are those of write transactions, `before` or `after` the database has them; socket
writes are those of the HTTP client, killed `before`, with `half` of the bytes gone, or `after`. Without `kill`, every
point that is passed is written to `trace`: what it is, and the step of the run it belongs to. Nothing in arsync knows
of this.
"""

import importlib
import json
import os
import signal
import socket
import sys
import traceback
from datetime import datetime, timedelta
from pathlib import Path

kill_at: tuple[str, int, str] = ("", 0, "")
passed: list[tuple[str, str]] = []
counts = {"commit": 0, "write": 0}


def step() -> str:
    """The innermost step of the run that is under way."""
    frame = sys._getframe(2)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if name in ("arsync.store.vault", "arsync.connectors.oauth"):
            return "sign in"
        if name.startswith("arsync.sync."):
            return name.removeprefix("arsync.sync.")
        frame = frame.f_back
    return "other"


def point(kind: str) -> str:
    """Count one point; when to die at it, or nothing."""
    counts[kind] += 1
    passed.append((kind, step()))
    return kill_at[2] if (kind, counts[kind]) == kill_at[:2] else ""


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def watch_commits() -> None:
    from sqlalchemy.engine.base import Connection

    commit = Connection._commit_impl

    def watched(self):
        when = point("commit") if self.get_execution_options().get("arsync_write") else ""
        if when == "before":
            die()
        commit(self)
        if when == "after":
            die()

    Connection._commit_impl = watched


def watch_sockets() -> None:
    send, sendall = socket.socket.send, socket.socket.sendall

    def watched(original):
        def write(self, data, *flags):
            if self.family != socket.AF_INET:
                return original(self, data, *flags)
            when = point("write")
            if when == "before":
                die()
            if when == "half":
                send(self, bytes(data)[: max(1, len(data) // 2)])
                die()
            sent = original(self, data, *flags)
            if when == "after":
                die()
            return sent

        return write

    socket.socket.send, socket.socket.sendall = watched(send), watched(sendall)


def watch(now: datetime) -> None:
    """Watch this process, on the test's own clock and without the pace a real platform asks for."""
    from arsync.cli import common
    from arsync.connectors.quickbooks import connector as quickbooks
    from arsync.connectors.xero import connector as xero

    def clock() -> datetime:
        nonlocal now
        now += timedelta(milliseconds=1)
        return now

    quickbooks._LIMITS = xero._LIMITS = ()
    common.utc_now = clock
    watch_commits()
    watch_sockets()


def carry_out(plan):
    """The forked process: one command, to its end or to the point where it dies."""
    global kill_at  # noqa: PLW0603 - this process is one command
    kill_at = tuple(plan.get("kill") or ("", 0, ""))
    said = os.open(plan["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(said, stream)
    os.environ.clear()
    os.environ.update(plan["environment"])
    watch(datetime.fromisoformat(plan["now"]))
    sys.argv = ["arsync", *plan["arguments"]]
    code = 1
    try:
        from arsync.cli import main

        main()
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:  # noqa: BLE001 - whatever it is, the test shows it
        traceback.print_exc()
    finally:
        if plan.get("trace"):
            Path(plan["trace"]).write_text(json.dumps(passed))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def preload() -> None:
    """Import what the commands need, once for all forks."""
    for name in (
        "arsync.cli.running", "arsync.cli.desk", "arsync.connectors.quickbooks.pull",
        "arsync.connectors.quickbooks.send", "arsync.connectors.quickbooks.reports", "arsync.connectors.xero.pull",
        "arsync.connectors.xero.send", "arsync.connectors.xero.totals", "arsync.core.matching.engine",
        "arsync.core.matching.decide", "arsync.core.matching.learn", "psycopg", "rapidfuzz", "cryptography.fernet",
        "sqlalchemy.dialects.sqlite", "sqlalchemy.dialects.postgresql",
    ):  # fmt: skip
        importlib.import_module(name)


def serve() -> None:
    """Answer plans until the input ends."""
    preload()
    for line in sys.stdin:
        process = os.fork()
        if process == 0:
            carry_out(json.loads(line))
        _, status = os.waitpid(process, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    serve()
