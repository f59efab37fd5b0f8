"""What a bank's return means for the debt: retry, new account details, a dispute, or a mistake to undo.

Shape   a reason code as the bank writes it -> `Consequence`, or None for a code of nobody we know; pure.
Law     a consequence is advice for a clerk, never an action: the debt is open again in every case.
Source  Nacha Operating Rules, appendix four (R01-R85); ISO 20022 external codes, ExternalReturnReason1Code (SEPA
        rulebooks' R-transactions); German return keys of the DFÜ agreement.
"""

from dataclasses import dataclass
from typing import Literal

Next = Literal[
    "present again", "ask for account", "ask for consent", "dispute", "correct our order", "ask the bank"
]


@dataclass(frozen=True, slots=True)
class Consequence:
    """What a reason code says, and what a clerk does next."""

    code: str
    meaning: str
    then: Next


_NACHA: dict[str, tuple[str, Next]] = {
    "R01": ("insufficient funds", "present again"),
    "R02": ("account closed", "ask for account"),
    "R03": ("no account, or not theirs", "ask for account"),
    "R04": ("invalid account number", "ask for account"),
    "R05": ("consumer debit not authorised under a corporate code", "dispute"),
    "R06": ("returned at the originating bank's request", "correct our order"),
    "R07": ("authorisation revoked", "dispute"),
    "R08": ("payment stopped", "ask for consent"),
    "R09": ("uncollected funds", "present again"),
    "R10": ("not authorised, or not in accordance", "dispute"),
    "R11": ("not in accordance with the authorisation", "correct our order"),
    "R12": ("account sold to another bank", "ask for account"),
    "R13": ("invalid routing number", "ask for account"),
    "R14": ("representative payee deceased", "ask the bank"),
    "R15": ("account holder deceased", "ask the bank"),
    "R16": ("account frozen", "ask the bank"),
    "R17": ("file record edit criteria, or a questionable return", "correct our order"),
    "R20": ("not a transaction account", "ask for account"),
    "R21": ("invalid company identification", "correct our order"),
    "R22": ("invalid individual number", "correct our order"),
    "R23": ("credit refused by the receiver", "ask for consent"),
    "R24": ("duplicate entry", "correct our order"),
    "R29": ("corporate customer did not authorise", "dispute"),
    "R31": ("return permitted by the originating bank", "ask the bank"),
    "R51": ("re-presented cheque: notice or authorisation missing", "dispute"),
    "R61": ("dishonoured: misrouted return", "ask the bank"),
    "R67": ("dishonoured: duplicate return", "ask the bank"),
    "R68": ("dishonoured: untimely return", "ask the bank"),
    "R69": ("dishonoured: field errors", "ask the bank"),
    "R70": ("dishonoured: permissible return not accepted", "ask the bank"),
    "R71": ("contested: misrouted dishonoured return", "ask the bank"),
    "R72": ("contested: untimely dishonoured return", "ask the bank"),
    "R73": ("contested: timely original return", "ask the bank"),
    "R74": ("contested: corrected return", "ask the bank"),
    "R75": ("contested: original return not a duplicate", "ask the bank"),
    "R76": ("contested: no errors found", "ask the bank"),
}
_SEPA: dict[str, tuple[str, Next]] = {
    "AC01": ("account number wrong", "ask for account"),
    "AC04": ("account closed", "ask for account"),
    "AC06": ("account blocked", "ask the bank"),
    "AC13": ("debtor is a consumer", "correct our order"),
    "AG01": ("direct debits not allowed on this account", "ask for account"),
    "AG02": ("wrong operation code", "correct our order"),
    "AM04": ("insufficient funds", "present again"),
    "AM05": ("duplicate", "correct our order"),
    "BE04": ("creditor address missing", "correct our order"),
    "BE05": ("creditor not known to the debtor", "dispute"),
    "CNOR": ("creditor's bank cannot be reached", "ask the bank"),
    "DNOR": ("debtor's bank cannot be reached", "ask the bank"),
    "FF01": ("invalid file format", "correct our order"),
    "FOCR": ("returned after a request to cancel", "correct our order"),
    "MD01": ("no valid mandate", "ask for consent"),
    "MD02": ("mandate data missing", "ask for consent"),
    "MD06": ("refund asked for by the debtor", "dispute"),
    "MD07": ("debtor deceased", "ask the bank"),
    "MS02": ("refused by the customer, no reason given", "dispute"),
    "MS03": ("refused, no reason given", "ask the bank"),
    "RC01": ("bank code wrong", "ask for account"),
    "RR01": ("regulatory: debtor's account missing", "correct our order"),
    "RR02": ("regulatory: debtor's name or address missing", "correct our order"),
    "RR03": ("regulatory: creditor's name or address missing", "correct our order"),
    "RR04": ("regulatory reason", "ask the bank"),
    "SL01": ("a service of the debtor's bank refuses it", "ask for consent"),
}
# The key of field 34 of a German MT940 line, and the SEPA code it stands for.
_GERMAN = {
    "901": "AC01",
    "902": "AC04",
    "903": "AC06",
    "904": "AG01",
    "905": "AG02",
    "906": "AM04",
    "907": "AM05",
    "908": "BE04",
    "909": "MD01",
    "910": "MD02",
    "911": "MD06",
    "912": "MD07",
    "913": "MS02",
    "914": "MS03",
    "915": "RC01",
    "916": "RR01",
    "917": "RR02",
    "918": "RR03",
    "919": "RR04",
    "920": "SL01",
    "932": "CNOR",
    "933": "DNOR",
}


def consequence(code: str | None) -> Consequence | None:
    """What a return's reason code means; None for no code, or one of nobody we know."""
    given = (code or "").strip().upper()
    given = _GERMAN.get(given, given)
    found = _NACHA.get(given) or _SEPA.get(given)
    return Consequence(given, *found) if found else None
