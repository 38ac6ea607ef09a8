import pytest

from generation.shipped import shipped_dialogues
from generation.spoken import spoken


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("Hello there.", "Hello there."),
        ("  a \n b\tc\u00a0d ", "a b c d"),
        # stage directions
        ("(sighs) I know.", "I know."),
        ("I know. (sighs)", "I know."),
        ("I (laughing) know.", "I know."),
        ("I know (sighs), really.", "I know, really."),
        ("(sighs), I know.", "I know."),
        ("[slams the door] Out!", "Out!"),
        ("Out! {beat} Now!", "Out! Now!"),
        ("(a (nested) one) Out!", "Out!"),
        ("(two) (of them) Out! (there)", "Out!"),
        ("*sighs* I know.", "I know."),
        ("I know. *shakes her head* Fine.", "I know. Fine."),
        ("Oh *laughs* no!", "Oh no!"),
        ("I know *sighs*", "I know"),
        ("*Laughing* Stop it!", "Stop it!"),
        ("*seufzt* Ja, gut.", "Ja, gut."),
        ("我（笑）知道。", "我知道。"),
        ("【叹气】好吧。", "好吧。"),
        ("(laughs only)", ""),
        # stress, markup
        ("I *really* mean it.", "I really mean it."),
        ("It was *him*.", "It was him."),
        ("**Never** again.", "Never again."),
        ("__Never__ again.", "Never again."),
        ("_Never_ again, snake_case.", "Never again, snake_case."),
        ("`Never` again.", "Never again."),
        ("<i>Never</i> again.", "Never again."),
        ("Stray ( bracket * and ] others", "Stray bracket and others"),
        # quotation marks of the whole
        ('"I know."', "I know."),
        ("“I know.”", "I know."),
        ("„Ich weiß.“", "Ich weiß."),
        ("»Ich weiß.«", "Ich weiß."),
        ("« Je sais. »", "Je sais."),
        ("«Lo so.»", "Lo so."),
        ("「知道了。」", "知道了。"),
        ("‘I don’t know.’", "I don’t know."),
        ("'I don't know.'", "I don't know."),
        ('(sighs) "I know."', "I know."),
        ('"(sighs) I know."', "I know."),
        # quotation marks within
        ('"No," he said, "never."', '"No," he said, "never."'),
        ('She said "never" to me.', 'She said "never" to me.'),
        ("'Cause I know, that's why.", "'Cause I know, that's why."),
        # pictures, dashes, dots
        ("Great 🎉!", "Great!"),
        ("Great \u2764\ufe0f so great", "Great so great"),
        ("— Je sais.", "Je sais."),
        ("...and then what?", "...and then what?"),
        ("It's 20° outside, no. 5 at 10:30.", "It's 20° outside, no. 5 at 10:30."),
        ("half a smile \ud83d", "half a smile"),
        ("a\u0000b", "a b"),
        ("", ""),
    ],
)
def test_only_what_is_said_stays(written: str, said: str) -> None:
    assert spoken(written) == said
    assert spoken(said) == said


@pytest.mark.parametrize("name", ["iemocap", "multilingual-fr", "multilingual-cmn"])
def test_lines_at_rest_are_what_they_are_with_a_direction_before_them(name: str) -> None:
    lines = [turn["text"] for dialogue in shipped_dialogues(name) for turn in dialogue.response["turns"]]
    assert [spoken(line) for line in lines] == [spoken(f"(sighs) {line}") for line in lines]
