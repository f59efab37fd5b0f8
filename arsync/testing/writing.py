"""What is tried of writing, one deed at a time. The first line of each docstring is the promise.

Shape   a case takes a `Stage` and a deed; it raises `Violation`, or `NotExercised` where the platform knows only
        the other way of applying.
"""

from collections.abc import Mapping
from dataclasses import replace

from arsync.connectors.contract import (
    Answer,
    ApplyPayment,
    Bundle,
    Call,
    Cannot,
    Found,
    Fresh,
    PostCredit,
    PostReceipt,
    Ref,
    Reverse,
    SetExpected,
    SetNote,
    Settle,
)
from arsync.core.items import OpenItem, Payment
from arsync.core.money import Money
from arsync.errors import ConsentLost, Unreachable
from arsync.testing.stage import (
    VERB_OF,
    WIDE_NAME,
    Deed,
    Job,
    Stage,
    closed_port,
    is_call,
    moved,
)
from arsync.testing.verdicts import NotExercised, Violation, must, same
from arsync.testing.wire import Fault, Trouble

_MOST_CALLS = 9  # of two intents
LOSSES: tuple[Trouble, ...] = ("lost after", "torn", "truncated", "html", "empty", "broken")


# ---- done as asked


def booked_as_asked(stage: Stage, deed: Deed) -> None:
    """What is asked is booked, to the minor unit and nothing else, and the answer tells the same as the next pull."""
    job = stage.job(deed)
    before, taken = stage.bench.open(), stage.bench.changes()
    bank = stage.bench.balance(stage.bench.bank_account) if job.banked is not None else None
    answers = stage.carried_out(job)
    same(stage.bench.changes() - taken, len(answers), "writes that the books took")
    _moved_as_asked(stage, job, answers[0], before)
    if bank is not None:
        same(
            stage.bench.balance(stage.bench.bank_account) - bank, job.banked, "what came to the bank account"
        )
    if deed == "deposit":
        left = stage.bench.balance(stage.bench.undeposited_account)
        same(left.minor, 0, "what is left where payments wait for their deposit")
    pulled = stage.pull().records
    for record in (record for answer in answers for record in answer.records):
        must(record.ref in pulled, f"the answer shows {record.ref}, and the next pull does not")
        same(record.value, pulled[record.ref].value, f"{record.ref}, as answered and as pulled")


def _moved_as_asked(stage: Stage, job: Job, answer: Answer, before: Mapping[Ref, Money]) -> None:
    after = dict(stage.bench.open())
    found, wanted = moved(before, after), dict(job.moves)
    if job.leaves is not None:
        must(answer.ref is not None, f"{job.deed} created something, and the answer does not name it")
        created = answer.ref or Ref("item", "")
        must(created not in before, f"{created} was there before")
        wanted[created] = job.leaves
    if job.deed == "post_receipt" and stage.manifest.writes["post_receipt"].target == "customer":
        same(_sum(found), _sum(wanted), "what is open altogether, moved")
    else:
        same(
            found,
            {ref: money for ref, money in wanted.items() if money},
            "how much more is open of each item",
        )


def _sum(moves: Mapping[Ref, Money]) -> int:
    return sum(money.minor for money in moves.values())


def exact_bytes(stage: Stage, deed: Deed) -> None:
    """The bytes of the stored call are the bytes that are sent, under its key, also by another process."""
    call = stage.planned(stage.job(deed))
    since = len(stage.wire.exchanges)
    must(stage.sent(call).outcome == "accepted", "a stored call, sent by another process, is not accepted")
    left = [one.sent for one in stage.reads(since) if is_call(call)(one.sent)]
    same(len(left), 1, f"requests that are {call.method} {call.path} with the stored body, byte for byte")
    carried = left[0].path + "".join(left[0].headers.values()) + left[0].body.decode()
    if stage.manifest.writes[VERB_OF[deed]].retry == "same_key":
        must(call.key in carried, "the request does not carry the key of its call")


def marked(stage: Stage, deed: Deed) -> None:
    """What is created carries our marker, in the field the manifest names."""
    marker = stage.manifest.writes[VERB_OF[deed]].marker
    assert marker is not None
    name, width = marker
    job = stage.job(deed)
    answer = stage.done(job)
    if answer.ref is None:
        raise NotExercised("it creates nothing")
    raws = [record.raw for record in stage.connector().fetch([answer.ref]).records] or [answer.raw]
    body = answer.call.body.decode()
    must(name in body, f"the call has no {name}")
    must(job.bundle.key in body, f"the call does not carry the bundle's key {job.bundle.key}")
    must(any(job.bundle.key.encode() in raw for raw in raws), f"{answer.ref} does not carry the bundle's key")
    must(
        width >= len(f"arsync:{job.bundle.key}.99.9"),
        f"{name} of {width} characters is too narrow for a marker",
    )


def several_at_once(stage: Stage, deed: Deed) -> None:
    """Several calls get one answer each, in their order."""
    count = stage.manifest.writes[VERB_OF[deed]].calls_per_send
    calls = [stage.planned(stage.job(deed)) for _ in range(count)]
    answers = list(stage.connector().send(calls))
    same([answer.call for answer in answers], calls, "the calls that were answered")
    same([answer.outcome for answer in answers], ["accepted"] * count, "their outcomes")


def shared_answer_lost(stage: Stage, deed: Deed) -> None:
    """Calls sent together whose answer is lost are unknown, each of them, and each is found for itself."""
    jobs = [stage.job(deed) for _ in range(2)]
    calls = [stage.planned(job) for job in jobs]
    names = [job.bundle.key.encode() for job in jobs]
    taken = stage.bench.changes()
    stage.wire.fault(Fault("lost after", lambda sent: any(name in sent.body for name in names)))
    answers = list(stage.connector().send(calls))
    stage.wire.heal()
    same(
        [answer.outcome for answer in answers],
        ["unknown"] * len(calls),
        "outcomes of calls whose answer was lost",
    )
    found = [stage.connector().find(call).state for call in calls]
    must(set(found) <= {"present", "absent", "unclear"}, f"find says {' and '.join(found)}")
    same(
        found.count("present") + found.count("unclear"),
        stage.bench.changes() - taken,
        "how many find calls there",
    )


def each_for_itself(stage: Stage, deed: Deed) -> None:
    """Of calls sent together, one that cannot be done leaves the others alone."""
    jobs = [stage.job(deed) for _ in range(3)]
    calls = [stage.planned(job) for job in jobs]
    _settle_elsewhere(stage, jobs[1])
    taken = stage.bench.changes()
    outcomes = [answer.outcome for answer in stage.connector().send(calls)]
    must(outcomes[1] in {"refused", "stale"}, f"the call that cannot be done is {outcomes[1]}")
    same((outcomes[0], outcomes[2]), ("accepted", "accepted"), "the outcomes of the others")
    same(stage.bench.changes() - taken, 2, "writes that the books took")


# ---- planning


def plan_is_pure(stage: Stage, deed: Deed) -> None:
    """Planning asks nobody, and the same bundle gives the same call; another generation gets another key."""
    job = stage.job(deed)
    since = len(stage.wire.exchanges)
    call = stage.planned(job)
    same(stage.planned(job), call, "the same bundle planned again")
    again = stage.planned(replace(job, bundle=replace(job.bundle, generation=job.bundle.generation + 1)))
    other = stage.planned(replace(job, bundle=replace(job.bundle, key="another")))
    same(len({call.key, again.key, other.key}), 3, "keys of a bundle, its next generation and another bundle")
    same(stage.wire.exchanges[since:], [], "requests while planning")


def wrong_currency(stage: Stage, _deed: Deed) -> None:
    """Money in a currency these books do not take is Cannot, not an exchange."""
    job = stage.job("post_receipt")
    intent = job.intent
    assert isinstance(intent, PostReceipt)
    foreign = "EUR" if stage.bench.currency != "EUR" else "USD"
    settles = tuple(Settle(one.item, Money(one.amount.minor, foreign)) for one in intent.settles)
    wrong = replace(intent, total=Money(intent.total.minor, foreign), settles=settles)
    said = stage.connector().plan(replace(job.bundle, intents=(wrong,)), job.fresh, ())
    if not isinstance(said, Cannot) or said.code != "currency_mismatch":
        raise Violation(f"a receipt in {foreign} for books in {stage.bench.currency} is {said}")


# ---- lost answers


def lost_after(stage: Stage, deed: Deed) -> None:
    """An answer lost after the platform did it is unknown, then found; done once, however often it is sent."""
    for trouble in LOSSES:
        job = stage.job(deed)
        done: list[Answer] = []
        while (call := stage.following(job, done)) is not None:
            taken = stage.bench.changes()
            stage.wire.fault(Fault(trouble, is_call(call)))
            answer = stage.sent(call)
            stage.wire.heal()
            same(answer.outcome, "unknown", f"the outcome of a {trouble} answer, its call being done")
            must(answer.why, f"a {trouble} answer is unknown without a reason")
            same(stage.bench.changes() - taken, 1, f"times it was done, {trouble} each time")
            done.append(_as_found(answer, _is_found(stage, deed, call, f"{trouble} after it was done")))


def _as_found(answer: Answer, found: Found) -> Answer:
    """A lost answer, once its effect was found: what planning goes on from."""
    return replace(answer, outcome="accepted", ref=found.ref)


def _is_found(stage: Stage, deed: Deed, call: Call, after: str) -> Found:
    found = stage.connector().find(call)
    if stage.manifest.writes[VERB_OF[deed]].find == "ask":
        same(found.state, "present", f"what find says of a call whose answer was {after}")
    else:
        must(
            found.state in {"present", "unclear"},
            f"find says {found.state} of a call whose answer was {after}",
        )
    return found


def lost_before(stage: Stage, deed: Deed) -> None:
    """A request lost on its way is unknown, then found absent; sent again, it is done once."""
    allowed = {"absent"} if stage.manifest.writes[VERB_OF[deed]].find == "ask" else {"absent", "unclear"}
    job = stage.job(deed)
    done: list[Answer] = []
    while (call := stage.following(job, done)) is not None:
        taken = stage.bench.changes()
        stage.wire.fault(Fault("lost before", is_call(call)))
        same(stage.sent(call).outcome, "unknown", "the outcome of a request that was cut off")
        stage.wire.heal()
        found = stage.connector().find(call)
        must(found.state in allowed, f"find says {found.state} of a call that never arrived")
        done.append(stage.sent(call, again=True))
        same(done[-1].outcome, "accepted", "the outcome when it is sent again")
        same(stage.bench.changes() - taken, 1, "times it was done")


def late_answer(stage: Stage, deed: Deed) -> None:
    """A connector does not wait for ever for what became of a call: it is unknown, then found."""
    call = stage.planned(stage.job(deed))
    taken = stage.bench.changes()
    stage.wire.fault(Fault("late", is_call(call)))
    with stage.short_patience():
        same(stage.sent(call).outcome, "unknown", "the outcome of a call whose answer does not come")
    stage.wire.heal()
    same(stage.bench.changes() - taken, 1, "times it was done")
    _is_found(stage, deed, call, "never given")


def same_key(stage: Stage, deed: Deed) -> None:
    """The same call sent again is done once, by whichever process, for as long as its key is remembered."""
    call = stage.planned(stage.job(deed))
    taken = stage.bench.changes()
    first = stage.sent(call)
    kept_s = stage.manifest.writes[VERB_OF[deed]].key_ttl_s
    if kept_s is not None:
        stage.clock.sleep(kept_s - 1)
        stage.tokens.replace(stage.bench.grant())
    again = stage.sent(call, again=True)
    same((first.outcome, again.outcome), ("accepted", "accepted"), "the outcomes of one call sent twice")
    same(again.ref, first.ref, "what the second answer names")
    same(stage.bench.changes() - taken, 1, "times it was done")


def nobody_there(stage: Stage, deed: Deed) -> None:
    """A platform that cannot be reached did not refuse."""
    call = stage.planned(stage.job(deed))
    stage.connector().probe()  # tokens are fresh: nothing but the call itself has to leave
    try:
        answer = stage.sent(call, closed_port())
    except Unreachable as error:
        must(error.do, "Unreachable does not say what to do")
    else:
        same(answer.outcome, "unknown", "the outcome of a call that could not leave")


# ---- no


def refused(stage: Stage, deed: Deed) -> None:
    """What the platform will not take is refused, with its reason, and nothing is booked."""
    call = stage.planned(stage.job(deed))
    stage.bench.refuse()
    before, taken = stage.bench.open(), stage.bench.changes()
    answer = stage.sent(call)
    same(answer.outcome, "refused", "the outcome of a call that the books do not take")
    must(answer.why, "a refusal without a reason")
    same((stage.bench.changes(), stage.bench.open()), (taken, before), "the books after a refusal")


def stale(stage: Stage, deed: Deed) -> None:
    """A record changed by somebody else meanwhile is stale and left alone; without versions, the call is done once."""
    job = stage.job(deed)
    written = _changed_by(job)
    is_told = bool(stage.connector().fetch([written]).records[0].version)
    call = stage.planned(job)
    stage.bench.touch(written)
    before, taken = stage.bench.open(), stage.bench.changes()
    outcome = stage.sent(call).outcome
    wanted = "stale" if is_told else "accepted"
    same(outcome, wanted, "the outcome of a call on a record of which somebody else changed a word")
    same(stage.bench.changes() - taken, 0 if is_told else 1, "writes that the books took")
    if is_told:
        same(stage.bench.open(), before, "what is open after it")


def _changed_by(job: Job) -> Ref:
    """The record that a job changes, and that was there before."""
    match job.intent:
        case Reverse(written=ref) | SetNote(item=ref) | SetExpected(item=ref) | ApplyPayment(payment=ref):
            return ref
    raise Violation(f"{job.deed} changes no record that is there already")


def all_or_nothing(stage: Stage, deed: Deed) -> None:
    """A call of which one part cannot be done does nothing at all."""
    job = stage.job(deed)
    call = stage.planned(job)
    item = _settle_elsewhere(stage, job)
    before, taken = stage.bench.open(), stage.bench.changes()
    answer = stage.sent(call)
    must(
        answer.outcome in {"refused", "stale"},
        f"{item} has nothing left, and the outcome of a call that settles it is {answer.outcome}",
    )
    same((stage.bench.changes(), stage.bench.open()), (taken, before), "the books after it")


def _settle_elsewhere(stage: Stage, job: Job) -> Ref:
    """Somebody else pays the last item of a job first; which one it was."""
    item = next(ref for ref, money in reversed(list(job.moves.items())) if money.minor < 0)
    whole = stage.bench.open()[item]
    stage.bench.payment(_customer_of(stage, item), whole, (Settle(item, whole),))
    return item


def _customer_of(stage: Stage, item: Ref) -> Ref:
    value = stage.connector().fetch([item]).records[0].value
    assert isinstance(value, OpenItem)
    return Ref("customer", value.customer)


def without_consent(stage: Stage, deed: Deed) -> None:
    """Without consent nothing is sent: ConsentLost, and nothing is in doubt."""
    call = stage.planned(stage.job(deed))
    taken = stage.bench.changes()
    stage.bench.revoke()
    try:
        answer = stage.sent(call)
    except ConsentLost:
        same(stage.bench.changes(), taken, "writes that the books took")
    else:
        raise Violation(f"consent was taken back, and a call is {answer.outcome}")


# ---- finding


def find_never_writes(stage: Stage, deed: Deed) -> None:
    """Looking for a call changes nothing, before it is sent and after."""
    call = stage.planned(stage.job(deed))
    taken, before = stage.bench.changes(), stage.bench.open()
    _state(stage, call, {"absent", "unclear"})
    same(
        (stage.bench.changes(), stage.bench.open()),
        (taken, before),
        "the books after looking for a call not sent",
    )
    stage.sent(call)
    taken, after = stage.bench.changes(), stage.bench.open()
    since = len(stage.wire.exchanges)
    _state(stage, call, {"present", "unclear"})
    same(
        (stage.bench.changes(), stage.bench.open()), (taken, after), "the books after looking for a call sent"
    )
    must(not any(is_call(call)(one.sent) for one in stage.reads(since)), "to find a call, it sends it")


def _state(stage: Stage, call: Call, allowed: set[str]) -> Found:
    found = stage.connector().find(call)
    must(found.state in allowed, f"find says {found.state}, not {' or '.join(sorted(allowed))}")
    return found


def not_mistaken(stage: Stage, deed: Deed) -> None:
    """A person's own payment with the same facts is not taken for ours."""
    job = stage.job(deed)
    intent = job.intent
    assert isinstance(intent, PostReceipt)
    call = stage.planned(job)
    stage.bench.payment(intent.customer, intent.total, intent.settles)
    found = stage.connector().find(call)
    must(
        found.state in {"absent", "unclear"},
        f"somebody else booked the same, and find says {found.state} of ours",
    )


def odd_names(stage: Stage, deed: Deed) -> None:
    """Names and references with apostrophes, backslashes and letters of any script are written and found again."""
    job = stage.job(deed, WIDE_NAME)
    assert isinstance(job.intent, PostReceipt)
    wide = replace(job.intent, reference=f"{job.intent.reference} {WIDE_NAME}")
    job = replace(job, bundle=replace(job.bundle, intents=(wide,)))
    call = stage.planned(job)
    stage.wire.fault(Fault("lost after", is_call(call)))
    stage.sent(call)
    stage.wire.heal()
    _is_found(stage, deed, call, "lost")
    same(
        stage.sent(stage.planned(stage.job(deed))).outcome,
        "accepted",
        "a receipt of a customer with an odd name",
    )


# ---- undo


def undone(stage: Stage, deed: Deed) -> None:
    """What was written is taken back the way the manifest says, and everything is open again."""
    way = stage.manifest.writes[VERB_OF[deed]].undo
    job = stage.job(deed)
    before = stage.bench.open()
    answer = stage.done(job)
    if answer.ref is None:
        raise Violation("an accepted call that can be undone names no record")
    settles = job.intent.settles if isinstance(job.intent, ApplyPayment) else ()
    back = Reverse(answer.ref, settles)
    if way == "none":
        said = stage.connector().plan(Bundle("back", 0, (back,)), stage.fresh(back), ())
        must(isinstance(said, Cannot), f"it cannot be taken back, and plan says {said}")
        return
    must("reverse" in stage.manifest.writes, f"undo is {way}, and the verb that does it is not declared")
    stage.done(stage.built("reverse", back, {}))
    same(moved(before, stage.bench.open()), {}, "how much more is open of each item after it was taken back")
    _left(stage, answer.ref, way, changed_only=bool(settles))


def _left(stage: Stage, ref: Ref, way: str, *, changed_only: bool) -> None:
    page = stage.connector().fetch([ref])
    if way == "delete" and not changed_only:
        same([one.ref for one in page.gone], [ref], "what is left of it")
    elif way == "void":
        value = page.records[0].value
        assert isinstance(value, OpenItem | Payment)
        must(value.voided, f"{ref} was voided, and its value does not say so")


# ---- bundles


def bundle_in_order(stage: Stage, deed: Deed) -> None:
    """The intents of a bundle are calls in their order, each known by its number, and then it is finished."""
    one, two = stage.job(deed), stage.job(deed)
    bundle = replace(one.bundle, intents=(one.intent, two.intent))
    fresh = replace(one.fresh, raw={**one.fresh.raw, **two.fresh.raw})
    answers = _carried_out(stage, bundle, fresh)
    numbers = [answer.call.number for answer in answers]
    same((numbers, set(numbers)), (sorted(numbers), {0, 1}), "the numbers of its calls")
    same(len({answer.call.key for answer in answers}), len(answers), "the keys of its calls")


def discount_used(stage: Stage, _deed: Deed) -> None:
    """A credit that a bundle posts is used up by the receipt that follows it, and nothing is left of either."""
    customer = stage.bench.customer("Discount")
    owed = stage.bench.invoice(customer, stage.money(100_00))
    credit = PostCredit(
        customer, stage.today, stage.money(2_03), stage.bench.product, None, "cash discount", owed
    )
    paid = PostReceipt(customer, stage.today, stage.money(97_97), (Settle(owed, stage.money(100_00)),), (0,))
    answers = _carried_out(stage, Bundle("discount", 0, (credit, paid)), stage.fresh(credit, paid))
    left = {ref: money for ref, money in stage.bench.open().items() if money}
    same((len(answers), left), (2, {}), "calls, and what is still open")


def _carried_out(stage: Stage, bundle: Bundle, fresh: Fresh) -> list[Answer]:
    answers: list[Answer] = []
    while (call := stage.connector().plan(bundle, fresh, answers)) is not None:
        if isinstance(call, Cannot):
            raise Violation(f"intent {len(answers)} of a bundle: {call}")
        must(len(answers) < _MOST_CALLS, f"a bundle is not finished after {len(answers)} calls")
        answers.append(stage.sent(call))
        same(
            answers[-1].outcome,
            "accepted",
            f"the outcome of call {len(answers)} of a bundle: {answers[-1].why}",
        )
    return answers
