"""How many words are spoken in a second, to turn the durations that papers publish into lengths of text.

For American English it is that of talk radio: 2.8 billion words in 284,000 hours (D. Beeferman, W. Brannon and D. Roy,
"RadioTalk: a large-scale corpus of talk radio transcripts", Interspeech 2019). Other languages are taken to be faster
or slower by as much as they are when the same text is read aloud (S. Trauzettel-Klosinski and K. Dietz, "Standardized
assessment of reading performance: the new International Reading Speed Texts IReST", Investigative Ophthalmology &
Visual Science 53, 2012). A datasheet may give its corpus's own rate instead.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ENGLISH = 2.8e9 / (284_000 * 3600)
"""Words a second."""
READ_ALOUD = {
    "ar": 138,
    "de": 179,
    "en": 228,
    "es": 218,
    "fi": 161,
    "fr": 195,
    "he": 187,
    "it": 188,
    "nl": 202,
    "pl": 166,
}
"""Words a minute."""
READ_ALOUD_ELSEWHERE = 184
"""Words a minute: the mean of 17 languages, for those that are not listed."""
SIGNS_READ_ALOUD = {"cmn": 255, "zh": 255, "ja": 357}
"""Signs a minute, of languages that are written without blanks."""


@dataclass(frozen=True)
class SpeakingRate:
    """How much text a second of speech holds.

    Attributes:
        per_second: how many of the unit.
        unit: what the length of a text is counted in.
    """

    per_second: float
    unit: Literal["words", "characters"]


def speaking_rate(language: str) -> SpeakingRate:
    """The rate of conversation in a language.

    Args:
        language: its tag, such as ``en`` or ``pt-BR``.

    >>> speaking_rate("en-US")
    SpeakingRate(per_second=2.74, unit='words')
    >>> speaking_rate("cmn")
    SpeakingRate(per_second=3.06, unit='characters')
    """
    primary = language.casefold().split("-")[0]
    signs = SIGNS_READ_ALOUD.get(primary)
    read_aloud = READ_ALOUD.get(primary, READ_ALOUD_ELSEWHERE) if signs is None else signs
    return SpeakingRate(round(ENGLISH * read_aloud / READ_ALOUD["en"], 2), "words" if signs is None else "characters")
