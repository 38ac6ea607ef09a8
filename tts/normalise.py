"""Numbers, money, dates, times and abbreviations written out in words, per language.

Engines differ in how they read them ("$3.50" is "dollar three point five zero" to espeak-ng, and models
trained on letters skip digits), so they get words. num2words, which Coqui needs anyway, makes the words;
the rules here find what is a number of what kind. English, German, French, Spanish and Italian have rules
for every kind. Other languages that num2words knows get plain numbers in words; in the rest nothing changes.
Not read out, since their words depend on grammar or context: units other than per cent and degrees, Roman
numerals, fractions, web addresses, acronyms.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any


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
        abbreviations: what they stand for; a full stop after them goes.
        ordinal: a pattern of ordinals in digits, whose first group is the number; ``ordinal_ending`` is the
            ending after prepositions, where German mostly has them.
    """

    point: str
    percent: str
    to: str
    degrees: str
    months: str
    date: str
    day: str
    time: str
    hour: str
    abbreviations: Mapping[str, str]
    ordinal: str
    first_day: str | None = None
    ordinal_ending: str = ""


RULES: Mapping[str, Rules] = {
    "en": Rules(
        *(".", "percent", "to", "degrees"),
        "January February March April May June July August September October November December",
        *("{month} {day}, {year}", "ordinal", "{hour} {minute}", "{hour} o'clock"),
        {
            **{"Dr.": "Doctor", "Mr.": "Mister", "Mrs.": "Missus", "Ms.": "Miz", "Prof.": "Professor"},
            **{"Sgt.": "Sergeant", "Capt.": "Captain", "Lt.": "Lieutenant", "vs.": "versus", "etc.": "et cetera"},
            **{"e.g.": "for example", "i.e.": "that is", "approx.": "approximately", "a.m.": "A M", "p.m.": "P M"},
            **{"w/": "with", "&": "and"},
        },
        r"(\d+)(?:st|nd|rd|th)",
    ),
    "de": Rules(
        *(",", "Prozent", "bis", "Grad"),
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        *("{day}n {month} {year}", "ordinal", "{hour} Uhr {minute}", "{hour} Uhr"),
        {
            **{"Dr.": "Doktor", "Prof.": "Professor", "Hr.": "Herr", "Fr.": "Frau", "z. B.": "zum Beispiel"},
            **{"z.B.": "zum Beispiel", "d. h.": "das heißt", "d.h.": "das heißt", "usw.": "und so weiter"},
            **{"bzw.": "beziehungsweise", "ca.": "circa", "evtl.": "eventuell", "u. a.": "unter anderem", "&": "und"},
        },
        r"(\d+)\.(?=\s+(?:Jan|Feb|März|Apr|Mai|Jun|Jul|Aug|Sep|Okt|Nov|Dez))",
        ordinal_ending="n",
    ),
    "fr": Rules(
        *(",", "pour cent", "à", "degrés"),
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        *("{day} {month} {year}", "cardinal", "{hour} heures {minute}", "{hour} heures"),
        {
            **{"M.": "Monsieur", "Mme": "Madame", "Mlle": "Mademoiselle", "Dr": "Docteur", "etc.": "et cetera"},
            **{"p. ex.": "par exemple", "c.-à-d.": "c'est-à-dire", "&": "et"},
        },
        r"(\d+)(?:ers?|ères?|re|e|es|ème|èmes|nd|nde)",
        "premier",
    ),
    "es": Rules(
        *(",", "por ciento", "a", "grados"),
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        *("{day} de {month} de {year}", "cardinal", "las {hour} y {minute}", "las {hour}"),
        {
            **{"Sr.": "Señor", "Sra.": "Señora", "Srta.": "Señorita", "Dr.": "Doctor", "Dra.": "Doctora"},
            **{"etc.": "etcétera", "p. ej.": "por ejemplo", "Ud.": "usted", "Uds.": "ustedes", "&": "y"},
        },
        r"(\d+)\.?[ºª]",
    ),
    "it": Rules(
        *(",", "per cento", "a", "gradi"),
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        *("{day} {month} {year}", "cardinal", "le {hour} e {minute}", "le {hour}"),
        {
            **{"Sig.": "Signor", "Sig.ra": "Signora", "Dott.": "Dottor", "Dott.ssa": "Dottoressa"},
            **{"Prof.": "Professor", "ecc.": "eccetera", "p. es.": "per esempio", "&": "e"},
        },
        r"(\d+)[ºª°](?!\s?C)",
        "primo",
    ),
}
CURRENCIES = {"$": "USD", "€": "EUR", "£": "GBP", "¥": "JPY"}
_THOUSANDS = re.compile("(thousand|million|billion),")
"""num2words' English sets a comma here, which engines take for a pause."""
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
        (
            rf"(?<![\w.])(?i:{'|'.join(map(re.escape, short))})(?!\w)(?P<end>$)?",
            lambda m: _cased(known[m[0].lower()], m[0]) + ("." if m["end"] is not None and m[0].endswith(".") else ""),
        ),
        (r"\b(\d{4})-(\d\d)-(\d\d)\b", lambda m: date(m[1], m[2], m[3], m[0])),
    ]
    if language != "en":  # in English 3/5 is March or May
        steps.append((r"\b(\d{1,2})[./](\d{1,2})[./](\d{4})\b", lambda m: date(m[3], m[2], m[1], m[0])))
    steps += [
        (r"\b([01]?\d|2[0-4]):([0-5]\d)\b(?:\s?(?:Uhr|h)\b)?", lambda m: _time(rules, language, int(m[1]), int(m[2]))),
        (r"\b(\d{3})-(\d{4})\b", lambda m: f"{digits(m[1])}, {digits(m[2])}"),
        *(money if language == "en" else reversed(money)),
        (rf"({number})\s?%", lambda m: f"{words(m[1])} {rules.percent}"),
        (rf"({number})\s?°\s?[CF]?\b", lambda m: f"{words(m[1])} {rules.degrees}"),
        (
            rf"(?<![\w-])({number})\s?[-\u2013]\s?({number})(?![\w-])",
            lambda m: f"{words(m[1])} {rules.to} {words(m[2])}",
        ),
        (rf"\b{rules.ordinal}(?!\w)", lambda m: words(m[1], "ordinal") + rules.ordinal_ending),
        (r"(?<![\w.,])((?:1[1-9]|20)\d\d)(?![\w]|[.,]\d)", lambda m: words(m[1], "year")),
        (r"(?<![\w.,])(?:0\d+|\d{8,})(?!\w|[.,]\d)", lambda m: digits(m[0])),
        (rf"(?<![\w.,])-?{number}(?!\w)", lambda m: words(m[0])),
    ]
    return [(re.compile(pattern), say) for pattern, say in steps]


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


def _date(rules: Rules, language: str, year: int, month: int, day: int) -> str | None:
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    said = rules.first_day if day == 1 and rules.first_day else _words(Decimal(day), language, rules.day)
    return rules.date.format(
        day=said,
        month=rules.months.split()[month - 1],
        year=_words(Decimal(year), language, "year" if year < 2100 else "cardinal"),
    )


def _time(rules: Rules, language: str, hour: int, minute: int) -> str:
    said = [_words(Decimal(part), language) or str(part) for part in (hour, minute)]
    if minute == 0:
        return rules.hour.format(hour=said[0])
    if language == "en" and minute < 10:
        said[1] = f"oh {said[1]}"
    return rules.time.format(hour=said[0], minute=said[1])


def _cased(meaning: str, written: str) -> str:
    """A meaning whose first letter is as large as the abbreviation's."""
    return meaning[0].upper() + meaning[1:] if written[0].isupper() else meaning
