import pytest

from tts.text import spoken


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("I'm fine.", "I'm fine."),
        ("[sighs] I'm fine (pause) now.", "I'm fine now."),
        ("*laughs softly* Oh, come on! *sniffs* Really?", "Oh, come on. Really?"),
        ("I *never* said that.", "I never said that."),
        ("**Stop**, _now_!", "Stop, now."),
        ("So happy 😂🎉 for you ❤️! 👩🏽‍🚒", "So happy for you."),
        ("你好(笑),你好。", "你好 ,你好。"),
        ("क्‍ष می‌روم", "क्‍ष می‌روم"),
        ("(door slams)", ""),
        ("[[sighs]] Well, ((he laughs)) yes.", "Well, yes."),
        ("No! Never!! You?! ¡Ay! ¿Qué?", "No. Never. You? Ay. ¿Qué?"),
        ("快走！真的！？", "快走.真的?"),
        ("It's 5 < 6 & that's 100% sure, $3.", "It's 5 < 6 & that's 100% sure, $3."),
        ("Haha, that's funny. Hahaha!", "that's funny."),
        ("hehe ok lol, ha ha ha", "ok"),
        ("So you *laughs* won? *Cries softly*", "So you won?"),
        ("Ha! Aha, Haha-ville, he hee, ja ja.", "Ha. Aha, Haha-ville, he hee, ja ja."),
        ("哈哈哈，好吧 ㅋㅋㅋ", "好吧"),
    ],
)
def test_spoken(line, words):
    assert spoken(line) == words
