"""Lines per second and peak memory of the bank readers: `python bench/bank.py [lines]`.

Each format runs in a process of its own, so that one's memory does not hide another's. Lines per
second are of processor time, so that other jobs on the machine count little.
"""

import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

from arsync.connectors.bank.bankprofile import shipped_profile
from arsync.connectors.bank.mapping import read_file

MIB = 1024 * 1024


def ofx(lines):
    head = (
        "OFXHEADER:100\nDATA:OFXSGML\nENCODING:USASCII\nCHARSET:1252\n\n"
        "<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>USD<BANKACCTFROM><BANKID>121000248<ACCTID>4711"
        "<ACCTTYPE>CHECKING</BANKACCTFROM><BANKTRANLIST>"
    )
    body = "".join(
        f"\n<STMTTRN>\n<TRNTYPE>CREDIT\n<DTPOSTED>202601{i % 28 + 1:02}120000[-5:EST]"
        f"\n<TRNAMT>{i % 9999}.{i % 100:02}\n<FITID>F{i}\n<NAME>CUSTOMER {i % 500}"
        f"\n<MEMO>INVOICE {100000 + i} PAYMENT\n</STMTTRN>"
        for i in range(lines)
    )
    return (head + body + "\n</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>").encode()


def camt(lines):
    head = (
        '<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"><BkToCstmrStmt><Stmt><Id>S1</Id>'
        "<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>"
    )
    body = "".join(
        f'<Ntry><Amt Ccy="EUR">{i % 9999}.{i % 100:02}</Amt><CdtDbtInd>CRDT</CdtDbtInd>'
        f"<Sts><Cd>BOOK</Cd></Sts><BookgDt><Dt>2026-01-{i % 28 + 1:02}</Dt></BookgDt>"
        f"<ValDt><Dt>2026-01-{i % 28 + 1:02}</Dt></ValDt><AcctSvcrRef>R{i}</AcctSvcrRef><BkTxCd><Domn>"
        "<Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd><NtryDtls><TxDtls>"
        f"<Refs><EndToEndId>E{i}</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>Customer {i % 500}</Nm></Pty>"
        "</Dbtr><DbtrAcct><Id><IBAN>DE75512108001245126199</IBAN></Id></DbtrAcct></RltdPties>"
        f"<RmtInf><Ustrd>Invoice {100000 + i}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        for i in range(lines)
    )
    return (head + body + "</Stmt></BkToCstmrStmt></Document>").encode()


def csv(lines):
    body = "".join(
        f'2026-01-{i % 28 + 1:02},"Customer {i % 500}, invoice {i}",{i % 9999}.{i % 100:02}\n'
        for i in range(lines)
    )
    return ("Date,Description,Amount\n" + body).encode()


def measure(name, lines):
    data = {"ofx": ofx, "camt": camt, "csv": csv}[name](lines)
    profile = replace(shipped_profile("signed-amount"), currency="USD")
    before = _memory_now()
    started = time.process_time()
    bank_file = read_file(data, profile)
    took_s = time.process_time() - started
    read = sum(len(statement.lines) for statement in bank_file.statements)
    if read != lines:
        raise SystemExit(f"{name}: {read} of {lines} lines")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    print(
        f"{name:<5} {lines:>8,} lines {len(data) / MIB:>6.1f} MiB  {took_s:>6.2f} s"
        f"  {lines / took_s:>8,.0f} lines/s  peak {peak / MIB:>5.0f} MiB"
        f" ({(peak - before) / lines:>5.0f} bytes a line above the start)",
        flush=True,
    )


def _memory_now():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    if len(sys.argv) > 2:
        measure(sys.argv[1], int(sys.argv[2]))
    else:
        count = sys.argv[1] if len(sys.argv) > 1 else "20000"
        for each in ("ofx", "camt", "csv"):
            subprocess.run([sys.executable, __file__, each, count], check=True)
