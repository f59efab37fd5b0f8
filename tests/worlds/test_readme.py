"""The sessions of the README and the how-tos are real: they are run, and print what the pages say."""

import pytest

from arsync import demo
from tests.house.sources import ROOT
from tests.worlds.pages import BLOCK, SEED, TODAY, WORLD, play, regenerating, served_again, served_xero
from tests.worlds.standing import clock_of, furnish, stand, toured

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "how-to").glob("*.md"))]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def templates(tmp_path_factory):
    """Folders to copy, made when a page first asks for them: after set-up, and after the tour."""
    made, clock = {}, clock_of(TODAY)

    def template(kind):
        if kind not in made:
            folder = tmp_path_factory.mktemp("pages") / kind
            with pytest.MonkeyPatch.context() as patch:
                stand(patch, clock)
                {"fresh": furnish, "toured": toured, "not-connected": not_connected}[kind](
                    folder, clock, SEED
                )
            made[kind] = folder
        return made[kind]

    return template, clock


def not_connected(folder, clock, seed):
    """Right after `arsync init`, with the app's id and secret written down."""
    furnish(folder, clock, seed, connected=False)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_prints_what_it_says(page, templates, tmp_path, monkeypatch):
    text = page.read_text("utf-8")
    (kind,) = set(WORLD.findall(text))
    template, clock = templates
    folder = tmp_path / "books"
    with (
        served_xero(folder, clock) if kind == "xero" else served_again(template(kind), folder, clock) as world
    ):
        stand(monkeypatch, clock)
        monkeypatch.chdir(folder)
        monkeypatch.setenv("ARSYNC_USER", demo.ADMIN)
        now = play(text, world)
    if regenerating():
        page.write_text(now, encoding="utf-8")
        return
    assert now == text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_something_to_run(page):
    assert BLOCK.search(page.read_text("utf-8"))
