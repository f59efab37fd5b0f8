"""A script of trouble: which request it hits, how often, and what kind it is.

Shape   a fault is matched against `METHOD /path`; it fires `times` times after letting `skip` matches pass. What the
        kinds are and do is the platform's.
"""

from dataclasses import dataclass, field


@dataclass(slots=True)
class Fault:
    """One line of the script."""

    match: str
    kind: str
    times: int = 1
    skip: int = 0
    delay_s: float = 0.0
    retry_after_s: int | None = None


@dataclass(slots=True)
class FaultScript:
    """The script, in order; the first line that matches and is not used up fires."""

    kinds: tuple[str, ...]
    faults: list[Fault] = field(default_factory=list)

    def add(
        self,
        match: str,
        kind: str,
        *,
        times: int = 1,
        skip: int = 0,
        delay_s: float = 0.0,
        retry_after_s: int | None = None,
    ) -> None:
        """Add a line.

        Raises:
            ValueError: no such kind of fault.
        """
        if kind not in self.kinds:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(self.kinds)}")
        self.faults.append(Fault(match, kind, times, skip, delay_s, retry_after_s))

    def clear(self) -> None:
        """Forget the script."""
        self.faults.clear()

    def next_for(self, method: str, path: str) -> Fault | None:
        """The fault that hits this request, used up by one."""
        for fault in self.faults:
            if fault.times <= 0 or not _matches(fault.match, method, path):
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None


def _matches(match: str, method: str, path: str) -> bool:
    wanted_method, _, wanted_path = match.rpartition(" ")
    if wanted_method not in {"", "*", method}:
        return False
    return wanted_path in {"*", path} or path.startswith(wanted_path.rstrip("/") + "/")
