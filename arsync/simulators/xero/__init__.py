"""Xero, simulated; see README.md in this folder."""

from arsync.simulators.faults import Fault
from arsync.simulators.xero.bookkeeper import Bookkeeper, BulkInvoice
from arsync.simulators.xero.interference import FAULT_KINDS
from arsync.simulators.xero.ledger import BooksBroken
from arsync.simulators.xero.oauth import App
from arsync.simulators.xero.records import Switches
from arsync.simulators.xero.simulator import (
    ALL_SCOPES,
    API,
    Answer,
    LoggedRequest,
    Request,
    Tenant,
    XeroSimulator,
)

__all__ = [
    "ALL_SCOPES",
    "API",
    "FAULT_KINDS",
    "Answer",
    "App",
    "Bookkeeper",
    "BooksBroken",
    "BulkInvoice",
    "Fault",
    "LoggedRequest",
    "Request",
    "Switches",
    "Tenant",
    "XeroSimulator",
]
