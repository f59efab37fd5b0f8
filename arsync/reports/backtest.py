"""The back-test for people: what a policy would have done alone, how often wrong, and how true its probabilities are.

Units   shares in per cent with one digit; amounts in the currency they came in.
"""

from collections.abc import Sequence

from arsync.core.matching.backtest import Band, Case, Quality
from arsync.core.money import Money
from arsync.output import PLAIN, Cell, Screen, counted, grid

_SHOWN = 20
_SIDE, _EDGE = 320, 40  # pixels of the plot


def lines(
    now: Quality, then: Quality | None, moved: Sequence[tuple[Case, Case]], screen: Screen = PLAIN
) -> list[str]:
    """The figures, beside those of the proposed policy where there is one, and what would have changed."""
    columns = [_figures(now)] + ([_figures(then)] if then else [])
    head = ("", "In force", *(("Proposed",) if then else ()))
    names = [name for name, _ in columns[0]]
    body: list[tuple[Cell, ...]] = [
        (name, *(column[place][1] for column in columns)) for place, name in enumerate(names)
    ]
    told = [*grid(head, body, screen), "", *calibration((then or now).bands, screen)]
    if then:
        told += ["", f"{counted(len(moved), 'receipt')} would have been treated differently"]
    if moved:
        told += grid(("", "Amount", "Date", "Payer", "In force", "Proposed", ""), _moved(moved), screen)
    more = len(moved) - _SHOWN
    return [*told, f"and {more:,} more"] if more > 0 else told


def _figures(quality: Quality) -> list[tuple[str, Cell]]:
    low, high = quality.wrong_rate
    figures: list[tuple[str, Cell]] = [
        ("receipts with a known answer", f"{quality.receipts:,}"),
        ("applied alone", f"{quality.alone:,}  {_per_cent(quality.alone, quality.receipts)}"),
        ("  of them wrong", f"{quality.wrong:,}  {10_000 * low:.0f} to {10_000 * high:.0f} in 10,000"),
        ("  payments right", _share(quality.alone - quality.wrong, quality.alone)),
        ("  invoice lines right", _share(quality.lines[1], quality.lines[0])),
        ("  customers right", _share(quality.customers[1], quality.customers[0])),
    ]
    for currency, (minor, right) in sorted(quality.value_minor.items()):
        figures.append(
            (f"  value right, {currency}", f"{Money(right, currency).grouped()}  {_per_cent(right, minor)}")
        )
    figures.append(
        ("suggestions right, of those left to a person", _share(quality.suggested[1], quality.suggested[0]))
    )
    return figures


def calibration(bands: Sequence[Band], screen: Screen = PLAIN) -> list[str]:
    """How often explanations of about one probability were right."""
    body: list[tuple[Cell, ...]] = [
        (f"{band.stated:.1%}", _per_cent(band.right, band.number), band.number) for band in bands
    ]
    return grid(("Stated", "Right", "Cases"), body, screen)


def plot(bands: Sequence[Band]) -> str:
    """The same as a picture (SVG): what lies on the diagonal is true; the larger, the more cases."""
    most = max((band.number for band in bands), default=1)
    dots = "".join(
        f'<circle cx="{_EDGE + _SIDE * band.stated:.1f}" cy="{_EDGE + _SIDE * (1 - band.right / band.number):.1f}" '
        f'r="{3 + 9 * (band.number / most) ** 0.5:.1f}"><title>{band.stated:.1%} stated, '
        f"{_per_cent(band.right, band.number)} right, {band.number} cases</title></circle>"
        for band in bands
    )
    far, whole = _EDGE + _SIDE, 2 * _EDGE + _SIDE
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {whole}">'
        '<g font-family="sans-serif" font-size="12">'
        f'<rect width="{whole}" height="{whole}" fill="white"/>'
        f'<path d="M{_EDGE} {_EDGE}V{far}H{far}" fill="none" stroke="black"/>'
        f'<path d="M{_EDGE} {far}L{far} {_EDGE}" stroke="silver"/>'
        f'<text x="{_EDGE + _SIDE // 2}" y="{far + 28}" text-anchor="middle">stated probability</text>'
        f'<text x="{_EDGE - 8}" y="{_EDGE - 12}">right</text>'
        f'<g fill="steelblue" fill-opacity="0.7">{dots}</g></g></svg>\n'
    )


def _moved(moved: Sequence[tuple[Case, Case]]) -> list[tuple[Cell, ...]]:
    return [
        (
            f"R-{one.past.receipt.id}",
            Money(one.past.receipt.amount_minor, one.past.receipt.currency),
            one.past.receipt.on,
            one.past.receipt.payer_name,
            one.decision.verdict.value,
            other.decision.verdict.value,
            ("right" if other.right else "WRONG") if other.alone else "",
        )
        for one, other in moved[:_SHOWN]
    ]


def _share(right: int, number: int) -> str:
    return f"{right:,} of {number:,}  {_per_cent(right, number)}"


def _per_cent(part: int, whole: int) -> str:
    """Rounded down: 100.0 % means every one."""
    return f"{1000 * part // whole / 10:.1f} %" if whole else "-"
