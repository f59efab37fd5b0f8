"""A process of its own that opens a store, matches, decides and keeps what `arsync reconcile` would, and ends.

    python -m bench.cold URL DAY

Its imports are those of the command; what talks to the platform is left out.
"""

import sys
from datetime import UTC, datetime
from typing import cast


def main(url: str, day: str) -> int:
    import arsync.cli.running  # noqa: F401 - what the command loads
    from arsync import migrations
    from arsync.connectors.contract import Connector
    from arsync.store import office
    from arsync.store.engine import Store
    from arsync.sync import decide
    from arsync.sync.job import Job

    store = Store(url)
    migrations.check(store)
    with store.read() as conn:
        ledger = office.find_ledger(conn, None)
    noon = datetime.fromisoformat(day).replace(hour=12, tzinfo=UTC)
    job = Job(store, ledger, cast(Connector, None), lambda: noon, b"")
    tally = decide.keep(job, decide.look(job))
    store.close()
    print(sum(tally.number.values()))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
