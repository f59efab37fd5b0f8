"""Properties of Xero's records that have been announced; what is not among them is told, never an error.

Source  Xero's OpenAPI 16.1.0, and the twins of dates and ids that its documented samples show beside it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

_NAMES = {
    "Contacts": """
        AccountNumber AccountsPayableTaxType AccountsReceivableTaxType Addresses Attachments Balances
        BankAccountDetails BatchPayments BrandingTheme CompanyNumber ContactGroups ContactID ContactNumber
        ContactPersons ContactStatus DefaultCurrency Discount EmailAddress FirstName HasAttachments
        HasValidationErrors IsCustomer IsSupplier LastName MergedToContactID Name PaymentTerms Phones
        PurchasesDefaultAccountCode PurchasesDefaultLineAmountType PurchasesTrackingCategories
        SalesDefaultAccountCode SalesDefaultLineAmountType SalesTrackingCategories StatusAttributeString
        TaxNumber TaxNumberType TrackingCategoryName TrackingCategoryOption UpdatedDateUTC ValidationErrors
        Website XeroNetworkKey
    """,
    "Invoices": """
        AmountCredited AmountDue AmountPaid Attachments BrandingThemeID CISDeduction CISRate Contact CreditNotes
        CurrencyCode CurrencyRate Date DateString DueDate DueDateString ExpectedPaymentDate
        ExpectedPaymentDateString FullyPaidOnDate HasAttachments HasErrors ID InvoiceAddresses InvoiceID
        InvoiceNumber IsDiscounted LineAmountTypes LineItems Overpayments Payments PlannedPaymentDate
        PlannedPaymentDateString Prepayments Reference RepeatingInvoiceID SentToContact Status
        StatusAttributeString SubTotal Total TotalDiscount TotalTax Type UpdatedDateUTC UpdatedDateUTCString Url
        ValidationErrors Warnings
    """,
    "CreditNotes": """
        Allocations AppliedAmount BrandingThemeID CISDeduction CISRate Contact CreatedDateUTCString CreditNoteID
        CreditNoteNumber CurrencyCode CurrencyRate Date DateString DueDate DueDateString FullyPaidOnDate
        HasAttachments HasErrors ID InvoiceAddresses LineAmountTypes LineItems Payments Reference
        RemainingCredit SentToContact Status StatusAttributeString SubTotal Total TotalTax Type UpdatedDateUTC
        UpdatedDateUTCString ValidationErrors Warnings
    """,
    "Payments": """
        Account Amount BankAccountNumber BankAmount BatchPayment BatchPaymentID Code CreditNote CreditNoteNumber
        CurrencyRate Date DateString Details HasAccount HasValidationErrors Invoice InvoiceNumber IsReconciled
        Overpayment Particulars PaymentID PaymentType Prepayment Reference Status StatusAttributeString
        UpdatedDateUTC UpdatedDateUTCString ValidationErrors Warnings
    """,
    "Overpayments": """
        Allocations AppliedAmount Attachments Contact CurrencyCode CurrencyRate Date DateString HasAttachments
        ID LineAmountTypes LineItems OverpaymentID Payments Reference RemainingCredit Status SubTotal Total
        TotalTax Type UpdatedDateUTC UpdatedDateUTCString
    """,
    "Prepayments": """
        Allocations AppliedAmount Attachments BrandingThemeID Contact CurrencyCode CurrencyRate Date DateString
        HasAttachments ID InvoiceNumber LineAmountTypes LineItems Payments PrepaymentID Reference
        RemainingCredit Status SubTotal Total TotalTax Type UpdatedDateUTC UpdatedDateUTCString
    """,
    "BankTransactions": """
        BankAccount BankTransactionID BatchPayment Contact CurrencyCode CurrencyRate Date DateString
        HasAttachments IsReconciled LineAmountTypes LineItems OverpaymentID PrepaymentID Reference Status
        StatusAttributeString SubTotal Total TotalTax Type UpdatedDateUTC UpdatedDateUTCString Url
        ValidationErrors
    """,
    "Accounts": """
        AccountID AddToWatchlist BankAccountNumber BankAccountType Class Code CurrencyCode Description
        EnablePaymentsToAccount HasAttachments Name ReportingCode ReportingCodeName ShowInExpenseClaims Status
        SystemAccount TaxType Type UpdatedDateUTC ValidationErrors
    """,
}
_ANNOUNCED: Mapping[str, frozenset[str]] = {
    entity: frozenset(names.split()) for entity, names in _NAMES.items()
}


def unknown(entity: str, rows: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    """Properties of these rows that nobody announced, as "Invoices.Mood"."""
    known = _ANNOUNCED.get(entity, frozenset())
    return frozenset(f"{entity}.{name}" for row in rows for name in row if name not in known)
