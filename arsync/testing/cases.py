"""All cases, what each is tried over, and which words of a manifest it proves.

Shape   (manifest) -> `Trial`s. A `Trial` passed by `Trial.run` proves its capabilities; `unproven` says what a
        manifest declares beyond that.
Law     a word of a manifest that no passed trial proves is a lie, or unknown to this suite; both fail.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

from arsync.connectors.contract import Connector, Kind, Manifest, Reads, Verb, Writes
from arsync.testing import manners, reading, writing
from arsync.testing.bench import Bench
from arsync.testing.ports import Clock
from arsync.testing.stage import VERB_OF, Deed, opened

Over = Callable[[Manifest], Iterable[str]]
MakeBench = Callable[[Clock], AbstractContextManager[Bench]]


def promise(case: Callable[..., None]) -> str:
    """What a case is about: the first line of its docstring."""
    return (case.__doc__ or "").partition("\n")[0].rstrip(".")


@dataclass(frozen=True, slots=True)
class Case:
    """One promise, and what it is tried over.

    Attributes:
        run: the case itself; the first line of its docstring is its name.
        over: what it is tried with, out of a manifest.
        proves: capabilities that passing proves, given what it was tried with.
    """

    run: Callable[..., None]
    over: Over | None = None
    proves: Callable[[Manifest, str], Iterable[str]] = lambda _manifest, _with: ()

    @property
    def name(self) -> str:
        """The promise."""
        return promise(self.run)


@dataclass(frozen=True, slots=True)
class Trial:
    """One case with one thing it is tried with ("" where there is only one way)."""

    case: Case
    tried_with: str
    proves: frozenset[str]

    @property
    def name(self) -> str:
        """A sentence; the id of the test."""
        return f"{self.case.name} [{self.tried_with}]" if self.tried_with else self.case.name

    def run(self, connector: type[Connector], bench: MakeBench) -> None:
        """Try it on new books.

        Raises:
            Violation: the promise is broken. NotExercised: there was nothing to try.
        """
        clock = Clock()
        with bench(clock) as books, opened(connector, books, clock) as stage:
            self.case.run(stage, *([self.tried_with] if self.tried_with else []))


# ---- what is tried over what


def _kinds(manifest: Manifest) -> Iterable[str]:
    return manifest.reads


def _kinds_by(way: str) -> Over:
    return lambda manifest: [kind for kind, reads in manifest.reads.items() if way in reads.by]


def _deleting(manifest: Manifest) -> Iterable[str]:
    return [kind for kind, reads in manifest.reads.items() if reads.gone != "never"]


def _overlapping(manifest: Manifest) -> Iterable[str]:
    return [kind for kind, reads in manifest.reads.items() if reads.overlap_s > 1]


def _payments(manifest: Manifest) -> Iterable[str]:
    return ["payment"] if "payment" in manifest.reads else []


def _deeds(manifest: Manifest, holds: Callable[[Writes], object] = lambda writes: writes) -> Iterator[Deed]:
    for deed, verb in VERB_OF.items():
        writes = manifest.writes.get(verb)
        # Where one document holds a rest, each receipt that is tried has one.
        twice = writes is not None and deed == "post_rest" and "rest" in writes.within
        if writes is not None and not twice and writes.route == "direct" and holds(writes):
            yield deed


def _deeds_where(holds: Callable[[Writes], object]) -> Over:
    return lambda manifest: _deeds(manifest, holds)


def _only(*deeds: Deed, holds: Callable[[Writes], object] = lambda writes: writes) -> Over:
    return lambda manifest: [deed for deed in _deeds(manifest, holds) if deed in deeds]


def _together(writes: Writes) -> bool:
    return writes.calls_per_send > 1


def _discounting(manifest: Manifest) -> Iterable[str]:
    """Whether a receipt may use up a credit that was posted before it."""
    uses = "post_receipt" in manifest.writes and "credits" in manifest.writes["post_receipt"].within
    return ["post_credit"] if uses and "post_credit" in manifest.writes else []


def _one_document(manifest: Manifest) -> Iterable[str]:
    """Deeds that can be taken back as the one thing they are."""
    return [deed for deed in _deeds(manifest) if deed != "post_rest"]


_CHANGING: frozenset[Deed] = frozenset({"apply_payment", "note", "expect", "reverse"})


def _changing(manifest: Manifest) -> Iterable[str]:
    """Deeds on a record that exists already, which somebody else may have changed."""
    return [deed for deed in _deeds(manifest) if deed in _CHANGING]


def _creating_marked(manifest: Manifest) -> Iterable[str]:
    """Deeds that create a document, which has to carry our marker."""
    return [deed for deed in _deeds(manifest, lambda writes: writes.marker) if deed not in _CHANGING]


# ---- the words of a manifest


def declared(manifest: Manifest) -> frozenset[str]:
    """Every word of a manifest that wants proof."""
    return frozenset(
        [word for kind, reads in manifest.reads.items() for word in _of_reads(kind, reads)]
        + [word for verb, writes in manifest.writes.items() for word in _of_writes(verb, writes)]
        + [f"totals {whose}" for whose in manifest.totals]
    )


def _of_reads(kind: Kind, reads: Reads) -> list[str]:
    words = [f"reads {kind}", *(f"reads {kind} by {way}" for way in reads.by)]
    words += [f"reads {kind} gone {reads.gone}"] if reads.gone != "never" else []
    words += [f"reads {kind} overlap_s {reads.overlap_s}"] if reads.overlap_s > 1 else []
    return words + ([f"reads {kind} applications {reads.applications}"] if kind == "payment" else [])


def _of_writes(verb: Verb, writes: Writes) -> list[str]:
    told = {
        "route": writes.route,
        "bundle": writes.bundle,
        "retry": writes.retry,
        "key_ttl_s": writes.key_ttl_s,
        "find": writes.find,
        "undo": writes.undo,
        "calls_per_send": writes.calls_per_send,
        "target": writes.target if verb in {"post_receipt", "apply"} else None,
        "marker": writes.marker[0] if writes.marker else None,
    }
    words = [f"{name} {value}" for name, value in told.items() if value is not None]
    # Only a receipt has several parts of which one may fail by itself.
    words += ["atomic"] if writes.atomic and verb == "post_receipt" and writes.target != "customer" else []
    return [f"writes {verb}", *(f"writes {verb} {word}" for word in words)]


def _reads_word(template: str) -> Callable[[Manifest, str], Iterable[str]]:
    def words(manifest: Manifest, kind: str) -> Iterable[str]:
        reads = manifest.reads[kind]  # type: ignore[index] # it came out of this manifest
        return [template.format(kind=kind, reads=reads)]

    return words


def _writes_words(*templates: str) -> Callable[[Manifest, str], Iterable[str]]:
    def words(manifest: Manifest, deed: str) -> Iterable[str]:
        verb = VERB_OF[deed]  # type: ignore[index] # it came out of this table
        writes = manifest.writes[verb]
        marker = writes.marker[0] if writes.marker else ""
        return [template.format(verb=verb, writes=writes, marker=marker) for template in templates]

    return words


CASES: tuple[Case, ...] = (
    Case(manners.made_in_silence),
    Case(manners.probe_keeps_to_the_manifest),
    Case(manners.closed_twice),
    Case(manners.no_secret_is_told),
    Case(manners.no_float),
    # reading
    Case(reading.kind_arrives, _kinds, _reads_word("reads {kind}")),
    Case(reading.names_arrive),
    Case(reading.amounts_are_exact),
    Case(reading.unreadable_amount, lambda _manifest: ("12,34,5", "47113.919", "n/a")),
    Case(reading.unknown_field),
    Case(reading.applications_arrive, _payments, _reads_word("reads {kind} applications {reads.applications}")),
    Case(reading.resumed),
    Case(reading.equal_stamps),
    Case(reading.changed_meanwhile),
    Case(reading.unchanged),
    Case(reading.whole_is_whole),
    Case(reading.changes_arrive, _kinds_by("changes"), _reads_word("reads {kind} by changes")),
    Case(reading.full_again, _kinds_by("full"), _reads_word("reads {kind} by full")),
    Case(reading.fetched, _kinds_by("ids"), _reads_word("reads {kind} by ids")),
    Case(reading.after_long, _kinds_by("window"), _reads_word("reads {kind} by window")),
    Case(reading.deletion_shows, _deleting, _reads_word("reads {kind} gone {reads.gone}")),
    Case(reading.late_stamps, _overlapping, _reads_word("reads {kind} overlap_s {reads.overlap_s}")),
    Case(reading.error_is_no_page, lambda _manifest: reading.TROUBLES),
    Case(reading.throttled, lambda _manifest: ("with Retry-After", "without Retry-After")),
    Case(reading.throttled_for_good),
    Case(reading.answer_does_not_come),
    Case(reading.token_ends),
    Case(reading.token_shared),
    Case(reading.consent_taken_back),
    Case(reading.totals_tie, lambda manifest: sorted(manifest.totals), lambda _manifest, whose: [f"totals {whose}"]),
    # writing
    Case(
        writing.booked_as_asked,
        _deeds,
        _writes_words("writes {verb}", "writes {verb} route direct", "writes {verb} target {writes.target}"),
    ),
    Case(writing.exact_bytes, _deeds),
    Case(
        writing.marked,
        _creating_marked,
        _writes_words("writes {verb} marker {marker}"),
    ),
    Case(writing.several_at_once, _deeds, _writes_words("writes {verb} calls_per_send {writes.calls_per_send}")),
    Case(writing.shared_answer_lost, _only("post_receipt", holds=_together)),
    Case(writing.each_for_itself, _only("post_receipt", holds=_together)),
    Case(
        writing.bundle_in_order,
        _deeds_where(lambda writes: writes.bundle == "intent"),
        _writes_words("writes {verb} bundle intent"),
    ),
    Case(writing.discount_used, _discounting),
    Case(writing.plan_is_pure, _deeds),
    Case(writing.wrong_currency, _only("post_receipt")),
    Case(writing.lost_after, _deeds, _writes_words("writes {verb} find {writes.find}")),
    Case(writing.lost_before, _deeds, _writes_words("writes {verb} retry after_find", "writes {verb} retry never")),
    Case(writing.late_answer, _only("post_receipt")),
    Case(
        writing.same_key,
        _deeds_where(lambda writes: writes.retry == "same_key"),
        _writes_words("writes {verb} retry same_key", "writes {verb} key_ttl_s {writes.key_ttl_s}"),
    ),
    Case(writing.nobody_there, _only("post_receipt")),
    Case(writing.refused, _deeds),
    Case(writing.stale, _changing),
    Case(
        writing.all_or_nothing,
        _only("post_receipt", holds=lambda writes: writes.atomic and writes.target != "customer"),
        _writes_words("writes {verb} atomic"),
    ),
    Case(writing.without_consent, _only("post_receipt")),
    Case(writing.find_never_writes, _deeds),
    Case(writing.not_mistaken, _only("post_receipt")),
    Case(writing.odd_names, _only("post_receipt")),
    Case(writing.undone, _one_document, _writes_words("writes {verb} undo {writes.undo}")),
)  # fmt: skip


def trials(manifest: Manifest) -> tuple[Trial, ...]:
    """Everything that a connector with this manifest is tried with."""
    return tuple(
        Trial(case, tried_with, frozenset(case.proves(manifest, tried_with)))
        for case in CASES
        for tried_with in (case.over(manifest) if case.over else [""])
    )


def unproven(manifest: Manifest, passed: Iterable[Trial]) -> tuple[str, ...]:
    """What the manifest declares and no passed trial proves."""
    proven = {word for trial in passed for word in trial.proves}
    return tuple(sorted(declared(manifest) - proven))
