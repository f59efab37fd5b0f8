"""Scripted trouble on the wire: lost answers, throttles, torn bodies.

A fault is matched against `METHOD /path`, where the path is what follows the company (`/payment`,
`/query`), or the whole path for everything outside of a company. It fires `times` times after letting `skip`
matches pass.
"""

from dataclasses import dataclass, field
from typing import Literal, get_args

FaultKind = Literal[
    "lost_before_commit",  # connection cut, nothing happened
    "lost_after_commit",  # it happened, connection cut before the first byte of the answer
    "reset_mid_body",  # it happened, reset after half of the answer
    "truncated_body",  # it happened, answer ends in the middle of its JSON, with a matching length
    "slow",  # answered after `delay_s`
    "slow_drip",  # answered byte by byte over `delay_s`
    "status_429",
    "xml_429",
    "status_403",  # the old throttle: 403 with code 3001
    "status_500",  # code 10000, nothing happened
    "status_500_after_commit",  # code 10000, although it happened
    "html_503",
    "empty_504",
    "empty_504_after_commit",
    "fault_in_200",  # HTTP 200 with a Fault inside, nothing happened
    "status_401",  # the access token is refused once
]
FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)


@dataclass(slots=True)
class Fault:
    """One line of the script."""

    match: str
    kind: FaultKind
    times: int = 1
    skip: int = 0
    delay_s: float = 0.0
    retry_after_s: int | None = None


@dataclass(slots=True)
class FaultScript:
    """The script, in order; the first line that matches and is not used up fires."""

    faults: list[Fault] = field(default_factory=list)

    def add(
        self,
        match: str,
        kind: FaultKind,
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
        if kind not in FAULT_KINDS:
            raise ValueError(f"no fault is called {kind!r}; there are {', '.join(FAULT_KINDS)}")
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
