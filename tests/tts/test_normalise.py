import pytest

from tts.normalise import normalise
from tts.text import spoken


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
        ("en", "It is 20 °C.", "It is twenty degrees Celsius."),
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


@pytest.mark.parametrize(
    ("language", "line", "said"),
    [
        ("en", "It's 98.6°F!", "It's ninety-eight point six degrees Fahrenheit."),
        ("en", "At -20 °C or 5°.", "At minus twenty degrees Celsius or five degrees."),
        ("de", "Bei 20 °C 🥵", "Bei zwanzig Grad Celsius"),
        ("es", "a 20 ºC o 20º C", "a veinte grados Celsius o veinte grados Celsius"),
        ("it", "il 1° maggio, il 2° piano", "il primo maggio, il secondo piano"),
        ("it", "20° all'ombra, 30° C, 35°.", "venti gradi all'ombra, trenta gradi Celsius, trentacinque gradi."),
        ("en", "$1.5 million, £2 billion!", "one point five million dollars, two billion pounds."),
        ("en", "$5k, $1,000 a millionaire", "five thousand dollars, one thousand dollars a millionaire"),
        ("de", "1,5 Mio. € oder 3 Milliarden €", "eins Komma fünf Millionen Euro oder drei Milliarden Euro"),
        ("fr", "2 millions €", "deux millions d'euros"),
        ("es", "2 millones €", "dos millones de euros"),
        ("it", "2 milioni €", "due milioni di euro"),
        ("en", "7:30pm, 3pm. 11 AM?", "seven thirty P M, three P M. eleven A M?"),
        ("en", "3:00 p.m. or 3-5:05 p.m.", "three P M or three to five oh five P M."),
        ("en", "I am 3; I'm 12 amazing spam", "I am three; I'm twelve amazing spam"),
        ("en", "3:30-4:30", "three thirty to four thirty"),
        ("es", "A las 3:30, a la 1:30, 4:00, 1:00",
         "A las tres y treinta, a la una y treinta, las cuatro, la una"),
        ("it", "Sono le 3:30, alle 4:00, all'1:30, 5:30, 1:00",
         "Sono le tre e trenta, alle quattro, all'una e trenta, le cinque e trenta, l'una"),
        ("fr", "15h30, 8 h, 1h, 21 h 05", "quinze heures trente, huit heures, une heure, vingt et une heures cinq"),
        ("de", "um 1:00 Uhr", "um ein Uhr"),
        ("en", "2/3, 1/2, 3/4, 1 1/2 and 2 3/4",
         "two thirds, one half, three quarters, one and a half and two and three quarters"),
        ("en", "½ cup, 2½ hours, 20℃, 1 °C",
         "one half cup, two and a half hours, twenty degrees Celsius, one degree Celsius"),
        ("en", "60 km/h, 5 kg, 1 m; I'm 2 m tall, 5G, $5m",
         "sixty kilometers per hour, five kilograms, one meter; I'm two meters tall, 5G, five million dollars"),
        ("de", "½ Liter, 1/3, 2 1/2 und 1½, 3/4",
         "ein halb Liter, ein Drittel, zweieinhalb und eineinhalb, drei Viertel"),
        ("de", "20℉, 1 km, 3,5 kg bei 120 km/h",
         "zwanzig Grad Fahrenheit, ein Kilometer, drei Komma fünf Kilogramm bei "
         "einhundertzwanzig Kilometer pro Stunde"),
        ("fr", "½, 2½, 2/3, 1/4, le 3/5", "un demi, deux et demi, deux tiers, un quart, le trois/cinq"),
        ("fr", "Il mesure 2 m. 1,5 l, 21 km, 20 °C, 1°", "Il mesure deux mètres. un virgule cinq litre, vingt et un "
         "kilomètres, vingt degrés Celsius, un degré"),
        ("es", "1/2, 2½, 3/4, el 3/5", "un medio, dos y medio, tres cuartos, el tres/cinco"),
        ("es", "21 km, 1 kg, 5 ml, 20℃", "veintiún kilómetros, un kilogramo, cinco mililitros, veinte grados Celsius"),
        ("it", "½, 2/3, 2 1/2, il 3/5", "un mezzo, due terzi, due e mezzo, il tre/cinque"),
        ("it", "1 l, 3 kg, 3 l'altro, 90 km/h", "un litro, tre chilogrammi, tre l'altro, novanta chilometri all'ora"),
        ("cmn", "½杯,20°C,68℉,50%,3/4,1 1/2,5kg,100 km/h",
         "2分之1杯,20摄氏度,68华氏度,百分之50,4分之3,1又2分之1,5公斤,每小时100公里"),
        ("cmn", "2024/3/5, 24/7", "2024/3/5, 24/7"),
        ("en", "24/7 since 9/11, on 3/5", "twenty-four/seven since nine/eleven, on three/five"),
    ],
)  # fmt: skip
def test_what_is_spoken_is_normalised(language, line, said):
    assert normalise(spoken(line), language) == said
    assert normalise(said, language) == said
