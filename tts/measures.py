"""Fractions, units and degrees in words, which num2words has none for; `tts.normalise` asks for its steps first.

English says its fractions by ordinals, see `tts.normalise`. Mandarin keeps its digits, which every engine reads, and
gets what stands around them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Step = tuple[str, Callable[[re.Match[str]], str]]
"""A pattern, and what is said for it."""

VULGAR = "\u00bc-\u00be\u2150-\u215e"
"""Fractions that are one character, such as that of a half."""
SCALES = {"C": " Celsius", "F": " Fahrenheit", "": ""}
DEGREES = r"(?:[°º]\s?([CF])\b|°(?![\w])|([\u2103\u2109]))"
FRACTION = r"(?<![\w/.,$€£-])(?:(\d+)\s)?(\d)/(\d\d?)(?![\w/]|[.,]\d)"
SYMBOLS = ("km/h", "km", "m", "cm", "mm", "kg", "g", "mg", "l", "ml", "°")


@dataclass(frozen=True)
class Measures:
    """How a language says fractions and units, all of one gender.

    Args:
        one: before a unit or a part.
        units, several: the names of `SYMBOLS`, of one and of more.
        parts: denominators from two on, of one part and of more; none where `tts.normalise` says fractions.
        joint: between a whole number and its fraction.
        half: after a whole number.
        day: a pattern of words after which digits and a slash are a date.
        singular_below: what is still said in the singular; French says "1,5 litre".
    """

    one: str
    units: str
    several: str
    parts: tuple[str, str] = ("", "")
    joint: str = " "
    half: str = ""
    day: str = "(?!)"
    singular_below: int = 1


MEASURES: Mapping[str, Measures] = {
    "en": Measures(
        "one",
        "kilometer per hour,kilometer,meter,centimeter,millimeter,kilogram,gram,milligram,liter,milliliter,degree",
        "kilometers per hour,kilometers,meters,centimeters,millimeters,kilograms,grams,milligrams,liters,milliliters,"
        "degrees",
    ),
    "de": Measures(
        "ein",
        "Kilometer pro Stunde,Kilometer,Meter,Zentimeter,Millimeter,Kilogramm,Gramm,Milligramm,Liter,Milliliter,Grad",
        "Kilometer pro Stunde,Kilometer,Meter,Zentimeter,Millimeter,Kilogramm,Gramm,Milligramm,Liter,Milliliter,Grad",
        ("halb,Drittel,Viertel,Fünftel,Sechstel,Siebtel,Achtel,Neuntel,Zehntel",) * 2,
        half="einhalb",
    ),
    "fr": Measures(
        "un",
        "kilomètre à l'heure,kilomètre,mètre,centimètre,millimètre,kilogramme,gramme,milligramme,litre,millilitre,"
        "degré",
        "kilomètres à l'heure,kilomètres,mètres,centimètres,millimètres,kilogrammes,grammes,milligrammes,litres,"
        "millilitres,degrés",
        (
            "demi,tiers,quart,cinquième,sixième,septième,huitième,neuvième,dixième",
            "demis,tiers,quarts,cinquièmes,sixièmes,septièmes,huitièmes,neuvièmes,dixièmes",
        ),
        *(" et ", "et demi", r"\b(?:le|du|au)\s", 2),
    ),
    "es": Measures(
        "un",
        "kilómetro por hora,kilómetro,metro,centímetro,milímetro,kilogramo,gramo,miligramo,litro,mililitro,grado",
        "kilómetros por hora,kilómetros,metros,centímetros,milímetros,kilogramos,gramos,miligramos,litros,mililitros,"
        "grados",
        (
            "medio,tercio,cuarto,quinto,sexto,séptimo,octavo,noveno,décimo",
            "medios,tercios,cuartos,quintos,sextos,séptimos,octavos,novenos,décimos",
        ),
        *(" y ", "y medio", r"\b(?:el|del|al)\s"),
    ),
    "it": Measures(
        "un",
        "chilometro all'ora,chilometro,metro,centimetro,millimetro,chilogrammo,grammo,milligrammo,litro,millilitro,"
        "grado",
        "chilometri all'ora,chilometri,metri,centimetri,millimetri,chilogrammi,grammi,milligrammi,litri,millilitri,"
        "gradi",
        (
            "mezzo,terzo,quarto,quinto,sesto,settimo,ottavo,nono,decimo",
            "mezzi,terzi,quarti,quinti,sesti,settimi,ottavi,noni,decimi",
        ),
        *(" e ", "e mezzo", r"\b(?:il|del|dal|al)\s"),
    ),
}


def measures(language: str, number: str, value: Callable[[str], float], words: Callable[[str], str]) -> list[Step]:
    """The steps of a language. Ordinals go before: "20°" is one in Italian, mostly.

    Args:
        language: one of `MEASURES`.
        number: the pattern of a number in digits.
        value: of a written number.
        words: for a written number.
    """
    rules = MEASURES[language]
    single, several = (dict(zip(SYMBOLS, names.split(","), strict=True)) for names in (rules.units, rules.several))

    def counted(written: str, symbol: str) -> str:
        size = abs(value(written))
        name = (single if size == 1 or size < rules.singular_below else several)[symbol]
        said = rules.one if written == "1" else words(written)
        if language == "es":  # veintiuno and its like are shortened before a noun
            said = re.sub(r"uno$", "un", re.sub(r"veintiuno$", "veintiún", said))
        return f"{said} {name}"

    def degrees(m: re.Match[str]) -> str:
        scale = m[2] or {"\u2103": "C", "\u2109": "F"}.get(m[3] or "", "")
        return counted(m[1], "°") + SCALES[scale]

    def fraction(m: re.Match[str]) -> str:
        top, bottom = int(m[2]), int(m[3])
        if not 0 < top < bottom <= 10 or (not m[1] and re.search(rf"{rules.day}$", m.string[: m.start()], re.I)):
            return m[0]
        one, more = (parts.split(",")[bottom - 2] for parts in rules.parts)
        part = f"{rules.one} {one}" if top == 1 else f"{words(m[2])} {more}"
        if not m[1]:
            return part
        if bottom == 2:
            whole = rules.one if language == "de" and m[1] == "1" else words(m[1])
            return f"{whole}{'' if language == 'de' else ' '}{rules.half}"
        return f"{words(m[1])}{rules.joint}{part}"

    units = "|".join(sorted((symbol for symbol in SYMBOLS if symbol != "°"), key=len, reverse=True))
    steps: list[Step] = [
        (rf"(\d)?\s?([{VULGAR}])", vulgar),
        (rf"((?:(?<![\w.,])-)?{number})\s?{DEGREES}", degrees),
        (rf"(?<![\w.,$€£¥-])({number})\s?({units})(?![\w/'\u2019])", lambda m: counted(m[1], m[2])),
    ]
    return steps + ([(FRACTION, fraction)] if rules.half else [])


def vulgar(m: re.Match[str]) -> str:
    """A fraction that is one character, in digits and a slash."""
    return (f"{m[1]} " if m[1] else "") + unicodedata.normalize("NFKC", m[2]).replace("\u2044", "/")


MANDARIN_UNITS = {
    **{"km": "公里", "m": "米", "cm": "厘米", "mm": "毫米"},
    **{"kg": "公斤", "g": "克", "l": "升", "ml": "毫升"},
}
MANDARIN: list[Step] = [
    (rf"(\d)?\s?([{VULGAR}])", vulgar),
    (r"(-?\d+(?:\.\d+)?)\s?(?:[°º]\s?C\b|\u2103)", lambda m: f"{m[1]}摄氏度"),
    (r"(-?\d+(?:\.\d+)?)\s?(?:[°º]\s?F\b|\u2109)", lambda m: f"{m[1]}华氏度"),
    (r"(\d+(?:\.\d+)?)\s?%", lambda m: f"百分之{m[1]}"),
    (
        r"(?<![\d/.])(?:(\d+)\s)?(\d)/([2-9]|10)(?![\d/.])",
        lambda m: (f"{m[1]}又" if m[1] else "") + f"{m[3]}分之{m[2]}",
    ),
    (r"(\d+(?:\.\d+)?)\s?km/h(?![A-Za-z])", lambda m: f"每小时{m[1]}公里"),
    (
        r"(\d+(?:\.\d+)?)\s?(km|kg|cm|mm|ml|m|g|l)(?![A-Za-z])",
        lambda m: m[1] + MANDARIN_UNITS[m[2]],
    ),
]
