"""OFX, camt.053 and CSV pass what every reader of bank files must pass, and each case catches a planted defect."""

from dataclasses import replace
from xml.sax.saxutils import escape

import pytest

from arsync.connectors.bank.bankprofile import parse_profile
from arsync.connectors.bank.mapping import read_file
from arsync.core.money import Money, total
from arsync.errors import ArsyncError, FileRefused
from arsync.simulators import statements
from arsync.testing import Violation, conformance, files
from arsync.testing.files import FILE_CASES, FileBench
from tests.connectors.bank import samples


def reference(line):
    """The bank's own id of a line: the same in every file that holds it."""
    return f"{line.on:%Y%m%d}{sum(line.text.encode())}{abs(line.amount.minor)}"


class Ofx(FileBench):
    def read(self, data):
        return read_file(data)

    def write(self, lines, opening):
        closing = opening + total((line.amount for line in lines), self.currency)
        booked = [
            samples.ofx_line(
                line.amount.text(),
                fitid=reference(line),
                posted=f"{line.on:%Y%m%d}",
                kind="CREDIT" if line.amount.minor > 0 else "DEBIT",
                NAME=escape(line.payer),
                MEMO=escape(line.text),
            )
            for line in lines
        ]
        return samples.ofx(*booked, balance=closing.text())


class Camt(FileBench):
    currency = "EUR"

    def read(self, data):
        return read_file(data)

    def write(self, lines, opening):
        closing = opening + total((line.amount for line in lines), self.currency)
        balances = samples.balance("OPBD", opening.text()) + samples.balance("CLBD", closing.text())
        return samples.camt(samples.statement(*map(self.entry, lines), balances=balances))

    @staticmethod
    def entry(line):
        sign, party = ("CRDT", "Dbtr") if line.amount.minor > 0 else ("DBIT", "Cdtr")
        said = (
            f"<RltdPties><{party}><Pty><Nm>{escape(line.payer)}</Nm></Pty></{party}></RltdPties>"
            f"<RmtInf><Ustrd>{escape(line.text)}</Ustrd></RmtInf>"
        )
        inside = samples.transaction(said, reference=reference(line))
        booked = f"<Dt>{line.on.isoformat()}</Dt>"
        return samples.entry(abs(line.amount).text(), sign, inside, reference=reference(line), booked=booked)


class Lockbox(FileBench):
    profile = parse_profile(statements.LOCKBOX_PROFILE, where="lockbox")

    def read(self, data):
        return read_file(data, self.profile)

    def write(self, lines, opening):
        written = [statements.Written(line.on, line.amount.minor, line.payer, line.text) for line in lines]
        return statements.lockbox_csv(written, opening.minor)


class TestOfx(conformance.FileSuite):
    bench = Ofx()


class TestCamt(conformance.FileSuite):
    bench = Camt()


class TestLockbox(conformance.FileSuite):
    bench = Lockbox()


# ---- planted defects


class Spoiling(Camt):
    """A reader whose lines are spoiled."""

    def read(self, data):
        found = super().read(data)
        spoiled = tuple(replace(one, lines=self.spoiled(one), **self.more(one)) for one in found.statements)
        return replace(found, statements=spoiled)

    def spoiled(self, statement):
        return tuple(map(self.spoiled_line, statement.lines))

    def spoiled_line(self, line):
        return line

    def more(self, _statement):
        return {}


class Unsigned(Spoiling):
    """Money out is money in."""

    def spoiled_line(self, line):
        return replace(line, amount=abs(line.amount))


class Escaped(Spoiling):
    """A text is left as XML writes it."""

    def spoiled_line(self, line):
        return replace(line, text=escape(line.text))


class Renumbering(Spoiling):
    """Each reading gives a file another hash."""

    count = 0

    def read(self, data):
        Renumbering.count += 1
        return replace(super().read(data), sha256=str(self.count))


class Trusting(Spoiling):
    """Every statement is proven."""

    def more(self, _statement):
        return {"proven": "proven"}


class Zeroing(Spoiling):
    """An unreadable amount is 0."""

    def read(self, data):
        return super().read(data.replace(b"n/a", b"0.00"))


class Floating(Spoiling):
    """An amount passes through a float."""

    def spoiled_line(self, line):
        return replace(line, amount=Money(round(float(line.amount.text()) * 100), "EUR"))


class Mending(Lockbox):
    """A row that was cut off is read with what is left of it."""

    def read(self, data):
        rows = data.split(b"\r\n")
        if rows[-1].count(b",") == 4 and rows[-1].endswith(b'"') and rows[-1].count(b'"') == 6:
            rows[-1] = rows[-1][:-3] + b'0",0.00'
        return super().read(b"\r\n".join(rows))


class Welcoming(Camt):
    """What is no statement is a statement without lines."""

    def read(self, data):
        try:
            return super().read(data)
        except FileRefused:
            return replace(super().read(self.write([], Money(0, "EUR"))), statements=())


class Nameless(Spoiling):
    """Lines are known by their place in the file."""

    def spoiled(self, statement):
        return tuple(replace(line, key=str(place)) for place, line in enumerate(statement.lines))


PLANTED = {
    files.lines_arrive: Unsigned(),
    files.texts_arrive: Escaped(),
    files.read_twice: Renumbering(),
    files.statements_tie: Trusting(),
    files.unreadable_amount: Zeroing(),
    files.exact_amounts: Floating(),
    files.cut_anywhere: Mending(),
    files.page_is_refused: Welcoming(),
    files.overlap_is_known: Nameless(),
}


@pytest.mark.parametrize(
    ("case", "bench"), [pytest.param(case, bench, id=type(bench).__doc__) for case, bench in PLANTED.items()]
)
def test_a_planted_defect_is_caught_by_its_case(case, bench):
    tried_with = dict(FILE_CASES)[case][:1]
    with pytest.raises((Violation, ArsyncError)):
        case(bench, *tried_with)


def test_every_case_has_a_planted_defect():
    assert PLANTED.keys() == {case for case, _ in FILE_CASES}
