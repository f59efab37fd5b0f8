"""First sight: a pull and a payment over a wire that answers by hand."""
import json
from datetime import date
from arsync.connectors.contract import *
from tests.connectors.quickbooks.helpers import *

def test_pull_and_send():
    asked=[]
    def wire(request):
        body=request.content.decode(); asked.append((request.method,str(request.url),body))
        t="2026-11-22T00:00:01.000-08:00"
        if "/query" in str(request.url):
            if "FROM Preferences" in body: return answer({"QueryResponse":{"Preferences":[{"Id":"1","CurrencyPrefs":{"HomeCurrency":{"value":"USD"},"MultiCurrencyEnabled":False}}]},"time":t})
            if "FROM CompanyInfo" in body: return answer({"QueryResponse":{"CompanyInfo":[{"Id":"1","CompanyName":"X"}]},"time":t})
            if "FROM Invoice" in body: return answer('{"QueryResponse":{"Invoice":[{"Id":"157","SyncToken":"0","CustomerRef":{"value":"58"},"TxnDate":"2026-11-01","DueDate":"2026-12-01","TotalAmt":100.10,"Balance":100.10,"DocNumber":"1041","MetaData":{"LastUpdatedTime":"2026-11-01T00:00:00-08:00"}}]},"time":"%s"}'%t)
            return answer({"QueryResponse":{},"time":t})
        if "/cdc" in str(request.url): return answer({"CDCResponse":[{"QueryResponse":[{} for _ in range(9)]}],"time":t})
        if "/payment" in str(request.url):
            b=json.loads(body); b|={"Id":"158","SyncToken":"0","UnappliedAmt":0}
            return answer(json.dumps({"Payment":b,"time":t}))
        raise AssertionError(request.url)
    c=connector_on(wire)
    pages=list(c.pull(Pull(None)))
    for p in pages: print(p.note,p.cursor,len(p.records))
    [invoice]=[r for p in pages for r in p.records if r.ref==Ref("item","Invoice:157")]
    print(invoice)
    n=len(asked)
    pages2=list(c.pull(Pull(pages[-1].cursor)))
    assert len(asked)-n==2
    b=Bundle("b-1",0,(PostReceipt(Ref("customer","58"),date(2026,11,20),usd("100.10"),(Settle(invoice.ref,usd("100.10")),),reference="wire 4711"),))
    call=c.plan(b,Fresh({invoice.ref:invoice.raw},USD_BOOKS),())
    print(call)
    [a]=list(c.send([call])); print(a)
    assert a.outcome=="accepted"
    assert c.plan(b,Fresh({},USD_BOOKS),(a,)) is None
    c.close()
