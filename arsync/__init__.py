"""arsync applies cash: which invoices does this money pay?"""

__version__ = "0.1.0"
