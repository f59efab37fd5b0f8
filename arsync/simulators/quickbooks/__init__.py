"""QuickBooks Online, simulated; see README.md in this folder."""

from arsync.simulators.faults import Fault
from arsync.simulators.quickbooks.bookkeeper import Bookkeeper, BulkInvoice
from arsync.simulators.quickbooks.door import Company
from arsync.simulators.quickbooks.interference import FAULT_KINDS
from arsync.simulators.quickbooks.ledger import BooksBroken
from arsync.simulators.quickbooks.records import CompanySettings, Switches
from arsync.simulators.quickbooks.simulator import Counted, LoggedRequest, QuickBooksSimulator

__all__ = [
    "FAULT_KINDS",
    "Bookkeeper",
    "BooksBroken",
    "BulkInvoice",
    "Company",
    "CompanySettings",
    "Counted",
    "Fault",
    "LoggedRequest",
    "QuickBooksSimulator",
    "Switches",
]
