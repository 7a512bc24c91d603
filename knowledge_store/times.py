"""Times as logs write them: what a person reads in them without doubt, and nothing else.

A column is read as one: whether its numbers are spreadsheets' days, and which of day and month comes first in it, its
values say together.
"""

import calendar
import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

EARLIEST = 1990
"""The first year that events may be of: before it nobody logged any, and what reads so is a mistake."""
_DAY = 86_400
_FURTHEST = 14
"""Hours that a zone is from UTC at most."""
_SERIAL_EPOCH = datetime(1899, 12, 30, tzinfo=UTC)
"""Day 0 of spreadsheets, as they count from March 1900 on (ECMA-376, 18.17.4.1)."""
_ZONES = {
    **{"UTC": 0, "GMT": 0, "Z": 0, "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3},
    **{"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7, "JST": 9, "KST": 9},
}
"""Hours from UTC; the American ones as RFC 2822 (4.3) has them."""
_OF_SEVERAL = frozenset(("CST", "IST", "BST"))
"""What the zones of Chicago, Shanghai and Havana are called, those of India, Israel and Ireland, and the summer of
Britain beside Bangladesh, by whoever writes the time of where it stands (Java, Go, Unix's `date`)."""
_ZONED = re.compile(r"^(.*?)\s*\(?([A-Z]{1,5})\)?$")
_PLACE = re.compile(r"\s*(?:\[([A-Z][A-Za-z]+/[A-Za-z_/]+)\]|\s([A-Z][A-Za-z]+/[A-Za-z_/]+))$")
_HALF_OF_DAY = re.compile(r"(\d{4}-\d{2}-\d{2}[ T])(\d{1,2})(:\d{2}(?::\d{2})?)\s*([AaPp])\.?[Mm]\.?")
_CLOCK_WITH_OFFSET = re.compile(
    r"(?P<time>.*\d[:.h]\d{2}(?:[.,]\d+)?(?:\s*[AaPp]\.?[Mm]\.?)?)\s*(?P<zone>(?:GMT|UTC)?\s?[+-]\d{1,2}(?::?\d{2})?)"
    r"(?:\s*\([^()]*\))?"
)
"""A time of day and how far it is from UTC: "10:00 +0200", "10:00:00 AM GMT-4", what JavaScript makes of a date."""
_OFFSET = re.compile(r"(?:UTC|GMT)?\s?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?")
_DISTANCE_BEFORE = re.compile(r"^\((?:UTC|GMT)(?:[+-]\d{1,2}:?\d{2})?\)\s*")
_OF_AMERICA = re.compile(r"\s*\((?:us|u\.s\.|usa|us ?(?:&|and) ?canada|canada)\)$")
"""Before and behind a zone's name, as lists to choose from have it."""
_OF_COLUMN = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]\s*$")
_OF_SERVER = re.compile(r"(\d{1,2})/([A-Za-z]{3})/(\d{4}):")
"""The day in a web server's log: 10/Oct/2023:13:55:36 (Common Log Format)."""
_ENDS_IN_LETTERS = re.compile(r"\d\s*\(?[^\W\d_]+\)?$")
_ZONE_BEFORE_YEAR = re.compile(r"\b([A-Z]{1,5})\s+((?:19|20)\d\d)$")
_COMPACT_FORMS = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
_COMPACT = re.compile(r"(?:19|20)\d{6}(?:\d{4}(?:\d{2})?)?")
_HOUR = re.compile(r"(?:19|20)\d{8}")
"""A day and an hour of it (Google Analytics): 2026110322. Until 2033 it is no Unix time of a year that counts."""
_CLOCK = r"(?:[ T,]+(\d{1,2}):(\d{2})(?::(\d{2}(?:[.,]\d+)?))?\s*([AaPp]\.?[Mm]\.?)?)?"
_IN_WORDS = re.compile(
    r"(?P<day>.*\d\.?)(?:,?\s+(?:[-–]|at|um|à|a las|alle|om|kl\.?|den)\s+|[\sT,]\s*)"
    r"(?P<hour>\d{1,2})(?:[:.]|\s?[hH]\s?)(?P<minute>\d{2})"
    r"(?:(?:[:.]|\s?m(?:in)?\s?)(?P<second>\d{2})(?:[.,:](?P<part>\d{1,9}))?\s?s?)?"
    r"(?:\s*(?:Uhr|uur|hrs?|h))?(?P<half>\s*[AaPp]\.?[Mm]\.?)?"
    r"(?:\s*(?:UTC|GMT)?\s?(?P<zone>Z|[+-]\d{1,2}(?::?\d{2})?))?"
)
"""A day with a clock as people write it: "14h05", "14.05 Uhr", "- 14:05", "14:05 UTC+1"."""
_FULL_HOUR = re.compile(r"(?<=\d)(\D*\s)(\d{1,2})\s?(?:[hH]|heures?|Uhr|uur|час(?:ов|а)?|時|时|点)\.?$")
"""A full hour behind a day: "à 9h", "9 Uhr"."""
_OF_DOTNET = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_NUMERIC = re.compile(rf"(\d{{1,2}})([./-]) ?(\d{{1,2}})\2 ?(\d{{4}}|\d{{2}}){_CLOCK}")
_YEAR_FIRST = re.compile(rf"(\d{{4}})([./ -])(\d{{1,2}})\2(\d{{1,2}})\.?{_CLOCK}")
_ENGLISH = {
    name[:length].casefold(): number
    for number, name in enumerate(calendar.month_name)
    for length in (3, 4, len(name))
    if name
}
_WORD = r"[^\W\d_]{2,12}"
_NAMED = re.compile(
    rf"(?:{_WORD}\.?,?\s+)?"
    rf"(?:(\d{{1,2}})(?:st|nd|rd|th|er|\.)?(?:[\s-]|(?<=\.))(?:de\s+)?({_WORD})\.?"
    rf"|({_WORD})\.?(?:\s+|-(?=\d{{1,2}}-))(\d{{1,2}})(?:st|nd|rd|th)?,?)"
    rf"[\s-]\s?(?:de\s+)?(\d{{4}}|\d{{2}}(?=$|\s))(?:\s?г\.)?,?{_CLOCK}"
)
_LANGUAGES = (
    *("en", "de", "fr", "es", "it", "nl", "pt", "sv", "da", "nb", "fi", "pl", "cs", "sk", "hu", "ro", "tr", "ru", "uk"),
    *("bg", "hr", "sl", "el", "lt", "lv", "et", "id"),
)
_BY_SIGNS = str.maketrans({"年": "-", "月": "-", "日": " ", "时": ":", "時": ":", "分": ":", "秒": ""})

_ORDINAL = re.compile(r"\A(\d{4})-(\d{3})(?=\Z|[T ])")
"""A year and a day of it (ISO 8601)."""
_MONTHS, _HOURS, _LEAP = 12, 24, 60

Order = Literal["day", "month", ""]


class _UnclearError(Exception):
    """A time is of a zone that may be one of several."""


class _Unclear(tzinfo):
    """A zone whose letters several places use: that of `place`, where they are what it is called there then."""

    def __init__(self, letters: str, place: tzinfo | None = None) -> None:
        self._letters, self._place = letters, place

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        place = self._place
        if moment is None or place is None or moment.replace(tzinfo=place).tzname() != self._letters:
            raise _UnclearError(self._letters)
        return moment.replace(tzinfo=place).utcoffset()

    def tzname(self, moment: datetime | None) -> str:
        return self._letters

    def dst(self, moment: datetime | None) -> timedelta | None:
        return None


def _day_of_year(found: re.Match[str]) -> str:
    """2026-068 as a day of a month; as it stands where the year has no such day."""
    day = datetime(int(found[1]), 1, 1) + timedelta(days=int(found[2]) - 1)
    return f"{day:%Y-%m-%d}" if day.year == int(found[1]) else found[0]


class Clock(NamedTuple):
    """How a column's times are read. serial: its numbers are days of a spreadsheet. order: which of day and month
    comes first where both are numbers; "" where no value says. zone: of times that name none."""

    serial: bool = False
    order: Order = ""
    zone: tzinfo = UTC

    @classmethod
    def of(cls, values: Iterable[Any], name: str = "") -> "Clock":
        """By values of the column, and its name, which may say their zone: "Created (America/New_York)"."""
        seen = [value for value in values if value not in (None, "")]
        numbers = [number for value in seen if (number := _number(value)) is not None]
        latest = (datetime.now(UTC) - _SERIAL_EPOCH).days + 366
        first = (datetime(EARLIEST, 1, 1, tzinfo=UTC) - _SERIAL_EPOCH).days
        serial = bool(numbers) and len(numbers) == len(seen) and all(first <= one <= latest for one in numbers)
        orders = {order for value in seen if isinstance(value, str) and (order := _order(value, dots=False))}
        named = _OF_COLUMN.search(name)
        zone = zone_of(named[1]) if named else None
        return cls(serial, orders.pop() if len(orders) == 1 else "", zone or UTC)

    def all_seconds(self, values: Sequence[Any]) -> Sequence[int] | None:
        """The values, if they are whole seconds all of them, as `read` would give them back."""
        if self.serial or set(map(type, values)) != {int}:
            return None
        first, last = min(values), max(values)
        return values if max(_SECONDS, _FIRST) <= first and last < min(10 * _SECONDS, _LAST) else None

    def read(self, value: Any) -> float | str:
        """Unix seconds, or why it is none.

        A number of seconds (or milli-, micro-, nanoseconds, by its size), ISO 8601 with zone or in UTC, RFC 2822, a
        month by its name, compact digits, or numbers whose order cannot be misread.
        """
        try:
            return self._read(value)
        except _UnclearError as error:
            return (
                f"its time zone {error} is that of several places (a distance from UTC says which: -06:00, +08:00; or "
                "a column timezone: America/Chicago, Asia/Shanghai)"
            )

    def _read(self, value: Any) -> float | str:
        if isinstance(value, datetime):
            return _checked((value if value.tzinfo else value.replace(tzinfo=self.zone)).timestamp())
        if type(value) is int and not self.serial and _SECONDS <= value < _LAST:
            return _checked(value)  # the commonest, and no compact digits
        text = str(value).strip()
        if _HOUR.fullmatch(text) and int(text) >= _LAST:
            hour = self._read_at(datetime.strptime, text, "%Y%m%d%H", zone=self.zone)
            return hour if isinstance(hour, float) else _checked(int(text))
        if _COMPACT.fullmatch(text):
            return self._read_at(datetime.strptime, text, _COMPACT_FORMS[len(text)], zone=self.zone)
        number = _number(value)
        if number is not None:
            if self.serial:
                return _checked((_SERIAL_EPOCH + timedelta(days=number)).replace(tzinfo=self.zone).timestamp())
            since = next((parts for parts, *years in _SINCE_1601 if years[0] <= number < years[1]), 0.0)
            if since:
                number = number / since - _FROM_1601
            elif _FIRST_TICKS <= number < _LAST_TICKS:
                number = number / _TICKS - _YEARS_BEFORE
            while abs(number) > _LARGEST_SECONDS:
                number /= 1000
            return _checked(number)
        if "年" in text:
            text = re.sub(r"\b(\d)\b", r"0\1", " ".join(text.translate(_BY_SIGNS).split()).rstrip(": "))
        text = _FULL_HOUR.sub(r"\1\2:00", text)
        text, zone = _OF_SERVER.sub(r"\1 \2 \3 ", text), self.zone
        if named := _PLACE.search(text):
            place = zone_of(named[1] or named[2])
            if place is None:
                return "its time cannot be read"
            text, zone = text[: named.start()].strip(), place
        if half := _HALF_OF_DAY.fullmatch(text):
            hour = int(half[2]) % 12 + 12 * (half[4][0] in "Pp")
            text = f"{half[1]}{hour:02d}{half[3]}"
        text = _ORDINAL.sub(_day_of_year, text)
        text = _ZONE_BEFORE_YEAR.sub(r"\2 \1", text)
        if (zoned := _ZONED.match(text)) and zoned[2] in _ZONES:
            text, zone = zoned[1], timezone(timedelta(hours=_ZONES[zoned[2]]))
        elif offset := _CLOCK_WITH_OFFSET.fullmatch(text):
            text, zone = offset["time"], zone_of(offset["zone"]) or zone
        elif zoned and zoned[2] in _OF_SEVERAL:
            text, zone = zoned[1], _Unclear(zoned[2], self.zone)
        if ms := _OF_DOTNET.fullmatch(text):
            return _checked(int(ms[1]) / 1000)
        found = self._in_words(text, zone)
        if isinstance(found, str) and (clock := _IN_WORDS.fullmatch(text)):
            if said := clock["zone"]:
                zone = zone_of(said) or zone
            seconds = f"{clock['second'] or '00'}.{clock['part'] or '0'}"
            day = clock["day"].rstrip(" ,")
            found = self._in_words(f"{day} {clock['hour']}:{clock['minute']}:{seconds}{clock['half'] or ''}", zone)
        return found

    def _in_words(self, text: str, zone: tzinfo) -> float | str:
        try:
            if text[13:14] not in (".", ","):  # ISO 8601 would read 14.05 as a part of an hour
                found = datetime.fromisoformat(text)
                return _checked((found if found.tzinfo else found.replace(tzinfo=zone)).timestamp())
        except ValueError:
            pass
        parts: tuple[int, int, int] | None = None
        clock: tuple[str | None, ...] = ()
        if match := _YEAR_FIRST.fullmatch(text):
            parts, clock = (int(match[1]), int(match[3]), int(match[4])), match.groups()[4:]
        elif match := _NUMERIC.fullmatch(text):
            one, other, year = int(match[1]), int(match[3]), int(match[4])
            if min(one, other) > _MONTHS:
                return "its time cannot be read"
            if match[2] == "-" and len(match[4]) < 4:
                return "its day, month and year may be any way round"
            order = _order(text) or self.order
            if not order:
                return "its day and month may be either way round (--day-first or --month-first says which)"
            year += 2000 if year < 100 else 0
            parts, clock = (year, other, one) if order == "day" else (year, one, other), match.groups()[4:]
        elif (match := _NAMED.fullmatch(text)) and (month := _month(match[2] or match[3])):
            year = int(match[5]) + (2000 if len(match[5]) < 4 else 0)
            parts, clock = (year, month, int(match[1] or match[4])), match.groups()[5:]
        if parts is None:
            try:
                found = parsedate_to_datetime(text)
            except ValueError:
                return "its time cannot be read"
            if found.tzinfo is None and _ENDS_IN_LETTERS.search(text):
                return "its time zone cannot be read"
            return _checked((found if found.tzinfo else found.replace(tzinfo=zone)).timestamp())
        hour, minute = (int(part or 0) for part in clock[:2])
        second, _, part = (clock[2] or "0").replace(",", ".").partition(".")
        if half := clock[3]:
            hour = hour % 12 + 12 * (half[0] in "Pp")
        microsecond = int(part[:6].ljust(6, "0"))
        return self._read_at(datetime, *parts, hour, minute, int(second), microsecond, zone=zone)

    @staticmethod
    def _read_at(make: Any, *parts: Any, zone: tzinfo = UTC) -> float | str:
        more = timedelta(0)
        if make is datetime and parts[3:6] == (_HOURS, 0, 0):
            parts, more = parts[:3], timedelta(days=1)  # the end of a day
        elif make is datetime and parts[5:6] == (_LEAP,):
            parts, more = (*parts[:5], _LEAP - 1), timedelta(seconds=1)
        try:
            return _checked((make(*parts).replace(tzinfo=zone) + more).timestamp())
        except ValueError:
            return "its time cannot be read"


_TICKS, _YEARS_BEFORE = 1e7, 62_135_596_800
_FIRST_TICKS, _LAST_TICKS = (int((_YEARS_BEFORE + year * 365.2425 * _DAY) * _TICKS) for year in (20, 80))
"""What .NET counts, ten million a second from the year 1 on (DateTime.Ticks), of 1990 to 2050: as nanoseconds these
would be days of the first months of 1990."""
_FROM_1601 = 11_644_473_600
_SINCE_1601 = tuple(
    (parts, *((_FROM_1601 + year * 365.2425 * _DAY) * parts for year in (20, 80))) for parts in (1e7, 1e6)
)
"""Seconds from 1601 to 1970, and what Windows (FILETIME) and browsers (WebKit) count from then on in parts of a second,
of 1990 to 2050: as Unix times these are of no year that counts."""
_BY_POWER = re.compile(r"\d,\d+[Ee]\+?\d+")
"""How a spreadsheet with a decimal comma writes large numbers: 1,70963E+15."""
_SECONDS, _LARGEST_SECONDS = 10**9, 1e11
"""Unix times beyond this (the year 5138) count milliseconds or smaller parts."""


def zone_of(said: str) -> tzinfo | None:
    """The zone of a place ("Europe/Berlin"), of letters ("CET"), or by its distance from UTC ("+02:00", "UTC+2"); None
    if it names none. Letters of several places are a zone in which no time can be read."""
    text = said.strip()
    if text.upper() in _ZONES:
        return timezone(timedelta(hours=_ZONES[text.upper()]))
    if text.upper() in _OF_SEVERAL:
        return _Unclear(text.upper())
    if shift := _OFFSET.fullmatch(text):
        hours, minutes = int(shift["hours"]), int(shift["minutes"] or 0)
        if hours > _FURTHEST or minutes >= 60:
            return None
        far = timedelta(hours=hours, minutes=minutes)
        return timezone(-far if shift["sign"] == "-" else far)
    place = text if "/" in text else _place_of(text)
    try:
        return ZoneInfo(place) if place else None
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


@lru_cache(maxsize=1000)
def _place_of(said: str) -> str:
    """The place of a zone as Windows and Rails call them ("Eastern Standard Time", "(GMT-05:00) Eastern Time (US &
    Canada)"; the Unicode CLDR, through Babel), or ""."""
    from babel.core import get_global

    places = {name.casefold(): place for name, place in get_global("windows_zone_mapping").items()}
    name = _DISTANCE_BEFORE.sub("", said).casefold()
    alike = _OF_AMERICA.sub("", name)
    standard = re.sub(r"(?: standard| daylight)? time$", " standard time", alike)
    return next((places[one] for one in (name, alike, standard) if one in places), "")


_DAY_OF_MONTH = re.compile(
    rf"\d{{4}}-\d\d-\d\d(?:[T ]00:00:00)?|(?P<day>\d{{1,2}})\.?[-. ]\s?(?P<name>{_WORD})\.?"
    rf"|(?P<before>{_WORD})\.?[- ](?P<behind>\d{{1,2}})|\d{{1,2}}[月월] ?\d{{1,2}}[日일]"
)


def is_a_day(said: str) -> bool:
    """Is it how a spreadsheet shows what it took for a day: 2026-12-10, 12-Oct, "10. Dez", Dec 10 (also of 1910)?"""
    found = _DAY_OF_MONTH.fullmatch(said)
    if found is None or (found["day"] and not 1 <= int(found["day"]) <= 31):
        return False
    return (name := found["name"] or found["before"]) is None or _month(name) > 0


def _month(name: str) -> int:
    """The month of this name, 1 to 12; 0 if it is none, or another month's in another language (Polish and Croatian
    listopad)."""
    name = name.casefold()
    return _ENGLISH.get(name) or _names_of_months().get(name, 0)


@lru_cache
def _names_of_months() -> dict[str, int]:
    """The months' names and abbreviations in languages of shops (the Unicode CLDR, through Babel)."""
    from babel.dates import get_month_names

    found: dict[str, set[int]] = {"mrz": {3}}  # as Excel has it in German
    for language in _LANGUAGES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, language).items():
                    found.setdefault(name.rstrip(".").casefold(), set()).add(number)
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}


def _order(text: str, *, dots: bool = True) -> Order:
    """Which of day and month comes first, where only one may; with full stops it is the day, which says nothing of
    others of its column (dots: False)."""
    match = _NUMERIC.match(text.strip())
    if match is None or (match[2] == "." and not dots):
        return ""
    one, other = int(match[1]), int(match[3])
    if match[2] == "." or one > 12 >= other:
        return "day"
    return "month" if other > 12 >= one else ""


_FIRST = datetime(EARLIEST, 1, 1, tzinfo=UTC).timestamp()
_LAST = datetime(datetime.now(UTC).year + 1, 1, 1, tzinfo=UTC).timestamp()
"""Between these no year need be looked at."""


def _checked(seconds: float) -> float | str:
    if _FIRST <= seconds < _LAST:
        return seconds
    year = 0.0
    try:
        year = datetime.fromtimestamp(seconds, UTC).year
    except (ValueError, OverflowError, OSError):
        return "its time is of no year"
    if not EARLIEST <= year <= datetime.now(UTC).year + 1:
        return f"its time would be of the year {year}"
    return seconds


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        if not isinstance(value, str) or not _BY_POWER.fullmatch(value.strip()):
            return None
        number = float(value.replace(",", "."))
    return number if number - number == 0 else None
