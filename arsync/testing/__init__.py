"""What every connector must pass, for its author to use; see `conformance` and docs/tutorial-connector.md.

    from arsync.testing import Bench, conformance

    class TestPebble(conformance.Suite):
        connector = PebbleConnector

        @staticmethod
        def bench(clock):
            return pebble_bench(clock)

Nothing here imports pytest but `conformance`, which comes with the extra `arsync[testing]`.
"""

from arsync.testing.bench import Bench, NotStaged
from arsync.testing.cases import Trial, trials, unproven
from arsync.testing.ports import Clock, CountingMeter, MemoryTokens
from arsync.testing.stage import Stage
from arsync.testing.verdicts import NotExercised, Violation
from arsync.testing.wire import Exchange, Fault, Wire

__all__ = [
    "Bench",
    "Clock",
    "CountingMeter",
    "Exchange",
    "Fault",
    "MemoryTokens",
    "NotExercised",
    "NotStaged",
    "Stage",
    "Trial",
    "Violation",
    "Wire",
    "trials",
    "unproven",
]
