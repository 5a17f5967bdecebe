"""Figures as pictures: where each bar and line stands, the sentence that says what it shows, and
the same numbers as a table. Places are percentages of the width, so that words keep their size."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from django.utils.formats import number_format
from django.utils.text import Truncator
from django.utils.translation import get_language_bidi, ngettext
from django.utils.translation import gettext as _

from clock import shown
from registrations import figures

WIDEST = 68
"""Of the width; the rest is for the number at the end of the bar."""
ROW, LABEL, BAR, SAID = 46, 14, 20, 13
"""How high a row is, and where in it the words, the bar and its number stand."""
GAP, MOST_LETTERS = 6, 44
COURSE_TOP, COURSE_HEIGHT = 26, 120
SENT_TOP, SENT_HEIGHT = 160, 40


@dataclass(frozen=True)
class Bar:
    label: str
    said: str
    x: str
    width: str
    start: str
    """Where a line begins in the reader's script."""
    end: str
    gap: int
    label_y: int
    y: int
    said_y: int


@dataclass(frozen=True)
class Plot:
    """`kind` names the template that draws it. `note` is said beneath."""

    key: str
    kind: str
    about: str
    finding: str
    headings: list[str]
    rows: list[list[str]]
    note: str = ""
    height: int = 0
    bars: list[Bar] = field(default_factory=list)
    course: "Course | None" = None


@dataclass(frozen=True)
class Mark:
    """A word at a place in time."""

    x: str
    said: str
    anchor: str


@dataclass(frozen=True)
class Column:
    x: str
    y: str
    width: str
    height: str


@dataclass(frozen=True)
class Course:
    """The delegations sent: all so far as a line, each day's as a column. Lines are drawn in a
    box of 100 by 100 that is stretched."""

    line: str
    area: str
    ahead: str
    columns: list[Column]
    now: Mark
    now_y: int
    close: Mark | None
    forecast: Mark | None
    first: Mark
    last: Mark


def number(n: int) -> str:
    return number_format(n, force_grouping=True)


def share(n: int, of: int) -> str:
    return _("%(n)s %%") % {"n": number(round(100 * n / of))}


def days(pace: figures.Pace) -> Plot:
    sent = pace.sent
    rows = [[shown.day(each.day), number(each.sent), number(each.so_far)] for each in pace.days]
    return Plot(
        key="days",
        kind="days",
        about=_("Delegations sent, day by day"),
        finding=_found_in_days(pace) if sent else _("Nobody has registered yet"),
        headings=[_("Day"), _("Sent"), _("Sent so far")],
        rows=rows,
        note=_forecast_said(pace),
        height=230,
        course=_course(pace) if sent else None,
    )


def categories(people: figures.People, names: Mapping[str, str]) -> Plot:
    counted = sorted(people.categories.items(), key=lambda row: (-row[1], row[0]))
    rows = [(_named(code, names), n) for code, n in counted]
    known = [(name, n) for (code, _n), (name, n) in zip(counted, rows, strict=True) if code]
    finding = _("Nobody has registered yet")
    if known:
        finding = _("“%(group)s” is the largest group: %(share)s of the people") % {
            "group": known[0][0],
            "share": share(known[0][1], people.may_come),
        }
    elif rows:
        finding = _("The stakeholder groups of the people are not known")
    return _of_people("categories", _("People by stakeholder group"), finding, rows)


def regions(people: figures.People, names: Mapping[str, str]) -> Plot:
    counted = sorted(people.regions.items(), key=lambda row: (-row[1], row[0]))
    known = [(code, n) for code, n in counted if code]
    of = people.may_come
    if not counted:
        finding = _("Nobody has registered yet")
    elif not known:
        finding = _("The regions of the people are not known")
    elif len(known) == 1:
        finding = _("%(share)s of the people come from %(region)s") % {
            "share": share(known[0][1], of),
            "region": names[known[0][0]],
        }
    else:
        finding = _("%(share)s of the people come from %(region)s and %(other)s") % {
            "share": share(known[0][1] + known[1][1], of),
            "region": names[known[0][0]],
            "other": names[known[1][0]],
        }
    rows = [(_named(code, names), n) for code, n in counted]
    return _of_people("regions", _("People by region of their organisation"), finding, rows)


def funnel(delegations: figures.Funnel, people: figures.People) -> Plot:
    """Delegations and people are each measured against the most of their own."""
    begun = delegations.begun
    of_delegations = [
        (_("Delegations begun"), begun),
        (_("Delegations with people entered"), delegations.with_people),
        (_("Delegations sent"), delegations.sent),
    ]
    of_people = [
        (_("People in the delegations sent"), people.sent),
        (_("People with a place"), people.with_a_place),
        (_("People who have confirmed"), people.confirmed),
    ]
    finding = ngettext(
        "Of %(begun)s delegation begun, %(sent)s has been sent",
        "Of %(begun)s delegations begun, %(sent)s have been sent",
        begun,
    ) % {"begun": number(begun), "sent": number(delegations.sent)}
    rows = of_delegations + of_people if begun else []
    bars = [*_bars(of_delegations), *_bars(of_people, after=len(of_delegations))]
    return Plot(
        key="funnel",
        kind="bars",
        about=_("How far they have come"),
        finding=finding if begun else _("Nobody has begun to register yet"),
        headings=[_("Step"), _("Number")],
        rows=[[label, number(n)] for label, n in rows],
        height=_height(rows),
        bars=bars if begun else [],
    )


def ages(people: figures.People) -> Plot:
    names = {
        "0-2": _("0 to 2 days"),
        "3-5": _("3 to 5 days"),
        "6-10": _("6 to 10 days"),
        "11": _("11 days and more"),
    }
    waiting, long = people.undecided, people.ages["11"]
    rows = [(names[age], people.ages[age]) for age in figures.AGES] if waiting else []
    if not waiting:
        finding = _("Nobody is undecided")
    elif long:
        finding = ngettext(
            "%(n)s person has been undecided for more than 10 days",
            "%(n)s people have been undecided for more than 10 days",
            long,
        ) % {"n": number(long)}
    else:
        most = 10 if people.ages["6-10"] else 5 if people.ages["3-5"] else 2
        finding = ngettext(
            "%(n)s person is undecided, for %(days)s days at most",
            "%(n)s people are undecided, nobody for more than %(days)s days",
            waiting,
        ) % {"n": number(waiting), "days": number(most)}
    return Plot(
        key="ages",
        kind="bars",
        about=_("Undecided people, by whole days since their delegation was sent"),
        finding=finding,
        headings=[_("Undecided for"), _("People")],
        rows=[[label, number(n)] for label, n in rows],
        height=_height(rows),
        bars=_bars(rows),
    )


def effects(told: Sequence[tuple[str, figures.Effect]]) -> Plot:
    """`told`: each reminder in words, and what came of it."""
    best = max(told, key=lambda row: row[1].registered / row[1].groups, default=None)
    finding = _("No group has been reminded yet")
    if best:
        finding = ngettext(
            "“%(reminder)s” brought most: %(n)s of %(groups)s group registered within 48 hours",
            "“%(reminder)s” brought most: %(n)s of %(groups)s groups registered within 48 hours",
            best[1].groups,
        ) % {
            "reminder": best[0],
            "n": number(best[1].registered),
            "groups": number(best[1].groups),
        }
    bars = [
        (
            words,
            100 * each.registered / each.groups,
            _("%(n)s of %(all)s") % {"n": number(each.registered), "all": number(each.groups)},
        )
        for words, each in told
    ]
    return Plot(
        key="effects",
        kind="bars",
        about=_("Groups that sent their delegation within 48 hours after a reminder"),
        finding=finding,
        headings=[_("Reminder"), _("Groups reminded"), _("Registered within 48 hours")],
        rows=[[words, number(each.groups), number(each.registered)] for words, each in told],
        height=_height(bars),
        bars=_drawn(bars),
    )


def languages(counted: Mapping[str, int], names: Mapping[str, str]) -> Plot:
    ordered = sorted(counted.items(), key=lambda row: (-row[1], row[0]))
    rows = [(names.get(code, code), n) for code, n in ordered]
    total = sum(counted.values())
    finding = _("There is no focal point yet")
    if rows:
        finding = _("%(share)s of the focal points read %(language)s") % {
            "share": share(rows[0][1], total),
            "language": rows[0][0],
        }
    return _shares(
        "languages", _("Languages of the focal points"), finding, rows, _("Focal points")
    )


def _named(code: str, names: Mapping[str, str]) -> str:
    return names.get(code, code) if code else _("Not known")


def _of_people(key: str, about: str, finding: str, rows: Sequence[tuple[str, int]]) -> Plot:
    note = _("Without people who were declined or replaced, or do not come.")
    return _shares(key, about, finding, rows, _("People"), note=note if rows else "")


def _shares(
    key: str,
    about: str,
    finding: str,
    rows: Sequence[tuple[str, int]],
    heading: str,
    note: str = "",
) -> Plot:
    total = sum(n for _name, n in rows)
    return Plot(
        key=key,
        kind="bars",
        about=about,
        finding=finding,
        headings=[_("Of what"), heading, _("Share")],
        rows=[[name, number(n), share(n, total)] for name, n in rows],
        note=note,
        height=_height(rows),
        bars=_bars(rows, of=total),
    )


def _height(rows: Sequence[object]) -> int:
    return ROW * len(rows)


def _bars(rows: Sequence[tuple[str, int]], *, of: int = 0, after: int = 0) -> list[Bar]:
    """The longest is that of the largest number; with `of`, each also says its share."""
    most = max((n for _name, n in rows), default=0) or 1
    said = [f"{number(n)} ({share(n, of)})" if of else number(n) for _name, n in rows]
    drawn = [(row[0], 100 * row[1] / most, words) for row, words in zip(rows, said, strict=True)]
    return _drawn(drawn, after=after)


def _drawn(rows: Iterable[tuple[str, float, str]], *, after: int = 0) -> list[Bar]:
    """Label, percentage of the longest bar, and what stands at its end. Where one reads from the
    right, bars grow from there."""
    from_right = get_language_bidi()
    bars = []
    for position, (label, percent, said) in enumerate(rows, start=after):
        width = percent * WIDEST / 100
        top = position * ROW
        bars.append(
            Bar(
                label=Truncator(label).chars(MOST_LETTERS),
                said=said,
                x=_at(100 - width if from_right else 0),
                width=_at(width),
                start=_at(100 if from_right else 0),
                end=_at(100 - width if from_right else width),
                gap=-GAP if from_right else GAP,
                label_y=top + LABEL,
                y=top + BAR,
                said_y=top + BAR + SAID,
            )
        )
    return bars


def _at(percent: float) -> str:
    """In the digits of SVG, whatever the language."""
    return f"{percent:.2f}%"


def _found_in_days(pace: figures.Pace) -> str:
    if not pace.paced_days:
        return ngettext(
            "%(n)s delegation has registered", "%(n)s delegations have registered", pace.sent
        ) % {"n": number(pace.sent)}
    return ngettext(
        "%(n)s delegation has registered, %(recent)s of them in the last seven days",
        "%(n)s delegations have registered, %(recent)s of them in the last seven days",
        pace.sent,
    ) % {"n": number(pace.sent), "recent": number(pace.recent)}


def _forecast_said(pace: figures.Pace) -> str:
    if pace.forecast is None:
        return ""
    if pace.paced_days < figures.WEEK:
        words = ngettext(
            "At the pace since registration opened, %(n)s delegation will have registered by the "
            "close.",
            "At the pace since registration opened, about %(n)s delegations will have registered "
            "by the close.",
            pace.forecast,
        )
    else:
        words = ngettext(
            "At the pace of the last seven days, %(n)s delegation will have registered by the "
            "close.",
            "At the pace of the last seven days, about %(n)s delegations will have registered by "
            "the close.",
            pace.forecast,
        )
    return words % {"n": number(pace.forecast)}


def _course(pace: figures.Pace) -> Course:
    """Time runs from the left in every script."""
    first = min(filter(None, [pace.days[0].day, pace.opened_on]))
    last = max(filter(None, [pace.days[-1].day, pace.today, pace.closes_on]))
    if pace.closes_on and pace.closes_on < pace.today:
        last = max(pace.closes_on, pace.days[-1].day)
    span = (last - first).days + 1
    most = max(pace.sent, pace.forecast or 0)
    most_a_day = max(each.sent for each in pace.days)
    until = min(pace.today, last)

    def x(day: date, *, of_day: float = 1) -> float:
        return 100 * ((day - first).days + of_day) / span

    points = [(0.0, 100.0)]
    for each in pace.days:
        before = points[-1][1]
        points += [(x(each.day, of_day=0), before), (x(each.day), _down(each.so_far, most))]
    points.append((max(x(until), points[-1][0]), points[-1][1]))
    end = points[-1]
    ahead, forecast = "", None
    if pace.forecast is not None and pace.closes_on:
        close_x = x(pace.closes_on)
        ahead = _path([end, (close_x, _down(pace.forecast, most))])
        forecast = _mark(close_x, number(pace.forecast))
    columns = [
        Column(
            x=_at(x(each.day, of_day=0.1)),
            y=f"{SENT_TOP + SENT_HEIGHT * (1 - each.sent / most_a_day):.2f}",
            width=_at(80 / span),
            height=f"{SENT_HEIGHT * each.sent / most_a_day:.2f}",
        )
        for each in pace.days
    ]
    close = None
    if pace.closes_on:
        close = _mark(x(pace.closes_on), _("Close"))
    return Course(
        line=_path(points),
        area=f"{_path([*points, (end[0], 100.0)])}Z",
        ahead=ahead,
        columns=columns,
        now=Mark(_at(end[0]), number(pace.sent), "end" if end[0] > 10 else "start"),
        now_y=round(COURSE_TOP + COURSE_HEIGHT * end[1] / 100) - GAP,
        close=close,
        forecast=forecast,
        first=Mark(_at(0), short_day(first), "start"),
        last=Mark(_at(100), short_day(last), "end"),
    )


def short_day(day: date) -> str:
    """“7 Feb”"""
    return _("%(day)s %(month)s") % {"day": day.day, "month": shown.month_short(day)}


def _down(n: float, most: int) -> float:
    return 100 - 100 * n / most if most else 100.0


def _path(points: Iterable[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in points)


def _mark(x: float, said: str) -> Mark:
    return Mark(_at(x), said, "end" if x > 50 else "start")
