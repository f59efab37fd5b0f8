// One cycle of receivables with Xero's own client for Node; prints what it saw as JSON.
const { AccountingApi, Invoice, Payment, CreditNote, LineAmountTypes, BankTransaction } = require("xero-node");

async function main() {
  const { url, token, tenant } = JSON.parse(process.argv[2]);
  const api = new AccountingApi(`${url}/api.xro/2.0`);
  api.accessToken = token;
  const seen = {};

  const name = "O'Brien \\ Sons' & Co";
  const contact = (await api.createContacts(tenant, { contacts: [{ name }] })).body.contacts[0];
  const contactID = contact.contactID;
  const line = (amount) => ({ description: "Work", quantity: 1, unitAmount: amount, accountCode: "200" });
  const invoice = (amount) => ({
    type: Invoice.TypeEnum.ACCREC,
    contact: { contactID },
    date: "2026-02-01",
    dueDate: "2026-03-03",
    status: Invoice.StatusEnum.AUTHORISED,
    lineAmountTypes: LineAmountTypes.NoTax,
    lineItems: [line(amount)],
  });
  const made = (await api.createInvoices(tenant, { invoices: [invoice(100.1), invoice(50)] })).body.invoices;
  const account = (await api.getAccounts(tenant, undefined, 'Code=="090"')).body.accounts[0];
  const payment = { invoice: { invoiceID: made[0].invoiceID }, account: { accountID: account.accountID },
    date: "2026-03-01", amount: 40.1, reference: "ACH 9" };
  const paid = (await api.createPayments(tenant, { payments: [payment] })).body.payments[0];
  const batch = { account: { accountID: account.accountID }, date: "2026-03-01", reference: "BATCH",
    payments: made.map((one, at) => ({ invoice: { invoiceID: one.invoiceID }, amount: at ? 20 : 60 })) };
  seen.batch = (await api.createBatchPayment(tenant, { batchPayments: [batch] })).body.batchPayments[0].totalAmount;
  const note = { type: CreditNote.TypeEnum.ACCRECCREDIT, contact: { contactID }, date: "2026-02-20",
    status: CreditNote.StatusEnum.AUTHORISED, lineAmountTypes: LineAmountTypes.NoTax, lineItems: [line(12.5)] };
  const credit = (await api.createCreditNotes(tenant, { creditNotes: [note] })).body.creditNotes[0];
  await api.createCreditNoteAllocation(tenant, credit.creditNoteID,
    { allocations: [{ amount: 12.5, date: "2026-03-01", invoice: { invoiceID: made[1].invoiceID } }] });
  const over = { type: BankTransaction.TypeEnum.RECEIVEOVERPAYMENT, contact: { contactID }, date: "2026-03-01",
    bankAccount: { accountID: account.accountID }, lineItems: [{ ...line(5), accountCode: "610" }] };
  await api.createBankTransactions(tenant, { bankTransactions: [over] });

  const first = (await api.getInvoice(tenant, made[0].invoiceID)).body.invoices[0];
  seen.first = [String(first.status), first.amountDue, first.dueDate];
  const open = (await api.getInvoices(tenant, undefined, 'Status=="AUTHORISED"', undefined, undefined, undefined,
    undefined, undefined, 1)).body.invoices;
  seen.open = open.map((one) => one.amountDue);
  await api.deletePayment(tenant, paid.paymentID, { status: "DELETED" });
  seen.after = (await api.getInvoice(tenant, made[0].invoiceID)).body.invoices[0].amountDue;
  try {
    await api.createPayments(tenant, { payments: [{ ...payment, amount: 1000 }] });
  } catch (refused) {
    const body = refused.response ? refused.response.body || refused.response.data : JSON.parse(refused).response.body;
    seen.refused = body.Elements[0].ValidationErrors[0].Message;
  }
  seen.name = contact.name;
  console.log(JSON.stringify(seen));
}

main().catch((error) => { console.error(error && error.stack ? error.stack : error); process.exit(1); });
