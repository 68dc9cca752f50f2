"""How times, people and severities look in words. Pure: `now` is an argument."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

SEVERITIES: Mapping[int, str] = MappingProxyType({1: "critical", 2: "high", 3: "medium", 4: "low"})
LANGUAGES: Mapping[str, str] = MappingProxyType(
    {"en": "English", "es": "Spanish", "vi": "Vietnamese", "zh": "Chinese", "ht": "Haitian Creole"}
)
LANGUAGE_CHIPS: Mapping[str, str] = MappingProxyType({"es": "SP", "vi": "VI", "zh": "ZH"})
SEXES: Mapping[str, str] = MappingProxyType({"female": "F", "male": "M", "other": "X"})
SOON = timedelta(minutes=30)
ABBREVIATIONS = frozenset({"copd", "ckd", "cti", "pace", "pcmh", "nfp", "chw", "aco"})
HOUR, DAY = 3600, 86400


class Named:
    """Whoever has a family and a given name, which rows and records give as fields."""

    __slots__ = ()
    family_name: str
    given_name: str

    @property
    def name(self) -> str:
        """FAMILY, Given."""
        return f"{self.family_name.upper()}, {self.given_name}"


def severity(level: int, technical: bool = False) -> str:  # noqa: FBT001, FBT002 -- a template filter
    """Return the word (and CSS name) of a severity; device alerts have their own."""
    return "device" if technical else SEVERITIES.get(level, "low")


def span(seconds: float) -> str:
    """Return a time span: 5:11, 2 h 05, 3 d."""
    whole = int(abs(seconds))
    if whole < HOUR:
        return f"{whole // 60}:{whole % 60:02d}"
    if whole < 2 * DAY:
        return f"{whole // HOUR} h {whole % HOUR // 60:02d}"
    return f"{whole // DAY} d"


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """The respond-in cell: time, word, bar."""

    time: str
    word: str
    left: float
    """Share of the time that is left, 0 to 1; late: 1."""
    is_late: bool
    is_soon: bool


def respond(due_at: datetime, opened_at: datetime, now: datetime) -> Respond:
    """Return how long there is to respond."""
    seconds = (due_at - now).total_seconds()
    whole = max((due_at - opened_at).total_seconds(), 1)
    late = seconds < 0
    return Respond(
        time=span(seconds),
        word="late" if late else "left",
        left=1 if late else min(1, seconds / whole),
        is_late=late,
        is_soon=not late and seconds < 0.2 * whole,
    )


def age(born: date, today: date) -> int:
    """Return whole years."""
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def day(when: date) -> str:
    """Return 12-Mar-1952: the month in letters, so that nobody swaps it with the day."""
    return f"{when:%d-%b-%Y}"


def clock(when: datetime, zone: str) -> str:
    """Return 23 Nov 09:02 in the clinic's zone."""
    return f"{when.astimezone(ZoneInfo(zone)):%-d %b %H:%M}"


def ago(when: datetime, now: datetime) -> str:
    """Return 9m ago, 1h ago, 3d ago."""
    seconds = (now - when).total_seconds()
    if seconds < 60:  # noqa: PLR2004 -- a minute
        return "just now"
    if seconds < HOUR:
        return f"{int(seconds // 60)}m ago"
    if seconds < 2 * DAY:
        return f"{int(seconds // HOUR)}h ago"
    return f"{int(seconds // DAY)}d ago"


def initials(name: str) -> str:
    """Return MR for Maya Reyes."""
    words = [word for word in name.split() if word[:1].isalpha()]
    return "".join(word[0] for word in [*words[:1], *words[1:][-1:]]).upper()


def first_name(name: str) -> str:
    """Return Kim for Kim Lee."""
    return (name.split(maxsplit=1) or [name])[0]


def mrn(number: str) -> str:
    """Return a record number in groups that can be read aloud."""
    digits = number.replace(" ", "")
    return f"{digits[:3]} {digits[3:]}" if digits.isdigit() and len(digits) > 5 else number  # noqa: PLR2004 -- short numbers stay


@dataclass(frozen=True, slots=True, kw_only=True)
class Spark:
    """A sparkline as SVG attributes in a box of 88 by 26."""

    points: str
    last_x: float
    last_y: float
    band_y: float
    band_height: float


WIDTH, TOP, BOTTOM = 84.0, 3.0, 23.0


def spark(values: Sequence[float], low: float | None = None, high: float | None = None) -> Spark:
    """Lay out the last values, and the target band where there is one."""
    edges = [edge for edge in (low, high) if edge is not None]
    least, most = min([*values, *edges]), max([*values, *edges])
    span = (most - least) or 1

    def at(value: float) -> float:  # divided first: a span may be too small to divide by
        return BOTTOM - (value - least) / span * (BOTTOM - TOP)

    step = WIDTH / max(len(values) - 1, 1)
    ys = [at(value) for value in values]
    points = " ".join(f"{2 + i * step:.1f},{y:.1f}" for i, y in enumerate(ys))
    upper = TOP if high is None else at(high)
    lower = BOTTOM if low is None else at(low)
    return Spark(
        points=points,
        last_x=round(2 + (len(values) - 1) * step, 1),
        last_y=round(ys[-1], 1),
        band_y=round(upper - 2, 1),
        band_height=round(lower - upper + 4, 1) if edges else 0,
    )


def number(count: int) -> str:
    """Return 12,000."""
    return f"{count:,}"


def humane(word: str) -> str:
    """Return heart_failure as Heart failure, copd as COPD."""
    text = word.replace("_", " ").replace("-", " ").strip()
    if text in ABBREVIATIONS:
        return text.upper()
    return text[:1].upper() + text[1:]


FILTERS: Mapping[str, Callable[..., object]] = MappingProxyType(
    {
        "severity": severity,
        "span": span,
        "age": age,
        "day": day,
        "clock": clock,
        "ago": ago,
        "initials": initials,
        "first_name": first_name,
        "mrn": mrn,
        "number": number,
        "humane": humane,
        "language": lambda code: LANGUAGES.get(code, code),
        "language_chip": lambda code: LANGUAGE_CHIPS.get(code, code[:2].upper()),
        "sex_letter": lambda sex: SEXES.get(sex, "?"),
    }
)
