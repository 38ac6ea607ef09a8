import pytest

from tts.normalise import normalise


@pytest.mark.parametrize(
    ("language", "line", "said"),
    [
        ("en", "It's over.", "It's over."),
        ("en-US", "Mr. and Mrs. Smith vs. us, etc.", "Mister and Missus Smith versus us, et cetera."),
        ("en", "I said no. No. 5.", "I said no. No. five."),
        ("en", "$1, $3.50 or £20.05?", "one dollar, three dollars, fifty cents or twenty pounds, five pence?"),
        ("en", "It costs $5,000.", "It costs five thousand dollars."),
        ("en", "At 3:00, 3:05 p.m. or 15:30", "At three o'clock, three oh five P M or fifteen thirty"),
        ("en", "2024-05-03, in 1984", "May third, twenty twenty-four, in nineteen eighty-four"),
        ("en", "the 1st, 22nd and 103rd", "the first, twenty-second and one hundred and third"),
        ("en", "5-10 people, 100%, -4", "five to ten people, one hundred percent, minus four"),
        ("en", "3.14", "three point one four"),
        ("en", "555-1234 or 007", "five five five, one two three four or zero zero seven"),
        ("en", "1,234,567", "one million two hundred and thirty-four thousand five hundred and sixty-seven"),
        ("en", "It is 20 °C.", "It is twenty degrees."),
        ("en", "the 1990s, 2x, MP3 and A4", "the 1990s, 2x, MP3 and A4"),
        ("de", "Dr. Ott zahlt ca. 3,50 €.", "Doktor Ott zahlt circa drei Euro fünfzig Cent."),
        ("de", "Am 3. Mai um 15:30 Uhr", "Am dritten Mai um fünfzehn Uhr dreißig"),
        ("de", "1.234 Leute, z. B. am 03.10.1990", "eintausendzweihundertvierunddreißig Leute, zum Beispiel am dritten "
         "Oktober neunzehnhundertneunzig"),
        ("fr", "M. Roy a 21 ans le 01/02/1999, 3,5 %", "Monsieur Roy a vingt et un ans le premier février mille neuf "
         "cent quatre-vingt-dix-neuf, trois virgule cinq pour cent"),
        ("es", "El Sr. Gil, 3,50 € a 15:30", "El Señor Gil, tres euros cincuenta céntimos a las quince y treinta"),
        ("it", "Il Sig. Re paga 3,50 € e 20%", "Il Signor Re paga tre euro cinquanta centesimi e venti per cento"),
        ("pl", "Mam 21 lat i 3,5 metra.", "Mam dwadzieścia jeden lat i 3,5 metra."),
        ("sw", "Nina miaka 21.", "Nina miaka 21."),
        ("cmn", "我有3个。", "我有3个。"),
    ],
)  # fmt: skip
def test_normalise(language, line, said):
    assert normalise(line, language) == said


def test_what_was_normalised_stays():
    line = normalise("Dr. Lee paid $3.50 at 3:30 on May 3rd, 1984, i.e. 5% of 1,000.", "en")
    assert normalise(line, "en") == line
