"""What one confirmation teaches: this payer pays for this customer.

Shape   (knowledge, confirmation) -> knowledge; pure. Bulk accepts teach nothing: their caller does not call.
Law     a confirmation for one customer never raises another's count; two customers under one key make neither
        known.
"""

from dataclasses import replace
from datetime import date

from arsync.core.matching.normalise import normalise_account, normalise_payer
from arsync.core.matching.payers import ACCOUNT_KEY
from arsync.core.matching.snapshot import Alias, Knowledge


def learn(knowledge: Knowledge, payer_name: str, payer_account: str, customer_id: int, on: date) -> Knowledge:
    """Knowledge with one more confirmation of this payer's name and account for this customer."""
    account, name = normalise_account(payer_account), normalise_payer(payer_name)
    keys = [key for key in (ACCOUNT_KEY + account if account else "", name) if key]
    aliases = list(knowledge.aliases)
    for key in keys:
        place = next((i for i, old in enumerate(aliases) if _is(old, key, customer_id)), None)
        if place is None:
            aliases.append(Alias(key, customer_id, 1, on))
        else:
            aliases[place] = replace(aliases[place], confirmations=aliases[place].confirmations + 1)
    return Knowledge(tuple(aliases))


def _is(alias: Alias, key: str, customer_id: int) -> bool:
    return alias.key == key and alias.customer_id == customer_id and alias.until is None
