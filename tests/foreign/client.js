// A day's work of a client that knows nothing of this project: intuit-oauth signs in, node-quickbooks works.
// In: the simulator's address, client id and secret, a refresh token, a company (environment). Out: one JSON object.
'use strict';
const { createRequire } = require('module');
const path = require('path');

const load = createRequire(path.join(process.env.FOREIGN_FOLDER, 'package.json'));
const OAuthClient = load('intuit-oauth');
const QuickBooks = load('node-quickbooks');

const { SIMULATOR, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN, REALM } = process.env;

const later = (thing, name, ...given) =>
  new Promise((resolve, reject) =>
    thing[name](...given, (error, answer) => (error ? reject(error) : resolve(answer))));

const code = async (promise) => {
  try {
    await promise;
    return 'accepted';
  } catch (error) {
    const { Fault, fault } = (error.response || {}).data || {};
    return ((Fault && Fault.Error) || (fault && fault.error) || [{ code: String(error) }])[0].code;
  }
};

async function signIn() {
  const oauth = new OAuthClient({
    clientId: CLIENT_ID, clientSecret: CLIENT_SECRET, environment: 'sandbox', redirectUri: 'http://localhost/back',
  });
  oauth.setAuthorizeURLs({
    authorizeEndpoint: `${SIMULATOR}/connect/oauth2`,
    tokenEndpoint: `${SIMULATOR}/oauth2/v1/tokens/bearer`,
    revokeEndpoint: `${SIMULATOR}/v2/oauth2/tokens/revoke`,
    userInfoEndpoint: `${SIMULATOR}/v1/openid_connect/userinfo`,
  });
  const asked = oauth.authorizeUri({ scope: [OAuthClient.scopes.Accounting], state: 'state-1' });
  const back = await fetch(asked, {
    method: 'POST', redirect: 'manual', body: new URLSearchParams({ realm_id: REALM }),
  });
  const first = (await oauth.createToken(back.headers.get('location'))).json;
  const refreshed = (await oauth.refreshUsingToken(REFRESH_TOKEN)).json;
  return { oauth, realm: oauth.getToken().realmId, expires: first.expires_in, tokens: refreshed };
}

async function main() {
  const signed = await signIn();
  QuickBooks.V3_ENDPOINT_BASE_URL = `${SIMULATOR}/v3/company/`;
  QuickBooks.TOKEN_URL = `${SIMULATOR}/oauth2/v1/tokens/bearer`;
  const qbo = new QuickBooks(
    CLIENT_ID, CLIENT_SECRET, signed.tokens.access_token, false, REALM, true, false, 75, '2.0',
    signed.tokens.refresh_token);
  const seen = { realm: signed.realm, expires: signed.expires };

  const customer = await later(qbo, 'createCustomer', { DisplayName: "O'Brien \\ Sons' & Co" });
  const line = (Amount) => ({
    Amount, DetailType: 'SalesItemLineDetail', SalesItemLineDetail: { ItemRef: { value: '1' } },
  });
  const ref = { value: customer.Id };
  const invoice = await later(qbo, 'createInvoice', { CustomerRef: ref, Line: [line(100.1)] });
  seen.balance = invoice.Balance;
  const memo = await later(qbo, 'createCreditMemo', { CustomerRef: ref, Line: [line(0.1)] });
  const link = (Amount, TxnId, TxnType) => ({ Amount, LinkedTxn: [{ TxnId, TxnType }] });
  const payment = await later(qbo, 'createPayment', {
    CustomerRef: ref, TotalAmt: 60, requestId: 'node-1',
    Line: [link(60.1, invoice.Id, 'Invoice'), link(0.1, memo.Id, 'CreditMemo')],
  });
  const again = await later(qbo, 'createPayment', { CustomerRef: ref, TotalAmt: 60, requestId: 'node-1' });
  seen.replayed = payment.Id === again.Id;
  seen.left = (await later(qbo, 'getInvoice', invoice.Id)).Balance;
  const deposit = await later(qbo, 'createDeposit', {
    DepositToAccountRef: { value: process.env.CHECKING },
    Line: [
      { Amount: 60, LinkedTxn: [{ TxnId: payment.Id, TxnType: 'Payment', TxnLineId: '0' }] },
      { Amount: -1.5, DetailType: 'DepositLineDetail',
        DepositLineDetail: { AccountRef: { value: process.env.FEES } } },
    ],
  });
  seen.deposited = deposit.TotalAmt;
  seen.deleteDeposited = await code(later(qbo, 'deletePayment', payment.Id));

  const found = await later(qbo, 'findInvoices', [
    { field: 'Balance', value: '0', operator: '>' }, { field: 'fetchAll', value: true }, { field: 'limit', value: 1 },
  ]);
  seen.found = found.QueryResponse.Invoice.map((one) => one.Id);
  const named = await later(qbo, 'findCustomers', { DisplayName: "O'Brien \\\\ Sons' & Co" }); // it escapes quotes, not backslashes
  seen.named = (named.QueryResponse.Customer || []).map((one) => one.DisplayName);
  seen.count = (await later(qbo, 'findCustomers', { count: true })).QueryResponse.totalCount;

  const batch = await later(qbo, 'batch', [
    { bId: 'one', operation: 'create', Customer: { DisplayName: 'Second' } },
    { bId: 'two', operation: 'create', Customer: { DisplayName: 'second' } },
    { bId: 'three', Query: "select * from Payment where TotalAmt > '1'" },
  ]);
  seen.batch = batch.BatchItemResponse.map((one) =>
    [one.bId, one.Fault ? one.Fault.Error[0].code : Object.keys(one)[0]]);

  const since = new Date(Date.parse(process.env.NOW) - 3600 * 1000);
  const cdc = await later(qbo, 'changeDataCapture', ['Invoice', 'Payment', 'Estimate'], since);
  seen.cdc = cdc.CDCResponse[0].QueryResponse.map((one) => one.maxResults || 0);

  const aged = await later(qbo, 'reportAgedReceivables', {});
  seen.aged = aged.Rows.Row[aged.Rows.Row.length - 1].Summary.ColData.map((one) => one.value);
  const balances = await later(qbo, 'reportCustomerBalance', {});
  seen.report = balances.Rows.Row[0].ColData.map((one) => one.value);

  const file = await later(qbo, 'upload', 'remit.txt', 'text/plain', Buffer.from('paid\r\n\r\nall'), 'Invoice', invoice.Id);
  seen.file = await (await fetch(file.TempDownloadUri)).text();
  seen.mailed = (await later(qbo, 'sendInvoicePdf', invoice.Id, 'a@example.com')).EmailStatus;

  const spare = await later(qbo, 'createInvoice', { CustomerRef: ref, Line: [line(5)] });
  seen.voided = (await later(qbo, 'voidInvoice', spare.Id)).Invoice.PrivateNote;
  seen.stale = await code(later(qbo, 'updateInvoice', { Id: spare.Id, SyncToken: '0', PrivateNote: 'x' }));
  seen.unknown = await code(later(qbo, 'createInvoice', { CustomerRef: ref, Colour: 'red' }));
  const loose = await later(qbo, 'createPayment', { CustomerRef: ref, TotalAmt: 3 });
  seen.voidPayment = await code(later(qbo, 'voidPayment', { Id: loose.Id, SyncToken: loose.SyncToken }));
  seen.deleted = (await later(qbo, 'deletePayment', loose.Id)).Payment.status;
  seen.gone = await code(later(qbo, 'getPayment', loose.Id));

  await later(qbo, 'refreshAccessToken');
  await signed.oauth.revoke({ token: qbo.refreshToken });
  seen.revoked = await code(later(qbo, 'getInvoice', invoice.Id));
  process.stdout.write(JSON.stringify(seen));
}

main().catch((error) => {
  process.stderr.write(`${(error && error.stack) || ''}\n${JSON.stringify(error)}\n`);
  process.exit(1);
});
