"""A client without a library: requests go straight through the simulator's door, without a socket."""

from arsync.simulators.exact_json import dump_json, parse_json
from arsync.simulators.xero import ALL_SCOPES, Request


class Api:
    def __init__(self, simulator, tenant, app=None, scopes=ALL_SCOPES, **consent):
        self.simulator = simulator
        self.tenant_id = tenant.organisation.id
        self.app = app or simulator.add_app("Tester")
        tokens = simulator.grant(self.app, self.tenant_id, scopes=scopes, **consent)
        self.token, self.refresh_token = tokens["access_token"], tokens.get("refresh_token")

    def send(self, method, path, body=None, headers=None, **query):
        content = b"" if body is None else body if isinstance(body, bytes) else dump_json(body).encode()
        said = {
            "authorization": f"Bearer {self.token}",
            "xero-tenant-id": self.tenant_id,
            "accept": "application/json",
            **(headers or {}),
        }
        said = {name: value for name, value in said.items() if value is not None}
        asked = {name: str(value) for name, value in query.items()}
        return self.simulator.answer(Request(method, path, asked, said, content))

    def call(self, method, path, body=None, headers=None, **query):
        answer = self.send(method, path, body, headers, **query)
        assert answer.status in {200, 204}, (answer.status, answer.body[:2000])
        return parse_json(answer.body) if answer.body else None

    def get(self, path, **query):
        return self.call("GET", path, **query)

    def put(self, name, element, **query):
        """Create one; the record as answered."""
        return self.call("PUT", f"/{name}", {name: [element]}, **query)[name][0]

    def post(self, name, record_id, element, **query):
        return self.call("POST", f"/{name}/{record_id}", element, **query)[name.split("/")[0]][0]

    def one(self, name, record_id, **query):
        return self.get(f"/{name}/{record_id}", **query)[name][0]

    def refused(self, method, path, body=None, headers=None, **query):
        """(status, messages) of a request that must be refused."""
        answer = self.send(method, path, body, headers, **query)
        assert answer.status >= 400, answer.body
        if not answer.body.startswith(b"{"):
            return answer.status, [answer.body.decode()]
        document = parse_json(answer.body)
        found = [
            error["Message"] for one in document.get("Elements", []) for error in one["ValidationErrors"]
        ]
        return answer.status, found or [document.get("Message") or document.get("Detail")]


def line(amount="100.00", **more):
    return {"Description": "Consulting", "Quantity": 1, "UnitAmount": amount, "AccountCode": "200", **more}


def invoice(contact_id, amount="100.00", **more):
    return {
        "Type": "ACCREC",
        "Contact": {"ContactID": contact_id},
        "Status": "AUTHORISED",
        "LineAmountTypes": "NoTax",
        "LineItems": [line(amount)],
        **more,
    }
