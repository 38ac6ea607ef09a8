"""Numbers, money, dates, times and abbreviations written out in words, per language.

Engines differ in how they read them ("$3.50" is "dollar three point five zero" to espeak-ng, and models
trained on letters skip digits), so they get words. num2words, which Coqui needs anyway, makes the words;
the rules here find what is a number of what kind. English, German, French, Spanish and Italian have rules
for every kind. Other languages that num2words knows get plain numbers in words; in the rest nothing changes.
Fractions and units are `tts.measures`'. Not read out, since their words depend on grammar or context: other units
than the common metric ones, Roman numerals, web addresses, acronyms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cache
from typing import Any

from .measures import MANDARIN, measures


@dataclass(frozen=True)
class Rules:
    """How a language writes and says numbers.

    Args:
        point: the decimal separator; the other one of comma and full stop separates thousands.
        percent, to: words.
        months: the names from January on, with blanks between.
        date: how day, month and year are said.
        day: num2words' kind of number for the day; the first may differ (``first_day``).
        time: how hours and minutes are said; ``hour`` is the full hour.
        scales: what may stand between an amount and its currency, as a pattern; ``of`` joins the two.
        hours: that are said in another way than their number.
        articles: before one o'clock and before all others; ``article`` is a pattern of words that have it in them.
        abbreviations: what they stand for; a full stop after them goes.
        ordinal: a pattern of ordinals in digits, whose first group is the number; ``ordinal_ending`` is the
            ending after prepositions, where German mostly has them.
    """

    point: str
    percent: str
    to: str
    months: str
    date: str
    day: str
    time: str
    hour: str
    abbreviations: Mapping[str, str]
    ordinal: str
    scales: str
    of: str = " "
    hours: Mapping[int, str] = field(default_factory=dict)
    articles: tuple[str, str] = ("", "")
    article: str = ""
    first_day: str | None = None
    ordinal_ending: str = ""


RULES: Mapping[str, Rules] = {
    "en": Rules(
        *(".", "percent", "to"),
        "January February March April May June July August September October November December",
        *("{month} {day}, {year}", "ordinal", "{hour} {minute}", "{hour} o'clock"),
        {
            **{"Dr.": "Doctor", "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miz", "Prof.": "Professor"},
            **{"Sgt.": "Sergeant", "Capt.": "Captain", "Lt.": "Lieutenant", "vs.": "versus", "etc.": "et cetera"},
            **{"e.g.": "for example", "i.e.": "that is", "approx.": "approximately", "a.m.": "A M", "p.m.": "P M"},
            **{"w/": "with", "&": "and"},
        },
        r"(\d+)(?:st|nd|rd|th)",
        "thousand|million|billion|trillion",
    ),
    "de": Rules(
        *(",", "Prozent", "bis"),
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        *("{day}n {month} {year}", "ordinal", "{hour} Uhr {minute}", "{hour} Uhr"),
        {
            **{"Dr.": "Doktor", "Prof.": "Professor", "Hr.": "Herr", "Fr.": "Frau", "z. B.": "zum Beispiel"},
            **{"z.B.": "zum Beispiel", "d. h.": "das heißt", "d.h.": "das heißt", "usw.": "und so weiter"},
            **{"bzw.": "beziehungsweise", "ca.": "circa", "evtl.": "eventuell", "u. a.": "unter anderem", "&": "und"},
            **{"Mio.": "Millionen", "Mrd.": "Milliarden"},
        },
        r"(\d+)\.(?=\s+(?:Jan|Feb|März|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez))",
        "Tausend|Million(?:en)?|Milliarden?",
        hours={1: "ein"},
        ordinal_ending="n",
    ),
    "fr": Rules(
        *(",", "pour cent", "à"),
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        *("{day} {month} {year}", "cardinal", "{hour} heures {minute}", "{hour} heures"),
        {
            **{"M.": "Monsieur", "Mme": "Madame", "Mlle": "Mademoiselle", "Dr": "Docteur", "etc.": "et cetera"},
            **{"p. ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "&": "et"},
        },
        r"(\d+)(?:ers?|ères?|re|e|es|ème|èmes|nd|nde)",
        "millions?|milliards?",
        " d'",
        hours={1: "une", 21: "vingt et une"},
        first_day="premier",
    ),
    "es": Rules(
        *(",", "por ciento", "a"),
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        *("{day} de {month} de {year}", "cardinal", "{hour} y {minute}", "{hour}"),
        {
            **{"Sr.": "Señor", "Sra.": "Señora", "Srta.": "Señorita", "Dr.": "Doctor", "Dra.": "Doctora"},
            **{"etc.": "etcétera", "p. ej.": "por ejemplo", "Ud.": "usted", "Uds.": "ustedes", "&": "y"},
        },
        r"(\d+)\.?[ºª](?!\s?[CF]\b)",
        "mil|millón|millones",
        " de ",
        hours={1: "una", 21: "veintiuna"},
        articles=("la ", "las "),
        article=r"las?\s",
    ),
    "it": Rules(
        *(",", "per cento", "a"),
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        *("{day} {month} {year}", "cardinal", "{hour} e {minute}", "{hour}"),
        {
            **{"Sig.": "Signor", "Sig.ra": "Signora", "Dott.": "Dottor", "Dott.ssa": "Dottoressa"},
            **{"Prof.": "Professor", "ecc.": "eccetera", "p. es.": "per esempio", "&": "e"},
        },
        # a degree sign before a word is mostly an ordinal's, but not in "20° all'ombra"
        r"(\d+)(?:[ºª](?!\s?[CF]\b)|°(?=\s(?!(?:[CF]|all|di|in|e|o|fuori|dentro|sotto|sopra)\b)[a-zA-Z]))",
        "milion[ei]|miliard[oi]",
        " di ",
        hours={1: "una"},
        articles=("l'", "le "),
        article=r"(?:d?al|del|nel|sul)?le\s|(?:(?:d?al|del|nel|sul)?l)['\u2019]",
        first_day="primo",
    ),
}
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
HALVES = {2: ("half", "halves"), 4: ("quarter", "quarters")}
"""English denominators that are no ordinals."""
_HALF_DAYS = {"a": "A M", "p": "P M"}
_SCALES = {"k": "thousand", "m": "million", "bn": "billion"}
_THOUSANDS = re.compile("(thousand|million|billion),")
"""num2words' English sets a comma here, which engines take for a pause."""
_CLOCK = r"([01]?\d|2[0-4]):([0-5]\d)"
_Step = tuple[str, Callable[[re.Match[str]], str]]
PLAIN = re.compile(r"(?<![\w.,])\d{1,9}(?![\w.,]*\d|\w)")
"""A number that reads the same in every language: digits alone."""


def normalise(text: str, language: str) -> str:
    """A line with its numbers and abbreviations in words.

    >>> normalise("Dr. Lee paid $3.50 at 3:30 on May 3rd, 1984.", "en")
    'Doctor Lee paid three dollars, fifty cents at three thirty on May third, nineteen eighty-four.'
    >>> normalise("Ca. 3,5 % am 03.10.1990", "de")
    'Circa drei Komma fünf Prozent am dritten Oktober neunzehnhundertneunzig'

    Args:
        text: as `tts.text` leaves it.
        language: BCP 47 tag.
    """
    base = language.lower().split("-")[0]
    if base in ("cmn", "zh"):
        for expression, spoken in MANDARIN:
            text = re.sub(expression, spoken, text)
        return text
    if base in RULES:
        for pattern, say in _steps(base):
            text = pattern.sub(say, text)
        return text
    return PLAIN.sub(lambda number: _words(Decimal(number[0]), base) or number[0], text)


@cache
def _steps(language: str) -> list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]:
    """What is looked for in a text, and what is said for it, in this order: the longer forms first."""
    rules = RULES[language]
    number = _number_pattern(rules)
    symbols = re.escape("".join(CURRENCIES))

    def value(written: str) -> Decimal:
        return _value(written, rules)

    def words(written: str, to: str = "cardinal") -> str:
        return _words(value(written), language, to) or written

    def digits(written: str) -> str:
        return " ".join(words(digit) for digit in written)

    def date(year: str, month: str, day: str, whole: str) -> str:
        return _date(rules, language, int(year), int(month), int(day)) or whole

    money: list[_Step] = [  # the sign stands before the number in English, mostly after it elsewhere
        (rf"([{symbols}])\s?({number})", lambda m: _money(value(m[2]), m[1], language)),
        (rf"({number})\s?([{symbols}])", lambda m: _money(value(m[1]), m[2], language)),
    ]
    short = sorted(rules.abbreviations, key=len, reverse=True)
    known = {form.lower(): meaning for form, meaning in rules.abbreviations.items()}
    steps: list[_Step] = [
        (rf"(?<![\w.,]){rules.ordinal}(?!\w)", lambda m: words(m[1], "ordinal") + rules.ordinal_ending),
        *measures(language, number, lambda written: float(value(written)), words),
    ]
    steps += [] if language != "en" else _english(words)
    steps += [
        (
            rf"(?<![\w.])(?i:{'|'.join(map(re.escape, short))})(?!\w)(?P<end>$)?",
            lambda m: _cased(known[m[0].lower()], m[0]) + ("." if m["end"] is not None and m[0].endswith(".") else ""),
        ),
        (r"\b(\d{4})-(\d\d)-(\d\d)\b", lambda m: date(m[1], m[2], m[3], m[0])),
    ]
    if language != "en":  # in English 3/5 is March or May
        steps.append((r"\b(\d{1,2})[./](\d{1,2})[./](\d{4})\b", lambda m: date(m[3], m[2], m[1], m[0])))
    if language == "fr":
        steps.append(
            (r"\b([01]?\d|2[0-4])\s?h(?:\s?([0-5]\d))?\b", lambda m: _time(rules, language, m[1], m[2] or "0"))
        )
    steps += [
        (
            rf"(?i:\b({rules.article}))?\b{_CLOCK}\b(?:\s?(?:Uhr|h)\b)?(?:(\s?[-\u2013]\s?)(?={_CLOCK}\b))?",
            lambda m: (
                (m[1] or "") + _time(rules, language, m[2], m[3], said=bool(m[1])) + (f" {rules.to} " if m[4] else "")
            ),
        ),
        (r"\b(\d{3})-(\d{4})\b", lambda m: f"{digits(m[1])}, {digits(m[2])}"),
        (
            rf"(?:([{symbols}])\s?({number})\s({rules.scales})|({number})\s({rules.scales})\s?([{symbols}]))(?!\w)",
            lambda m: f"{words(m[2] or m[4])} {m[3] or m[5]}{rules.of}{_currency(m[1] or m[6], language)}",
        ),
        *(money if language == "en" else reversed(money)),
        (rf"({number})\s?%", lambda m: f"{words(m[1])} {rules.percent}"),
        (
            rf"(?<![\w-])({number})\s?[-\u2013]\s?({number})(?![\w-])",
            lambda m: f"{words(m[1])} {rules.to} {words(m[2])}",
        ),
        (r"(?<![\w.,])((?:1[1-9]|20)\d\d)(?![\w]|[.,]\d)", lambda m: words(m[1], "year")),
        (r"(?<![\w.,])(?:0\d+|\d{8,})(?!\w|[.,]\d)", lambda m: digits(m[0])),
        (rf"(?<![\w.,])-?{number}(?!\w)", lambda m: words(m[0])),
    ]
    return [(re.compile(pattern), say) for pattern, say in steps]


def _english(words: Callable[..., str]) -> list[_Step]:
    """What only English has, before its abbreviations are looked for."""

    def clock(hour: str, minute: str | None) -> str:
        return words(hour) if int(minute or 0) == 0 else _time(RULES["en"], "en", hour, minute or "0")

    def half_day(m: re.Match[str]) -> str:
        start = f"{clock(m[1], m[2])} to " if m[1] else ""
        return f"{start}{clock(m[3], m[4])} {_HALF_DAYS[m[5].lower()]}{'.' if m['end'] is not None else ''}"

    def fraction(m: re.Match[str]) -> str:
        top, bottom = int(m[2]), int(m[3])
        if not 0 < top < bottom <= 10:  # 24/7, 9/11
            return m[0]
        one, more = HALVES.get(bottom) or (words(m[3], "ordinal"), words(m[3], "ordinal") + "s")
        if not m[1]:
            return f"{words(m[2])} {one if top == 1 else more}"
        return f"{words(m[1])} and {'a' if top == 1 else words(m[2])} {one if top == 1 else more}"

    hour = r"(1[0-2]|0?[1-9])(?::([0-5]\d))?"
    return [
        (rf"(?<![\w:.,$]){_pair(hour)}\s?([AaPp])(?:\.\s?[Mm]\.(?P<end>$)?|[Mm]\b)", half_day),
        (
            r"([$€£¥]\s?\d+(?:[.,]\d+)*)(bn|[kKmM])\b",
            lambda m: f"{m[1]} {_SCALES[m[2].lower()]}",
        ),
        (r"(?<![\w/.,$€£-])(?<!\bon )(?:(\d+)\s)?(\d)/(\d\d?)(?![\w/]|[.,]\d)", fraction),
    ]


def _pair(pattern: str) -> str:
    """A pattern, maybe after another of its kind and a dash."""
    return rf"(?:{pattern}\s?[-\u2013]\s?)?{pattern}"


def _number_pattern(rules: Rules) -> str:
    """A number in digits, with groups of thousands and decimals as the language writes them."""
    thousands = r"[.\u00a0\u202f]" if rules.point == "," else ","
    return rf"(?:\d{{1,3}}(?:{thousands}\d{{3}})+|\d+)(?:{re.escape(rules.point)}\d+)?"


def _value(written: str, rules: Rules) -> Decimal:
    groups = "." if rules.point == "," else ","
    return Decimal(re.sub(rf"[{groups}\u00a0\u202f]", "", written).replace(rules.point, "."))


def _words(number: Decimal, language: str, to: str = "cardinal") -> str | None:
    """In words, or None where num2words has not got the language or the kind."""
    from num2words import num2words

    whole = number == number.to_integral_value()
    arguments: dict[str, Any] = {"lang": language, "to": to}
    try:
        said = str(num2words(int(number) if whole else number, **arguments))
    except (NotImplementedError, OverflowError, TypeError, ValueError):
        return None
    return _THOUSANDS.sub(r"\1", said)


def _money(amount: Decimal, symbol: str, language: str) -> str:
    from num2words import num2words

    code = CURRENCIES[symbol]
    try:
        said = str(num2words(float(round(amount, 2)), lang=language, to="currency", currency=code, separator="|"))
    except (NotImplementedError, OverflowError, TypeError, ValueError):
        return f"{_words(amount, language) or amount} {symbol}"
    whole, _, cents = (part.strip() for part in said.replace(" sterling", "").partition("|"))
    joint = ", " if language == "en" else " "
    return _THOUSANDS.sub(r"\1", whole + (joint + cents if amount % 1 else ""))


def _currency(symbol: str, language: str) -> str:
    """The name of a currency, in the plural: what num2words says after a two."""
    return _money(Decimal(2), symbol, language).partition(" ")[2]


def _date(rules: Rules, language: str, year: int, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    said = rules.first_day if day == 1 and rules.first_day else _words(Decimal(day), language, rules.day)
    return rules.date.format(
        day=said,
        month=rules.months.split()[month - 1],
        year=_words(Decimal(year), language, "year" if year < 2100 else "cardinal"),
    )


def _time(rules: Rules, language: str, hour: str, minute: str, said: bool = False) -> str:
    """A time of the day, with its article unless that is said before."""
    hours, minutes = int(hour), int(minute)
    article = "" if said else rules.articles[hours != 1]
    hour = article + (rules.hours.get(hours) or _words(Decimal(hours), language) or hour)
    template = rules.time if minutes else rules.hour
    if language == "fr" and hours < 2:
        template = template.replace("heures", "heure")
    minute = _words(Decimal(minutes), language) or minute
    return template.format(hour=hour, minute=f"oh {minute}" if language == "en" and minutes < 10 else minute)


def _cased(meaning: str, written: str) -> str:
    """A meaning whose first letter is as large as the abbreviation's."""
    return meaning[0].upper() + meaning[1:] if written[0].isupper() else meaning
