"""Scripted trouble on the wire: lost answers, throttles, torn bodies.

A fault is matched against `METHOD /path`, where the path is what follows the company (`/payment`,
`/query`), or the whole path for everything outside of a company. It fires `times` times after letting `skip`
matches pass.
"""

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
