"""Scripted trouble on the wire: what kinds there are.

A fault is matched against `METHOD /path`, where the path is what follows `/api.xro/2.0` (`/Payments`), or the whole
path for everything else (`/connect/token`, `/connections`).
"""

from typing import Literal, get_args

FaultKind = Literal[
    "lost_before_commit",  # connection cut, nothing happened
    "lost_after_commit",  # it happened, connection cut before the first byte of the answer
    "reset_mid_body",  # it happened, reset after half of the answer
    "truncated_body",  # it happened, answer ends in the middle of its JSON, with a matching length
    "slow",  # answered after `delay_s`
    "slow_drip",  # answered byte by byte over `delay_s`
    "duplicate",  # delivered twice, as a retrying proxy does; the second answer is seen
    "status_429_minute",
    "status_429_day",
    "status_429_concurrent",  # without Retry-After
    "status_429_appminute",
    "html_500",  # nothing happened
    "html_500_after_commit",  # although it happened
    "503_maintenance",
    "503_unavailable",
    "503_offline",
    "status_401",  # the access token is refused once
    "status_403",
    "status_412",
]
FAULT_KINDS: tuple[str, ...] = get_args(FaultKind)
RETRY_AFTER_S = {"status_429_minute": 60, "status_429_day": 66_975, "status_429_appminute": 60}
"""What is said unless the script says otherwise; the day's was seen in a log."""
