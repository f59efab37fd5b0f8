"""The suite as pytest runs it: subclass, name the connector, give a bench.

    from arsync.testing import conformance

    class TestPebble(conformance.Suite):
        connector = PebbleConnector

        @staticmethod
        def bench(clock):
            return pebble_bench(clock)  # a context manager that yields an arsync.testing.Bench

Every promise of the contract becomes one test per kind, verb or fault it is about, named by a sentence. The last test
fails when the manifest declares what no test before it has proven. With pytest-xdist: `--dist loadscope`.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, ClassVar

import pytest

from arsync.connectors.contract import Connector
from arsync.testing.bench import Bench
from arsync.testing.cases import Trial, promise, trials, unproven
from arsync.testing.files import FILE_CASES, FileBench
from arsync.testing.ports import Clock
from arsync.testing.verdicts import NotExercised


class Suite:
    """Subclass this, as `TestMyPlatform`."""

    connector: ClassVar[type[Connector]]
    tried: ClassVar[set[Trial]]  # in this process
    passed: ClassVar[set[Trial]]  # the evidence; each suite has its own

    @staticmethod
    def bench(clock: Clock) -> AbstractContextManager[Bench]:
        """New books behind a running simulator that lives on this clock."""
        raise NotImplementedError("give your suite a bench")

    def __init_subclass__(cls) -> None:
        """Each suite has its own evidence."""
        cls.tried, cls.passed = set(), set()

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """One test for each thing that the manifest calls for."""
        if "trial" in metafunc.fixturenames:
            wanted = trials(type(self).connector.manifest)
            metafunc.parametrize("trial", wanted, ids=[trial.name for trial in wanted])

    def test_that(self, trial: Trial) -> None:
        """One promise of the contract."""
        if reason := self._try(trial):
            pytest.skip(reason)

    def _try(self, trial: Trial) -> str:
        """Why the trial showed nothing; empty if it passed."""
        type(self).tried.add(trial)
        try:
            trial.run(self.connector, self.bench)
        except NotExercised as reason:
            return str(reason)
        type(self).passed.add(trial)
        return ""

    def test_what_the_manifest_declares_is_proven(self, request: pytest.FixtureRequest) -> None:
        """A declared capability without a passing case is a lie, or unknown to this suite."""
        mine = [item for item in request.session.items if getattr(item, "cls", None) is type(self)]
        if len(mine) <= len(trials(self.connector.manifest)):
            pytest.skip("some tests of this suite were not selected; evidence needs all of them")
        lacking = unproven(self.connector.manifest, type(self).passed)
        # Where tests are spread over processes, others may have tried the rest: what is still needed is tried again.
        for trial in trials(self.connector.manifest):
            if (
                trial not in self.tried
                and unproven(self.connector.manifest, {trial, *self.passed}) != lacking
            ):
                self._try(trial)
                lacking = unproven(self.connector.manifest, self.passed)
        assert not lacking, f"declared, and not proven by any passed case: {', '.join(lacking)}"


def _ways() -> list[Any]:  # pytest does not export the type of its parameters
    """Every promise of a file reader, with each thing it is tried with."""
    return [
        pytest.param(case, way, id=" ".join(filter(None, [promise(case), way])))
        for case, ways in FILE_CASES
        for way in ways or ("",)
    ]


class FileSuite:
    """What every reader of bank files must pass; subclass this, as `TestMyFormat`, and give a bench."""

    bench: ClassVar[FileBench]

    @pytest.mark.parametrize(("case", "tried_with"), _ways())
    def test_that(self, case: Callable[..., None], tried_with: str) -> None:
        """One promise."""
        case(self.bench, *([tried_with] if tried_with else []))
