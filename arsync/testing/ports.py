"""The ports of a connector on memory: a clock that moves when somebody sleeps, tokens, a meter."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from arsync.connectors.contract import Tokens
from arsync.testing.verdicts import must

_START = datetime(2026, 11, 22, 8, 0, 0, tzinfo=UTC)


class Clock:
    """The time of a test, shared by connector and simulator; it stands still unless somebody moves it."""

    def __init__(self, now: datetime = _START) -> None:
        self._now = now
        self._lock = threading.Lock()

    def now(self) -> datetime:
        """The time, aware."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Move on; also what a connector sleeps with."""
        with self._lock:
            self._now += timedelta(seconds=seconds)

    def set_back(self, seconds: float) -> None:
        """Let the platform's clock lag for a moment."""
        self.sleep(-seconds)


class MemoryTokens:
    """A token store that remembers every token it ever held, so that none may show up anywhere else."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens, self._lock, self._held = tokens, threading.Lock(), False
        self.saved: list[Tokens] = []
        self.secrets = {tokens.access, tokens.refresh}

    def load(self) -> Tokens:
        """The newest."""
        return self._tokens

    def save(self, tokens: Tokens) -> None:
        """Keep new ones.

        Raises:
            Violation: outside of `exclusive`, where two processes could spend one refresh token.
        """
        must(self._held, "tokens are saved outside of TokenStore.exclusive")
        self.replace(tokens)
        self.saved.append(tokens)

    def replace(self, tokens: Tokens) -> None:
        """A person connected again."""
        self._tokens = tokens
        self.secrets |= {tokens.access, tokens.refresh}

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """The lock of the connection."""
        with self._lock:
            self._held = True
            try:
                yield
            finally:
                self._held = False


class CountingMeter:
    """Counts."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()

    def count(self, what: str, number: int = 1) -> None:
        """Count something."""
        self.counts[what] += number
