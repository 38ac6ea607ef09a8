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
        ("No! Never!! You?! ¡Ay! ¿Qué?", "No. Never. You? Ay. ¿Qué?"),
        ("快走！真的！？", "快走.真的?"),
        ("It's 5 < 6 & that's 100% sure, $3.", "It's 5 < 6 & that's 100% sure, $3."),
    ],
)
def test_spoken(line, words):
    assert spoken(line) == words
