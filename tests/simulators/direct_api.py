"""A client without a library: requests go straight through the simulator's door, without a socket."""

from arsync.simulators.quickbooks.door import Request
from arsync.simulators.quickbooks.wire import dump_json, parse_json


class Api:
    def __init__(self, simulator, realm_id):
        self.simulator = simulator
        self.realm_id = realm_id
        self.token = simulator.grant(realm_id)[0]

    def send(self, method, path, body=None, **query):
        content = b"" if body is None else body if isinstance(body, bytes) else dump_json(body).encode()
        request = Request(method, path, {name: str(value) for name, value in query.items()}, content)
        return self.simulator.answer(self.realm_id, f"Bearer {self.token}", request)

    def call(self, method, path, body=None, **query):
        answer = self.send(method, path, body, **query)
        document = parse_json(answer.body)
        assert answer.status == 200, document
        return document

    def post(self, kind, body, **query):
        return self.call("POST", f"/{kind.lower()}", body, **query)[kind]

    def get(self, kind, record_id):
        return self.call("GET", f"/{kind.lower()}/{record_id}")[kind]

    def query(self, text):
        return self.call("GET", "/query", query=text)["QueryResponse"]

    def refused(self, method, path, body=None, **query):
        """(HTTP status, code, message) of a request that must be refused."""
        answer = self.send(method, path, body, **query)
        error = parse_json(answer.body)["Fault"]["Error"][0]
        return answer.status, error["code"], error["Message"]

    def code(self, kind, body, **query):
        return self.refused("POST", f"/{kind.lower()}", body, **query)[1]


def ref(record_id):
    return {"value": str(record_id)}


def sale_line(amount, **detail):
    return {
        "Amount": amount,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": ref(1), **detail},
    }


def pay_line(kind, record_id, amount, line_id=None):
    link = {"TxnId": str(record_id), "TxnType": kind}
    if line_id is not None:
        link["TxnLineId"] = line_id
    return {"Amount": amount, "LinkedTxn": [link]}
