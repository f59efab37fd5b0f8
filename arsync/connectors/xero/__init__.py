"""Xero."""

from arsync.connectors.xero.connector import XeroConnector, XeroSettings

__all__ = ["XeroConnector", "XeroSettings"]
