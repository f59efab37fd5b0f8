"""Every property the simulator knows, as a table: name, type, longest text.

A word of the table is `Name:type`; `*` after the type means a list, `/21` the longest text. A type is a
scalar (text, id, number, whole, flag, date, moment, any), an enumeration (first letter upper case) or a
structure.
A property that is not here is refused with code 2010, as QuickBooks does.

Source  names and enumerations are facts of Intuit's published schema, checked against it by a test; lengths
        from the same place and from public connectors (README.md says which).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Property:
    """What may stand in one property."""

    type: str
    many: bool = False
    longest: int | None = None


def _table(words: str) -> dict[str, Property]:
    return dict(_property(word) for word in words.split())


def _property(word: str) -> tuple[str, Property]:
    name, _, kind = word.partition(":")
    many = kind.endswith("*")
    kind, _, longest = kind.rstrip("*").partition("/")
    return name, Property(kind, many, int(longest) if longest else None)


ENUMERATIONS: dict[str, tuple[str, ...]] = {
    "EntityStatus": ("Deleted", "Voided", "Draft", "Pending", "InTransit", "Synchronized", "SyncError"),
    "EmailStatus": ("NotSet", "NeedToSend", "EmailSent"),
    "PrintStatus": ("NotSet", "NeedToPrint", "PrintComplete"),
    "PostingType": ("Debit", "Credit"),
    "GlobalTax": ("TaxInclusive", "TaxExcluded", "NotApplicable"),
    "PaymentType": ("Cash", "Check", "CreditCard", "Expense", "Other"),
    "EntityType": ("Customer", "Employee", "Job", "Other", "Vendor"),
    "FieldType": ("StringType", "BooleanType", "NumberType", "DateType"),
    "Classification": ("Asset", "Equity", "Expense", "Liability", "Revenue"),
    "AccountType": (
        "Bank", "Accounts Receivable", "Other Current Asset", "Fixed Asset", "Other Asset",
        "Accounts Payable", "Credit Card", "Other Current Liability", "Long Term Liability",
        "Equity", "Income", "Cost of Goods Sold", "Expense", "Other Income", "Other Expense",
        "Non-Posting",
    ),
    "ItemType": (
        "Assembly", "Category", "Fixed Asset", "Group", "Inventory", "NonInventory", "Other Charge",
        "Payment", "Service", "Subtotal", "Discount", "Tax", "Tax Group", "Bundle",
    ),
    "DetailType": (
        "PaymentLineDetail", "DiscountLineDetail", "TaxLineDetail", "SalesItemLineDetail",
        "ItemBasedExpenseLineDetail", "AccountBasedExpenseLineDetail", "DepositLineDetail",
        "PurchaseOrderItemLineDetail", "ItemReceiptLineDetail", "JournalEntryLineDetail", "GroupLineDetail",
        "DescriptionOnly", "SubTotalLineDetail", "SalesOrderItemLineDetail", "TDSLineDetail",
        "ReimburseLineDetail", "ItemAdjustmentLineDetail",
    ),
    "Month": (
        "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
        "November", "December",
    ),
}  # fmt: skip

_ENTITY = """Id:id SyncToken:text MetaData:meta CustomField:field* AttachableRef:attachref* domain:text sparse:flag
 status:EntityStatus """
_TRANSACTION = (
    _ENTITY
    + """DocNumber:text/21 TxnDate:date TxnSubType:text DepartmentRef:ref CurrencyRef:ref
 ExchangeRate:number PrivateNote:text/4000 TxnStatus:text LinkedTxn:link* Line:line*
 TxnTaxDetail:tax TxnSource:text TaxFormType:text TaxFormNum:text TransactionLocationType:text
 Tag:any* TxnApprovalInfo:any RecurDataRef:ref RecurringInfo:any ProjectRef:ref
 TotalCostAmount:number HomeTotalCostAmount:number """
)
_SALES = (
    _TRANSACTION
    + """AutoDocNumber:flag CustomerRef:ref CustomerMemo:memo BillAddr:address ShipAddr:address
 FreeFormAddress:flag ShipFromAddr:address RemitToRef:ref ClassRef:ref SalesTermRef:ref
 DueDate:date SalesRepRef:ref PONumber:text/15 FOB:text ShipMethodRef:ref ShipDate:date
 TrackingNum:text GlobalTaxCalculation:GlobalTax TotalAmt:number HomeTotalAmt:number
 ApplyTaxAfterDiscount:flag ShippingTaxIncludedInTotalTax:flag TemplateRef:ref
 PrintStatus:PrintStatus EmailStatus:EmailStatus BillEmail:email BillEmailCc:email
 BillEmailBcc:email ARAccountRef:ref Balance:number HomeBalance:number FinanceCharge:flag
 PaymentMethodRef:ref PaymentRefNum:text/21 PaymentType:PaymentType CheckPayment:any
 CreditCardPayment:any DepositToAccountRef:ref DeliveryInfo:any DiscountRate:number
 DiscountAmt:number GovtTxnRefIdentifier:text TaxExemptionRef:ref """
)
_NAME = (
    _ENTITY
    + """IntuitId:text Organization:flag Title:text/16 GivenName:text/25 MiddleName:text/15
 FamilyName:text/25 Suffix:text/15 FullyQualifiedName:text CompanyName:text/100
 DisplayName:text/500 PrintOnCheckName:text/110 UserId:text Active:flag V4IDPseudonym:text
 PrimaryPhone:phone AlternatePhone:phone Mobile:phone Fax:phone PrimaryEmailAddr:email
 WebAddr:web OtherContactInfo:any* DefaultTaxCodeRef:ref """
)

ENTITIES: dict[str, dict[str, Property]] = {
    "Customer": _table(
        _NAME
        + """Taxable:flag BillAddr:address ShipAddr:address OtherAddr:address* ContactName:text
 AltContactName:text Notes:text/1024 Job:flag BillWithParent:flag RootCustomerRef:ref
 ParentRef:ref Level:whole CustomerTypeRef:ref SalesTermRef:ref SalesRepRef:ref
 TaxGroupCodeRef:ref TaxRateRef:ref PaymentMethodRef:ref CCDetail:any PriceLevelRef:ref
 Balance:number OpenBalanceDate:date BalanceWithJobs:number CreditLimit:number AcctNum:text
 CurrencyRef:ref OverDueBalance:number TotalRevenue:number TotalExpense:number
 PreferredDeliveryMethod:text ResaleNum:text/16 JobInfo:any TDSEnabled:flag CustomerEx:any
 SecondaryTaxIdentifier:text ARAccountRef:ref PrimaryTaxIdentifier:text TaxExemptionReasonId:text
 IsProject:flag BusinessNumber:text GSTIN:text GSTRegistrationType:text IsCISContractor:flag
 ClientCompanyId:text ClientEntityId:text Source:text TaxRegime:text"""
    ),
    "Vendor": _table(
        _NAME
        + """ContactName:text AltContactName:text Notes:text BillAddr:address ShipAddr:address
 OtherAddr:address* TaxCountry:text TaxIdentifier:text BusinessNumber:text ParentRef:ref
 VendorTypeRef:ref TermRef:ref Balance:number BillRate:number OpenBalanceDate:date
 CreditLimit:number AcctNum:text Vendor1099:flag CurrencyRef:ref APAccountRef:ref VendorEx:any
 Source:text CostRate:number AgencyVerificationStatus:any AgencyVerificationStatusMsg:text
 AgencyVerificationTSUTC:moment CISRate:text CompanyRegistrationNumber:text GSTIN:text
 GSTRegistrationType:text HasTPAR:flag IsSubContractor:flag PrefillAccountRef:ref SubcontractorType:text
 T4AEligible:flag T5018Eligible:flag TDSEnabled:flag TDSEntityTypeId:whole TDSOverrideThreshold:flag
 TDSSectionTypeId:whole TaxIdEffectiveDate:date TaxReportingBasis:text VendorPaymentBankDetail:any"""
    ),
    "Employee": _table(
        _NAME
        + """EmployeeType:text EmployeeNumber:text SSN:text PrimaryAddr:address OtherAddr:address*
 BillableTime:flag BillRate:number BirthDate:date HiredDate:date ReleasedDate:date EmployeeEx:any
 CostRate:number Notes:text Gender:text UseTimeEntry:text"""
    ),
    "Invoice": _table(
        _SALES
        + """Deposit:number AllowIPNPayment:flag AllowOnlinePayment:flag AllowOnlineCreditCardPayment:flag
 AllowOnlineACHPayment:flag AllowOnlinePayPalPayment:flag AllowOnlineAffirmPayment:flag
 EInvoiceStatus:text ECloudStatusTimeStamp:moment CfdiUse:whole Exportation:text GlobalInfo:any
 invoiceStatus:text callToAction:text invoiceStatusLog:any* InvoiceEx:any LessCIS:number
 InvoiceLink:text PaymentDetailsMessage:text ConvenienceFeeDetail:any EnabledSurchargeInfo:any
 InvoiceLinkSecurityCode:text InvoiceLinkExpiryDate:date AutoPayEligible:flag
 SchedulePayEligible:flag ScheduledPaymentId:text GratuityEnabled:flag FinancingProductType:text
 SubscriptionPaymentsSetting:text TxnRetainageDetail:any"""
    ),
    "CreditMemo": _table(_SALES + "RemainingCredit:number InvoiceRef:ref CreditMemoEx:any"),
    "SalesReceipt": _table(_SALES + "SalesReceiptEx:any LessCIS:number"),
    "RefundReceipt": _table(_SALES + "RemainingCredit:number RefundReceiptEx:any"),
    "Estimate": _table(_SALES + "ExpirationDate:date AcceptedBy:text AcceptedDate:date EstimateEx:any"),
    "Payment": _table(
        _TRANSACTION
        + """CustomerRef:ref RemitToRef:ref ARAccountRef:ref DepositToAccountRef:ref PaymentMethodRef:ref
 PaymentRefNum:text/21 PaymentType:PaymentType CheckPayment:any CreditCardPayment:any
 TotalAmt:number UnappliedAmt:number ProcessPayment:flag PaymentExtendedType:text PaymentEx:any"""
    ),
    "JournalEntry": _table(
        _TRANSACTION
        + """Adjustment:flag HomeCurrencyAdjustment:flag EnteredInHomeCurrency:flag
 GlobalTaxCalculation:GlobalTax TotalAmt:number HomeTotalAmt:number JournalEntryEx:any"""
    ),
    "Deposit": _table(
        _TRANSACTION
        + """DepositToAccountRef:ref CashBack:cashback GlobalTaxCalculation:GlobalTax TotalAmt:number
 HomeTotalAmt:number DepositEx:any"""
    ),
    "Purchase": _table(
        _TRANSACTION
        + """AccountRef:ref PaymentMethodRef:ref PaymentRefNum:text/21 PaymentType:PaymentType
 CheckPayment:any CreditCardPayment:any EntityRef:ref Credit:flag RemitToAddr:address TotalAmt:number
 Memo:text PrintStatus:PrintStatus GlobalTaxCalculation:GlobalTax PurchaseEx:any LessCIS:number
 IncludeInAnnualTPAR:flag"""
    ),
    "Transfer": _table(
        _TRANSACTION + "FromAccountRef:ref ToAccountRef:ref Amount:number ClassRef:ref TransferEx:any"
    ),
    "Account": _table(
        _ENTITY
        + """Name:text/100 SubAccount:flag ParentRef:ref Description:text/100 FullyQualifiedName:text
 AccountAlias:text TxnLocationType:text Active:flag Classification:Classification
 AccountType:AccountType AccountSubType:text AccountPurposes:ref* AcctNum:text/7
 AcctNumExtn:text BankNum:text OpeningBalance:number OpeningBalanceDate:date
 CurrentBalance:number CurrentBalanceWithSubAccounts:number CurrencyRef:ref TaxAccount:flag
 TaxCodeRef:ref OnlineBankingEnabled:flag FIName:text JournalCodeRef:ref AccountEx:any"""
    ),
    "Item": _table(
        _ENTITY
        + """Name:text/100 Sku:text/100 Description:text/4000 Active:flag SubItem:flag ParentRef:ref
 Level:whole FullyQualifiedName:text Taxable:flag SalesTaxIncluded:flag PercentBased:flag
 UnitPrice:number RatePercent:number Type:ItemType PaymentMethodRef:ref UOMSetRef:ref
 IncomeAccountRef:ref PurchaseDesc:text/1000 PurchaseTaxIncluded:flag PurchaseCost:number
 ExpenseAccountRef:ref COGSAccountRef:ref AssetAccountRef:ref PrefVendorRef:ref AvgCost:number
 TrackQtyOnHand:flag QtyOnHand:number ReorderPoint:number DepositToAccountRef:ref
 SalesTaxCodeRef:ref PurchaseTaxCodeRef:ref InvStartDate:date ItemCategoryType:text ItemEx:any
 ClassRef:ref Source:text DeferredRevenue:flag AbatementRate:number BuildPoint:number
 CustomExtensions:any* ItemAssemblyDetail:any ItemGroupDetail:any ManPartNum:text PrintGroupedItems:flag
 QtyOnPurchaseOrder:number QtyOnSalesOrder:number ReverseChargeRate:number ServiceType:text
 SpecialItem:flag SpecialItemType:text TaxClassificationRef:ref UQCDisplayText:text UQCId:text"""
    ),
    "Term": _table(
        _ENTITY
        + """Name:text/31 Active:flag Type:text DiscountPercent:number DueDays:whole DiscountDays:whole
 DayOfMonthDue:whole DueNextMonthDays:whole DiscountDayOfMonth:whole SalesTermEx:any"""
    ),
    "PaymentMethod": _table(_ENTITY + "Name:text/31 Active:flag Type:text PaymentMethodEx:any"),
    "Class": _table(
        _ENTITY + "Name:text/100 SubClass:flag ParentRef:ref FullyQualifiedName:text Active:flag ClassEx:any"
    ),
    "Department": _table(
        _ENTITY
        + """Name:text/100 SubDepartment:flag ParentRef:ref FullyQualifiedName:text Active:flag
 DepartmentEx:any Address:address"""
    ),
    "TaxCode": _table(
        _ENTITY
        + """Name:text Description:text Active:flag Hidden:flag Taxable:flag TaxGroup:flag
 SalesTaxRateList:taxrates PurchaseTaxRateList:taxrates TaxCodeEx:any"""
    ),
    "TaxRate": _table(
        _ENTITY
        + """Name:text Description:text Active:flag RateValue:number AgencyRef:ref TaxReturnLineRef:ref
 TaxRateEx:any"""
    ),
    "Attachable": _table(
        _ENTITY
        + """FileName:text/1000 FileAccessUri:text TempDownloadUri:text Size:whole ContentType:text/100
 Category:text/100 Lat:text/100 Long:text/100 PlaceName:text/2000 Note:text/2000 Tag:text/2000
 ThumbnailFileAccessUri:text ThumbnailTempDownloadUri:text AttachableEx:any documentId:text"""
    ),
    "CompanyInfo": _table(
        _ENTITY
        + """CompanyName:text/1024 LegalName:text/1024 CompanyAddr:address CustomerCommunicationAddr:address
 LegalAddr:address Email:email PrimaryPhone:phone WebAddr:web CompanyStartDate:date
 FiscalYearStartMonth:Month Country:text SupportedLanguages:text DefaultTimeZone:text
 NameValue:pair* EmployerId:text"""
    ),
    "Preferences": _table(
        _ENTITY
        + """AccountingInfoPrefs:accountingprefs SalesFormsPrefs:salesprefs CurrencyPrefs:currencyprefs
 ReportPrefs:reportprefs ProductAndServicesPrefs:any VendorAndPurchasesPrefs:any
 TimeTrackingPrefs:any TaxPrefs:any EmailMessagesPrefs:any OtherPrefs:any"""
    ),
}

STRUCTURES: dict[str, dict[str, Property]] = {
    "ref": _table("value:id name:text type:text"),
    "meta": _table(
        """CreatedByRef:ref CreateTime:moment LastModifiedByRef:ref LastUpdatedTime:moment
 LastChangedInQB:moment Synchronized:flag"""
    ),
    "field": _table(
        """DefinitionId:id Name:text Type:FieldType StringValue:text/31 BooleanValue:flag DateValue:date
 NumberValue:number"""
    ),
    "memo": _table("value:text/1000 id:id"),
    "email": _table("Id:id Address:text/100 Default:flag Tag:text"),
    "phone": _table(
        """Id:id DeviceType:text CountryCode:text AreaCode:text ExchangeCode:text Extension:text
 FreeFormNumber:text/21 Default:flag Tag:text"""
    ),
    "web": _table("Id:id URI:text/1000 Default:flag Tag:text"),
    "address": _table(
        """Id:id Line1:text/500 Line2:text/500 Line3:text/500 Line4:text/500 Line5:text/500 City:text/255
 Country:text/255 CountryCode:text County:text CountrySubDivisionCode:text/255 PostalCode:text/30
 PostalCodeSuffix:text Lat:text Long:text Tag:text Note:text"""
    ),
    "attachref": _table(
        "EntityRef:ref LineInfo:id IncludeOnSend:flag AttachableRefEx:any CustomField:field*"
    ),
    "link": _table("TxnId:id TxnType:text TxnLineId:id"),
    "line": _table(
        """Id:id LineNum:whole Description:text/4000 Amount:number Received:number LinkedTxn:link*
 DetailType:DetailType PaymentLineDetail:paymentline DiscountLineDetail:discountline
 TaxLineDetail:taxline SalesItemLineDetail:salesline DescriptionLineDetail:any
 DepositLineDetail:depositline JournalEntryLineDetail:journalline SubTotalLineDetail:subtotalline
 GroupLineDetail:any CustomExtensions:any* ItemAdjustmentLineDetail:any ItemReceiptLineDetail:any
 PurchaseOrderItemLineDetail:any ReimburseLineDetail:any SalesOrderItemLineDetail:any TDSLineDetail:any
 AccountBasedExpenseLineDetail:accountline
 ItemBasedExpenseLineDetail:itemline CustomField:field* LineEx:any ProjectRef:ref CostAmount:number
 HomeCostAmount:number"""
    ),
    "paymentline": _table(
        """ItemRef:ref ServiceDate:date ClassRef:ref Balance:number HomeBalance:number Discount:any
 PaymentLineEx:any"""
    ),
    "discountline": _table(
        """DiscountRef:ref PercentBased:flag DiscountPercent:number DiscountAccountRef:ref ServiceDate:date
 ClassRef:ref TaxCodeRef:ref DiscountLineDetailEx:any"""
    ),
    "taxline": _table(
        """TaxRateRef:ref PercentBased:flag TaxPercent:number NetAmountTaxable:number
 TaxInclusiveAmount:number OverrideDeltaAmount:number ServiceDate:date TaxLineDetailEx:any"""
    ),
    "salesline": _table(
        """ItemRef:ref ClassRef:ref UnitPrice:number UnitCostPrice:number RatePercent:number
 PriceLevelRef:ref MarkupInfo:any Qty:number UOMRef:any ItemAccountRef:ref InventorySiteRef:ref
 TaxCodeRef:ref TaxClassificationRef:ref ServiceDate:date TaxInclusiveAmt:number
 DiscountRate:number DiscountAmt:number DeferredRevenue:flag RetainageAmount:number
 SalesItemLineDetailEx:any"""
    ),
    "depositline": _table(
        """Entity:ref ClassRef:ref AccountRef:ref PaymentMethodRef:ref CheckNum:text/21 TxnType:text
 TaxCodeRef:ref TaxApplicableOn:text DepositLineDetailEx:any"""
    ),
    "journalline": _table(
        """PostingType:PostingType Entity:entity AccountRef:ref ClassRef:ref DepartmentRef:ref
 TaxCodeRef:ref TaxRateRef:ref TaxApplicableOn:text TaxAmount:number TaxInclusiveAmt:number
 BillableStatus:text JournalCodeRef:ref JournalEntryLineDetailEx:any"""
    ),
    "accountline": _table(
        """CustomerRef:ref ClassRef:ref AccountRef:ref BillableStatus:text MarkupInfo:any TaxAmount:number
 TaxCodeRef:ref TaxInclusiveAmt:number ExpenseDetailLineDetailEx:any"""
    ),
    "itemline": _table(
        """ItemRef:ref ClassRef:ref UnitPrice:number Qty:number TaxCodeRef:ref CustomerRef:ref
 BillableStatus:text MarkupInfo:any TaxInclusiveAmt:number ItemBasedExpenseLineDetailEx:any
 InventorySiteRef:ref ItemAccountRef:ref PriceLevelRef:ref RatePercent:number TaxClassificationRef:ref
 UOMRef:any UnitCostPrice:number"""
    ),
    "taxrates": _table("TaxRateDetail:taxrate* originatingGroupId:text"),
    "taxrate": _table("TaxRateRef:ref TaxTypeApplicable:text TaxOrder:whole TaxOnTaxOrder:whole"),
    "entity": _table("Type:EntityType EntityRef:ref"),
    "subtotalline": _table("ItemRef:ref ServiceDate:date"),
    "tax": _table(
        """DefaultTaxCodeRef:ref TxnTaxCodeRef:ref TotalTax:number TaxReviewStatus:text TaxLine:line*
 UseAutomatedSalesTax:flag"""
    ),
    "cashback": _table("AccountRef:ref Amount:number Memo:text"),
    "pair": _table("Name:text Value:text"),
    "accountingprefs": _table(
        """UseAccountNumbers:flag DefaultARAccount:ref DefaultAPAccount:ref TrackDepartments:flag
 ClassTrackingPerTxn:flag ClassTrackingPerTxnLine:flag FirstMonthOfFiscalYear:Month
 TaxYearMonth:Month BookCloseDate:date CustomerTerminology:text"""
    ),
    "salesprefs": _table(
        """CustomField:any* CustomTxnNumbers:flag AllowDeposit:flag AllowDiscount:flag
 DefaultDiscountAccount:text AllowEstimates:flag DefaultTerms:ref AutoApplyCredit:flag
 AutoApplyPayments:flag AllowServiceDate:flag AllowShipping:flag ETransactionEnabledStatus:text
 ETransactionPaymentEnabled:flag"""
    ),
    "currencyprefs": _table("MultiCurrencyEnabled:flag HomeCurrency:ref"),
    "reportprefs": _table("ReportBasis:text CalcAgingReportFromTxnDate:flag"),
}

LIST_KINDS = (
    "Customer", "Vendor", "Employee", "Account", "Item", "Term", "PaymentMethod", "Class", "Department",
    "TaxCode", "TaxRate",
)  # fmt: skip
NAME_KINDS = ("Customer", "Vendor", "Employee")
"""These share one sequence of Ids and one set of names."""
GIVEN_KINDS = ("CompanyInfo", "Preferences", "TaxCode", "TaxRate")
"""Nobody writes these over the API."""
SALES_KINDS = ("Invoice", "CreditMemo", "SalesReceipt", "RefundReceipt", "Estimate")
TRANSACTION_KINDS = (*SALES_KINDS, "Payment", "JournalEntry", "Deposit", "Purchase", "Transfer")
"""These share one sequence of Ids."""

KIND_OF_PATH = {kind.lower(): kind for kind in ENTITIES}

REQUIRED: dict[str, tuple[str, ...]] = {
    "Invoice": ("CustomerRef", "Line"),
    "CreditMemo": ("CustomerRef", "Line"),
    "Estimate": ("CustomerRef", "Line"),
    "SalesReceipt": ("Line",),
    "RefundReceipt": ("Line", "DepositToAccountRef"),
    "Payment": ("CustomerRef", "TotalAmt"),
    "JournalEntry": ("Line",),
    "Deposit": ("DepositToAccountRef", "Line"),
    "Purchase": ("AccountRef", "PaymentType", "Line"),
    "Transfer": ("FromAccountRef", "ToAccountRef", "Amount"),
    "Account": ("Name",),
    "Item": ("Name",),
    "Term": ("Name",),
    "PaymentMethod": ("Name",),
    "Class": ("Name",),
    "Department": ("Name",),
}
"""Without one of these a create (and a full update) is refused with code 2020."""

_HEAD = {"MetaData", "domain", "sparse", "status", "SyncToken", "Id"}
_DERIVED = _HEAD | {"AttachableRef"}
READ_ONLY: dict[str, frozenset[str]] = {
    "Customer": frozenset(
        _DERIVED | {"Balance", "BalanceWithJobs", "FullyQualifiedName", "Level", "OverDueBalance"}
    ),
    "Vendor": frozenset(_DERIVED | {"Balance"}),
    "Account": frozenset(
        _DERIVED
        | {
            "CurrentBalance",
            "CurrentBalanceWithSubAccounts",
            "FullyQualifiedName",
            "Classification",
            "SubAccount",
        }
    ),
    "Item": frozenset(_DERIVED | {"FullyQualifiedName", "Level"}),
    "Class": frozenset(_DERIVED | {"FullyQualifiedName", "SubClass"}),
    "Department": frozenset(_DERIVED | {"FullyQualifiedName", "SubDepartment"}),
    "Purchase": frozenset(_DERIVED | {"TotalAmt", "LinkedTxn"}),
    "Transfer": frozenset(_DERIVED | {"LinkedTxn"}),
    "Attachable": frozenset(
        _HEAD
        | {"FileAccessUri", "TempDownloadUri", "Size", "ThumbnailFileAccessUri", "ThumbnailTempDownloadUri"}
    ),
    "Term": frozenset(_DERIVED | {"Type"}),
    "Payment": frozenset(_DERIVED | {"UnappliedAmt", "LinkedTxn", "TxnStatus", "DocNumber"}),
    "Deposit": frozenset(_DERIVED | {"TotalAmt", "HomeTotalAmt", "LinkedTxn"}),
    "JournalEntry": frozenset(_DERIVED | {"TotalAmt", "HomeTotalAmt", "LinkedTxn"}),
    **{
        kind: frozenset(
            _DERIVED
            | {
                "TotalAmt",
                "Balance",
                "HomeTotalAmt",
                "HomeBalance",
                "RemainingCredit",
                "LinkedTxn",
                "invoiceStatus",
            }
            | {"invoiceStatusLog", "EInvoiceStatus", "ECloudStatusTimeStamp", "InvoiceLink", "DeliveryInfo"}
        )
        for kind in SALES_KINDS
    },
}
"""Accepted on a write, so that what was read can be sent back, and not stored."""

KEPT_BY_FULL_UPDATE = frozenset(
    {
        "Active", "CurrencyRef", "ExchangeRate", "DocNumber", "TxnDate", "ARAccountRef",
        "DepositToAccountRef", "Taxable", "DefaultTaxCodeRef", "PreferredDeliveryMethod", "AccountType",
        "AccountSubType", "IncomeAccountRef", "Type", "PrintStatus", "EmailStatus", "CustomerRef",
        "CustomField", "ProcessPayment", "DisplayName", "ParentRef", "Job", "BillWithParent", "PaymentType",
        "AccountRef", "DeliveryInfo",
    }
)  # fmt: skip
"""A full update clears what it does not name, but not these (recorded: update/customer)."""

REFERENCES: dict[str, tuple[str, ...]] = {
    "CustomerRef": ("Customer",),
    "ItemRef": ("Item",),
    "AccountRef": ("Account",),
    "DepositToAccountRef": ("Account",),
    "IncomeAccountRef": ("Account",),
    "ExpenseAccountRef": ("Account",),
    "DiscountAccountRef": ("Account",),
    "FromAccountRef": ("Account",),
    "ToAccountRef": ("Account",),
    "PaymentMethodRef": ("PaymentMethod",),
    "ClassRef": ("Class",),
    "DepartmentRef": ("Department",),
    "EntityRef": NAME_KINDS,
    "Entity": NAME_KINDS,
}
"""References that must exist, and are read with the name of what they point at."""
UNNAMED_REFERENCES: dict[str, tuple[str, ...]] = {
    "SalesTermRef": ("Term",),
    "TaxCodeRef": ("TaxCode",),
    "TxnTaxCodeRef": ("TaxCode",),
    "TaxRateRef": ("TaxRate",),
}
"""References that must exist, and are read as a bare Id."""

NOT_FILTERABLE = {"Payment": frozenset({"DocNumber", "Line", "LinkedTxn"})}
