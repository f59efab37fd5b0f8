"""Sales tax from codes, where a document does not bring its own total.

Units   cents; percents are `Decimal`.
Law     a written TotalTax is taken as it is; a computed one is rounded once for each rate, half up.
Source  the United States have the codes TAX and NON on lines and a rate on the document; elsewhere each line
        names a code with a rate. Rounding for each rate is unverified.
"""

from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple, Protocol

from arsync.simulators.quickbooks import refusals
from arsync.simulators.quickbooks.wire import Document, amount, to_cents

PERCENTS: dict[str, dict[str, Decimal]] = {
    "US": {"California": Decimal(8)},
    "GB": {"20.0% S": Decimal(20), "5.0% R": Decimal(5), "0.0% Z": Decimal(0), "Exempt": Decimal(0)},
    "CA": {"HST ON": Decimal(13), "GST": Decimal(5), "Exempt": Decimal(0)},
    "AU": {"GST": Decimal(10), "GST free": Decimal(0)},
}
"""The tax codes a new company of a country has."""


class Rate(NamedTuple):
    """One rate of a tax code."""

    id: str
    percent: Decimal


class TaxData(Protocol):
    """What taxes ask of the books."""

    def tax_rates(self, code_id: str) -> tuple[Rate, ...]:
        """The rates of a code; none for one without tax."""
        ...

    def line_tax_code(self, detail: Document) -> None:
        """Give a line the code it must have, or refuse it."""
        ...


def taxed_line(line: Document, fields: Document, data: TaxData) -> tuple[int, tuple[Rate, ...]]:
    """(net cents, rates) of an item line; an inclusive line's Amount becomes the net one."""
    detail = line["SalesItemLineDetail"]
    data.line_tax_code(detail)
    code = detail.get("TaxCodeRef", {}).get("value", "")
    if code == "TAX":
        code = fields.get("TxnTaxDetail", {}).get("TxnTaxCodeRef", {}).get("value", "")
    rates = data.tax_rates(code)
    cents = to_cents(line["Amount"])
    if fields.get("GlobalTaxCalculation") == "TaxInclusive" and "TaxInclusiveAmt" not in detail and rates:
        percent = sum(rate.percent for rate in rates)
        net = (Decimal(cents) * 100 / (100 + percent)).to_integral_value(ROUND_HALF_UP)
        detail["TaxInclusiveAmt"], cents = line["Amount"], int(net)
        line["Amount"] = amount(cents)
    return cents, rates


def tax_detail(
    fields: Document, lines: list[tuple[Document, int, tuple[Rate, ...]]], share: Decimal
) -> Document:
    """The TxnTaxDetail of a document; `share` is what a discount before tax leaves of each line.

    Raises:
        Refused: 2240, a negative TotalTax.
    """
    written: Document = fields.get("TxnTaxDetail", {})
    if "TotalTax" in written:
        if Decimal(written["TotalTax"]) < 0:
            raise refusals.Refused(
                "2240", "Invalid Number", "TotalTax must not be negative.", element="TotalTax"
            )
        return written
    bases: dict[Rate, Decimal] = defaultdict(Decimal)
    inclusive: dict[Rate, int] = defaultdict(int)
    for line, cents, rates in lines:
        gross = line["SalesItemLineDetail"].get("TaxInclusiveAmt")
        for rate in rates:
            bases[rate] += cents * share
            if gross is not None and len(rates) == 1:
                inclusive[rate] += to_cents(gross) - cents
    taxes = [_tax_line(rate, base, inclusive.get(rate)) for rate, base in bases.items()]
    if not taxes:
        return written
    total = sum(to_cents(one["Amount"]) for one in taxes)
    return {**written, "TotalTax": amount(max(total, 0)), "TaxLine": taxes}


def _tax_line(rate: Rate, base_cents: Decimal, inclusive_cents: int | None) -> Document:
    cents = int((base_cents * rate.percent / 100).to_integral_value(ROUND_HALF_UP))
    if inclusive_cents is not None:
        cents = inclusive_cents
    detail = {
        "TaxRateRef": {"value": rate.id},
        "PercentBased": True,
        "TaxPercent": rate.percent,
        "NetAmountTaxable": amount(int(base_cents.to_integral_value(ROUND_HALF_UP))),
    }
    return {"Amount": amount(cents), "DetailType": "TaxLineDetail", "TaxLineDetail": detail}
