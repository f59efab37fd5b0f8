"""QuickBooks Online."""

from arsync.connectors.quickbooks.connector import QuickBooksConnector, QuickBooksSettings

__all__ = ["QuickBooksConnector", "QuickBooksSettings"]
