"""What one confirmation teaches: this payer pays for this customer.

Shape   (knowledge, confirmation) -> knowledge; pure. Bulk accepts teach nothing: their caller does not call.
Law     a confirmation for one customer never raises another's count; two customers under one key make neither
        known. What nobody confirms for `days` is forgotten.
"""

from dataclasses import replace
from datetime import date, timedelta

from arsync.core.matching.normalise import normalise_account, normalise_payer
from arsync.core.matching.payers import ACCOUNT_KEY
from arsync.core.matching.snapshot import Alias, Knowledge


def learn(
    knowledge: Knowledge, payer_name: str, payer_account: str, customer_id: int, on: date, days: int
) -> Knowledge:
    """Knowledge with one more confirmation of this payer's name and account for this customer.

    It lasts so many `days` from this confirmation on.
    """
    until = on + timedelta(days=days)
    account, name = normalise_account(payer_account), normalise_payer(payer_name)
    keys = [key for key in (ACCOUNT_KEY + account if account else "", name) if key]
    aliases = list(knowledge.aliases)
    for key in keys:
        place = next((i for i, old in enumerate(aliases) if _is(old, key, customer_id, on)), None)
        if place is None:
            aliases.append(Alias(key, customer_id, 1, on, until))
        else:
            confirmations = aliases[place].confirmations + 1
            aliases[place] = replace(aliases[place], confirmations=confirmations, until=until)
    return replace(knowledge, aliases=tuple(aliases))


def named(key: str) -> str:
    """What an alias is about, for people: a bank account, or a name."""
    account = key.removeprefix(ACCOUNT_KEY)
    return f"account {account}" if account != key else f'"{key}"'


def _is(alias: Alias, key: str, customer_id: int, on: date) -> bool:
    in_force = alias.until is None or on < alias.until
    return alias.key == key and alias.customer_id == customer_id and in_force
