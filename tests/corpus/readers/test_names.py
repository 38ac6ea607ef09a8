import re
from importlib import import_module

import pytest

from zero_shot_emotion.corpus import CorpusError


@pytest.mark.parametrize(
    ("reader", "name", "message"),
    [
        ("crema_d", "AudioWAV/1001_IEO_JOY_XX", "emotion: got 'JOY', expected one of NEU, HAP, ANG, SAD, FEA, DIS"),
        ("crema_d", "AudioWAV/1001_ABC_HAP_XX", "sentence: got 'ABC', expected one of IEO, TIE"),
        ("crema_d", "AudioWAV/1001_IEO_HAP_ZZ", "intensity: got 'ZZ', expected one of LO, MD, HI, XX"),
        ("crema_d", "AudioWAV/happy", "name: got 'happy', expected the like of '1001_IEO_NEU_XX'"),
        (
            "ravdess",
            "Actor_01/03-01-09-01-01-01-01",
            "emotion: got '09', expected one of 01, 02, 03, 04, 05, 06, 07, 08",
        ),
        ("ravdess", "Actor_01/03-03-01-01-01-01-01", "vocal channel: got '03', expected one of 01, 02"),
        ("ravdess", "Actor_01/03-01-01-01-03-01-01", "statement: got '03', expected one of 01, 02"),
        (
            "ravdess",
            "Actor_01/01-01-01-01-01-01-01",
            "name: got '01-01-01-01-01-01-01', expected the like of '03-01-06-01-02-01-12'",
        ),
        ("emodb", "wav/03a01Xa", "emotion: got 'X', expected one of W, L, E, A, F, T, N"),
        ("emodb", "wav/03a03Fa", "sentence: got 'a03', expected one of a01, a02, a04"),
        ("emodb", "wav/07a01Fa", "speaker: got '07', expected one of 03, 08, 09"),
        ("emodb", "wav/anger", "name: got 'anger', expected the like of '03a01Fa'"),
        ("emovo", "f1/xxx-f1-b1", "emotion: got 'xxx', expected one of neu, gio, rab, tri, pau, dis, sor"),
        ("emovo", "f1/gio-f1-b9", "sentence: got 'b9', expected one of b1, b2, b3, l1"),
        ("emovo", "f1/gio-f4-b1", "speaker: got 'f4', expected one of f1, f2, f3, m1"),
        ("emovo", "f1/gioia", "name: got 'gioia', expected the like of 'gio-f2-b2'"),
        ("cafe", "Joie/Fort/01-X-1-1", "emotion: got 'X', expected one of C, D, J, N, P, S, T"),
        ("cafe", "Joie/Fort/01-C-3-1", "intensity: got '3', expected one of 1, 2"),
        ("cafe", "Joie/Fort/01-C-1-7", "sentence: got '7', expected one of 1, 2, 3"),
        ("cafe", "Joie/Fort/13-C-1-1", "speaker: got '13', expected one of 01, 02"),
        ("cafe", "Joie/Fort/1-C-1-1", "name: got '1-C-1-1', expected the like of '12-P-2-5'"),
        ("shemo", "male/M36X02", "emotion: got 'X', expected one of A, F, H, N, S, W"),
        ("shemo", "male/X36S02", "name: got 'X36S02', expected the like of 'M36S02'"),
        (
            "mesd",
            "Joy_F_A_tarde",
            "emotion: got 'Joy', expected one of Anger, Disgust, Fear, Happiness, Neutral, Sadness",
        ),
        ("mesd", "Anger_X_A_tarde", "voice: got 'X', expected one of F, M, C"),
        ("mesd", "Anger_F_C_tarde", "name: got 'Anger_F_C_tarde', expected the like of 'Anger_F_A_tarde'"),
        ("urdu", "Angry/SM1_F1_X01", "emotion: got 'X', expected one of A, H, N, S"),
        ("urdu", "Angry/SX1_F1_A01", "name: got 'SX1_F1_A01', expected the like of 'SM1_F10_A010'"),
    ],
)
def test_a_name_that_tells_something_else_is_refused(tree, reader, name, message):
    read = import_module(f"zero_shot_emotion.corpus.readers.{reader}").read
    with pytest.raises(CorpusError, match=re.escape(f"/{name}.wav: {message}")):
        read(tree({f"{name}.wav": "RIFF"}))
