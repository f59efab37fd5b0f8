"""Sources: what mailboxes, servers of banks and feeds bring is taken in.

Law     a source that cannot be reached is named and keeps no other from being read; nothing of it counts as "no news".
        A mark moves only with what it stands for. A letter brings remittance advices and nothing else: what a stranger
        wrote never becomes a bank line, and is believed only from a sender on file whose domain is proven.
"""

from dataclasses import replace
from pathlib import Path

from arsync.connectors.bank import advices
from arsync.connectors.bank.readers.advice_document import Given
from arsync.connectors.deliveries import Delivery, Source
from arsync.connectors.mail import letter
from arsync.connectors.mail.letter import Letter
from arsync.core.bank import Problem, Remittance
from arsync.core.decisions import Reason
from arsync.errors import ArsyncError, FileRefused, PlatformBusy, PlatformRefused, SetupError
from arsync.store import audit, bank, breakdowns, queries, queues, raw, sources
from arsync.store.engine import Tx
from arsync.store.lock import locked
from arsync.store.queues import Entry
from arsync.sync.intake import Incoming, Taken, refuse, take_file
from arsync.sync.job import ENGINE, Job


def collect(job: Job, inbox: Path, taken: Taken) -> Taken:
    """Take in what the ledger's sources bring; what they brought is added to what the inbox did."""
    for source in job.sources:
        # The name of a lock is the name of a file.
        with locked(job.store, f"source-{raw.sha(source.name.encode()).hex()[:12]}", wait_s=60):
            try:
                _collect(job, source, inbox, taken)
            except PlatformBusy as busy:  # the next run tries again
                taken.refused.append((source.name, busy.what))
            except (SetupError, PlatformRefused) as refused:  # a person must act, and the rest goes on
                taken.refused.append((source.name, refused.what))
                _ask(job, source, refused)
            else:
                with job.store.begin() as conn:
                    queues.close(
                        conn, job.ledger.id, [_subject(source)], ENGINE, "it is read again", job.at()
                    )
    return taken


def _subject(source: Source) -> str:
    return f"source:{source.name}"


def _ask(job: Job, source: Source, refused: ArsyncError) -> None:
    detail = f"{source.name}: {refused.what}; {refused.do}"
    entry = Entry(_subject(source), Reason.PLATFORM_REFUSED.value, detail)
    with job.store.begin() as conn:
        queues.open_items(conn, job.ledger.id, [entry], job.at())


def _collect(job: Job, source: Source, inbox: Path, taken: Taken) -> None:
    with job.store.read() as conn:
        mark = sources.mark_of(conn, source.name)
    for delivery in source.new(mark):
        job.still_ours()
        if delivery.refused:
            refuse(job, delivery.name, b"", delivery.refused, taken)
        elif delivery.kind == "letter":
            _take_letter(job, source, delivery, taken)
        else:
            profiles = inbox.parent / "profiles"
            incoming = Incoming(delivery.name, delivery.data, delivery.folder, profiles, ENGINE)
            with locked(job.store, "inbox", wait_s=60):
                told = take_file(job, incoming, taken)
            if told:
                job.tell("bank", told)
        with job.store.begin() as conn:
            sources.set_mark(conn, source.name, delivery.mark, job.at())


# ---- letters


def _take_letter(job: Job, source: Source, delivery: Delivery, taken: Taken) -> None:
    """Keep a letter's advices; the same letter again is nothing new."""
    taken.files += 1
    sha = raw.sha(delivery.data)
    with job.store.read() as conn:
        if bank.known_file(conn, sha) is not None:
            taken.known += 1
            return
    try:
        read = letter.read(delivery.data, source.authority)
    except FileRefused as refused:
        refuse(job, delivery.name, delivery.data, refused.what, taken)
        return
    at = job.at()
    with job.store.begin() as conn:
        raw.keep(conn, [delivery.data])
        given = _given(conn, job, read)
        found, problems = _advices(read, given)
        new = breakdowns.keep_remittances(conn, job.ledger.id, sha, found, job.today())
        bank.keep_letter(conn, sha, delivery.name, len(found), new, at)
        entries = [_problem(delivery.name, sha, one) for one in problems if found or given.grade != "unknown"]
        if asked := read.asks_for_bank_details:
            entries.append(_alert(delivery.name, sha, read, asked))
        queues.open_items(conn, job.ledger.id, entries, at)
        body = {
            "mail": delivery.name, "from": read.sender, "proven": read.is_proven, "grade": given.grade,
            "advices": len(found), "sha256": sha.hex(),
        }  # fmt: skip
        audit.record(
            conn, job.ledger.id, at, ENGINE, [audit.Entry("mail read", f"file:{delivery.name}", body)]
        )
    taken.remittances += new
    taken.problems += len(entries)
    if new:
        job.tell("mail", f"{delivery.name} from {read.sender or 'nobody'}: {new} new advice, {given.grade}")


def _given(conn: Tx, job: Job, read: Letter) -> Given:
    """What the letter's sender is worth: on file and proven, or unknown, as one that asks for money elsewhere."""
    known = sources.sender(conn, job.ledger.id, read.sender) if read.sender else None
    believed = known is not None and read.is_proven and not read.asks_for_bank_details
    payer = read.sender_name
    if known is not None and known.customer_id is not None:
        payer = queries.customer_names(conn, job.ledger.id).get(known.customer_id, payer)
    return Given(
        currency=job.ledger.home_currency,
        on=read.on or job.today(),
        grade="known sender" if believed else "unknown",
        payer_name=payer if known is not None else "",
    )


def _advices(read: Letter, given: Given) -> tuple[tuple[Remittance, ...], list[Problem]]:
    """Advices of the documents and of the words, each once, and what could not be read."""
    found: list[Remittance] = []
    problems: list[Problem] = []
    for document in read.documents:
        try:
            found += [_within(one, document.name) for one in advices.in_document(document.data, given)]
        except FileRefused as refused:
            problems.append(
                Problem("remittance-unreadable", document.name, "attachment", "", refused.what, refused.do)
            )
    found += advices.in_mail(read.text, read.html, given)
    found += () if found else advices.in_words(read.text, read.html, given)
    kept = advices.distinct(found)
    return kept, [*problems, *(problem for one in kept for problem in one.problems)]


def _within(advice: Remittance, name: str) -> Remittance:
    return replace(advice, locator=f"{name}, {advice.locator}")


def _problem(name: str, sha: bytes, problem: Problem) -> Entry:
    return Entry(
        subject=f"file:{sha.hex()[:12]}:{problem.locator}:{problem.field}",
        reason=Reason.UNREADABLE_FIELD.value,
        detail=f"{name}, {problem.locator}: {problem.field} {problem.raw[:80]!r}: {problem.why}",
        raw_sha=sha,
    )


def _alert(name: str, sha: bytes, read: Letter, asked: str) -> Entry:
    who = read.sender or "a sender it does not name"
    proven = "whose domain is proven" if read.is_proven else "which nothing proves"
    return Entry(
        subject=f"file:{sha.hex()[:12]}:bank details",
        reason=Reason.BANK_DETAILS.value,
        detail=f"{name} from {who}, {proven}, asks to change bank details: {asked!r}; call them on a number you know",
        raw_sha=sha,
    )
