"""Measure the payment-date and cash forecast on a real ledger, beside simple rules.

usage: python -m bench.forecast LEDGER.csv FIT_END TEST_END

Columns: customer_id, issue_date_est, due_date, clear_date (empty: still open), amount, currency.
Protocol: every item issued in [FIT_END, TEST_END) is predicted at issue from what was known before that day;
cash is forecast at every Monday of the window from the book open then. The constants of the forecast were
chosen on an earlier window (see docs/evidence/forecast.md), never on the one reported.
"""

import csv
import sys
from bisect import bisect_left
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from statistics import fmean, median

from arsync.core.dates import week_start
from arsync.core.forecast.cash import forecast
from arsync.core.forecast.delays import Habits, OpenRow, PaidItem
from arsync.core.money import Money

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
FAR = date(2100, 1, 1)
HORIZON = timedelta(days=270)


@dataclass(frozen=True, slots=True)
class Item:
    row: int
    customer_id: int
    issued: date
    due: date
    cleared: date  # FAR: still open
    currency: str
    minor: int

    @property
    def delay(self):
        return (self.cleared - self.due).days

    def open_row(self):
        return OpenRow(self.customer_id, self.row, self.issued, self.due, self.currency, self.minor)

    def paid(self):
        return PaidItem(self.customer_id, self.issued, self.due, self.cleared, self.currency, self.minor)


def load(path):
    numbers = {}
    with path.open(encoding="utf-8", newline="") as stream:
        items = [
            Item(
                row=n,
                customer_id=numbers.setdefault(record["customer_id"], len(numbers) + 1),
                issued=date.fromisoformat(record["issue_date_est"]),
                due=date.fromisoformat(record["due_date"]),
                cleared=date.fromisoformat(record["clear_date"]) if record["clear_date"] else FAR,
                currency=record["currency"],
                minor=Money.of(record["amount"], record["currency"]).minor,
            )
            for n, record in enumerate(csv.DictReader(stream))
        ]
    return sorted(items, key=lambda item: (item.issued, item.customer_id, item.due, item.minor))


def known_on(items, day):
    """Habits as they could be learned before the day."""
    paid = [item.paid() for item in items if item.cleared < day]
    waiting = [item.open_row() for item in items if item.issued < day <= item.cleared]
    return Habits.learn(paid, waiting, day)


def at(ordered, share):
    """The quantile of a sorted list, interpolated."""
    place = (len(ordered) - 1) * share
    low = int(place)
    return ordered[low] + (ordered[min(low + 1, len(ordered) - 1)] - ordered[low]) * (place - low)


def simple_rules(items, test, fit_end):
    """Per tested item: point predictions of the simple rules, and the customer's empirical quantiles."""
    known = sorted(item.delay for item in items if item.cleared < fit_end)
    nobody = {"customer mean": fmean(known), "customer median, last 200": median(known)}
    nobody["customer x due-weekday median"] = median(known)
    everybody = [at(known, q) for q in QUANTILES]
    history = defaultdict(list)
    for item in sorted(items, key=lambda item: item.cleared):
        history[item.customer_id].append(item)
    points, quantiles = [], []
    for item in test:
        past = [other for other in history[item.customer_id] if other.cleared < item.issued]
        point, spread = dict(nobody), everybody
        if past:
            recent = [other.delay for other in past[-200:]]
            same = [other.delay for other in past[-300:] if other.due.weekday() == item.due.weekday()]
            point["customer mean"] = fmean(other.delay for other in past)
            point["customer median, last 200"] = median(recent)
            point["customer x due-weekday median"] = median(same if len(same) >= 3 else recent)
            if len(recent) >= 5:
                spread = [at(sorted(recent), q) for q in QUANTILES]
        points.append({"due date": 0, **point})
        quantiles.append(spread)
    return points, quantiles, everybody


def ours(items, test):
    """Per tested item: quantiles, mean and the shortest 80 % interval of delay."""
    result = []
    for issued, group in groupby(test, key=lambda item: item.issued):
        habits = known_on(items, issued)
        for item in group:
            days = habits.pay_days(item.customer_id, item.due, issued, issued + HORIZON)
            spread = [((days.quantile(q) or issued + HORIZON) - item.due).days for q in QUANTILES]
            total = sum(days.probabilities)
            chances = zip(days.days, days.probabilities, strict=True)
            mean = sum((day - item.due).days * chance for day, chance in chances) / total
            result.append((spread, mean, tuple((day - item.due).days for day in days.shortest(0.8))))
    return result


def errors(name, predicted, actual):
    wrong = [a - p for a, p in zip(actual, predicted, strict=True)]
    mae, rmse = fmean(map(abs, wrong)), fmean(e * e for e in wrong) ** 0.5
    print(f"| {name} | {mae:.3f} | {rmse:.3f} | {fmean(abs(e) <= 3 for e in wrong):.3f} |")


def pinball(spreads, actual):
    return fmean(
        max(q * (a - p), (q - 1) * (a - p))
        for spread, a in zip(spreads, actual, strict=True)
        for q, p in zip(QUANTILES, spread, strict=True)
    )


def covered(spreads, actual, slack=0.0):
    return fmean(s[1] - slack <= a <= s[5] + slack for s, a in zip(spreads, actual, strict=True))


def payment_dates(title, items, test, fit_end):
    actual = [item.delay for item in test]
    points, empirical, everybody = simple_rules(items, test, fit_end)
    mine = ours(items, test)
    print(f"\n### {title}: {len(test)} items of {len({item.customer_id for item in test})} customers\n")
    print("| rule | MAE, days | RMSE | within 3 d |\n|---|---|---|---|")
    for name in points[0]:
        errors(name, [point[name] for point in points], actual)
    errors("**arsync, median**", [spread[3] for spread, _, _ in mine], actual)
    errors("arsync, mean", [mean for _, mean, _ in mine], actual)
    print("\n| quantiles | pinball | 80 % interval covers | shortest |\n|---|---|---|---|")
    print(f"| all customers | {pinball([everybody] * len(actual), actual):.3f} | | |")
    held = covered(empirical, actual, 0.5)
    print(f"| customer's empirical | {pinball(empirical, actual):.3f} | {held:.3f} | |")
    spreads = [spread for spread, _, _ in mine]
    shortest = fmean(low <= a <= high for (_, _, (low, high)), a in zip(mine, actual, strict=True))
    print(
        f"| **arsync** | {pinball(spreads, actual):.3f} | {covered(spreads, actual):.3f} | {shortest:.3f} |"
    )


def mass(ordered, low, high):
    return bisect_left(ordered, high) - bisect_left(ordered, low)


def hazard_rule(items, origin):
    """The simple hazard rule: shares past the age, of the customer's last 200 and the ledger's last 4,000."""
    known = [item for item in items if item.cleared < origin]
    ledger = sorted(item.delay for item in known[-4000:])
    customers = defaultdict(list)
    for item in known:
        customers[item.customer_id].append(item.delay)
    customers = {key: sorted(delays[-200:]) for key, delays in customers.items()}

    def chance(item, week):
        age = (origin - item.due).days
        low, high = age + 7 * week, age + 7 * week + 7
        own = customers.get(item.customer_id, [])
        inside = 20 * mass(ledger, low, high) / len(ledger) + mass(own, low, high)
        left = 20 * mass(ledger, age, 10**6) / len(ledger) + mass(own, age, 10**6)
        return inside / left if left else 0.1

    return chance


def in_one_currency(minor, currency):
    """Sums over currencies are for error figures only, at a fixed rate."""
    return minor * 0.7 if currency == "CAD" else float(minor)


def weekly_cash(items, fit_end, test_end):
    last = max(item.cleared for item in items if item.cleared != FAR)
    origin = week_start(fit_end + timedelta(days=6))
    misses, actuals, inside = defaultdict(list), defaultdict(list), defaultdict(list)
    while origin < test_end and origin + timedelta(days=28) <= last:
        book = [item for item in items if item.issued < origin <= item.cleared]
        habits = known_on(items, origin)
        mine = forecast([item.open_row() for item in book], habits, origin, weeks=4)
        chance = hazard_rule(items, origin)
        for week in range(4):
            start = origin + timedelta(weeks=week)
            end = start + timedelta(days=7)
            came = defaultdict(int)
            due = hazard = 0.0
            for item in book:
                value = in_one_currency(item.minor, item.currency)
                came[item.currency] += item.minor if start <= item.cleared < end else 0
                due += value if start <= max(item.due, origin) < end else 0
                hazard += value * chance(item, week)
            actual = sum(in_one_currency(minor, currency) for currency, minor in came.items())
            likely = sum(in_one_currency(c.weeks[week].likely_minor, c.currency) for c in mine.currencies)
            actuals[week].append(actual)
            for name, figure in (("due date", due), ("customer hazard", hazard), ("**arsync**", likely)):
                misses[name, week].append(abs(figure - actual))
            for each in mine.currencies:
                cell = each.weeks[week]
                inside[each.currency].append(cell.low_minor <= came[each.currency] <= cell.high_minor)
        origin += timedelta(days=7)
    print(f"\n### Cash from the open book, {len(actuals[0])} Mondays\n")
    print("| WAPE | week 1 | week 2 | week 3 | week 4 |\n|---|---|---|---|---|")
    for name in dict.fromkeys(name for name, _ in misses):
        figures = [f"{sum(misses[name, week]) / sum(actuals[week]):.3f}" for week in range(4)]
        print(f"| {name} | {' | '.join(figures)} |")
    shares = ", ".join(
        f"{currency} {fmean(hits):.2f} of {len(hits)}" for currency, hits in sorted(inside.items())
    )
    print(f"\nThe 80 % range of a week held the actual cash in: {shares}")


def main(path, fit_end, test_end):
    items = load(Path(path))
    test = [item for item in items if fit_end <= item.issued < test_end and item.cleared != FAR]
    payment_dates("All customers", items, test, fit_end)
    sizes = defaultdict(int)
    for item in items:
        sizes[item.customer_id] += 1
    largest = max(sizes, key=sizes.__getitem__)
    payment_dates(
        "Without the largest customer", items, [i for i in test if i.customer_id != largest], fit_end
    )
    seen = {item.customer_id for item in items if item.cleared < fit_end}
    unseen = [item for item in test if item.customer_id not in seen]
    if unseen:
        payment_dates("Customers nobody had paid for before the window", items, unseen, fit_end)
    weekly_cash(items, fit_end, test_end)


if __name__ == "__main__":
    main(sys.argv[1], date.fromisoformat(sys.argv[2]), date.fromisoformat(sys.argv[3]))
