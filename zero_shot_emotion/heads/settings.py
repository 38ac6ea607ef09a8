"""Settings of M5SER's head: Emotion Q-Former, language model, losses.

The paper (Zou et al., ICME 2025, arXiv 2503.21806) names the parts: a frozen Whisper encoder, an Emotion Q-Former, a
frozen LLaMA 3 that predicts an emotion word, and contrastive alignment in two stages. Its public text gives no number
of queries, no width, no exact losses, no temperature and no schedule. All the values here are ours.
"""

from __future__ import annotations

from string import Formatter
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

Count = Annotated[int, Field(ge=1)]
Weight = Annotated[float, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _fills_in(template: str, *known: str) -> str:
    """A template that names nothing else in braces."""
    expected = f"a text whose only braces are {' and '.join(f'{{{name}}}' for name in known)}"
    try:
        named = [name for _, name, _, _ in Formatter().parse(template) if name is not None]
    except ValueError:
        raise ValueError(expected) from None
    if not set(named) <= set(known):
        raise ValueError(expected)
    return template


class QFormerSettings(_Section):
    """``qformer``: transformers' Q-Former over the upstream's frames. Ours.

    Attributes:
        queries: learnt vectors that ask the speech.
        layers: of self- and cross-attention.
        width: of the queries; a multiple of ``heads``.
        heads: of attention.
        cross_attention_frequency: every so many layers look at the speech.
        dropout: in attention and after it.
    """

    queries: Count = 32
    layers: Count = 4
    width: Count = 256
    heads: Count = 4
    cross_attention_frequency: Count = 1
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.1

    @field_validator("heads")
    @classmethod
    def _divides(cls, heads: int, info: Any) -> int:
        if info.data.get("width", heads) % heads:
            raise ValueError(f"a divisor of width, {info.data['width']}")
        return heads


class LoraSettings(_Section):
    """``lora``: low-rank adapters in the language model, by peft. Ours; the paper's language model is frozen.

    Attributes:
        rank: 0 is none.
        alpha: scale times rank.
        dropout: before the adapters.
        target_modules: names of the linear layers; None leaves it to peft.
    """

    rank: Annotated[int, Field(ge=0)] = 0
    alpha: Count = 16
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.05
    target_modules: tuple[str, ...] | None = None


class LanguageModelSettings(_Section):
    """``language_model``: any of Hugging Face's causal ones, frozen.

    Attributes:
        name: on the hub, or its folder. LLaMA 3 is the paper's; its size is ours.
        revision: branch, tag or commit on the hub.
        dtype: of its weights.
        load_in_4bit: quantise it by bitsandbytes, which needs a GPU.
        device_map: as accelerate takes it, such as ``auto``; None keeps it beside the head.
        gradient_checkpointing: compute activations twice instead of keeping them; in training each candidate of
            several tokens then goes through the whole prompt.
        instruction: what it is told; ``{emotions}`` becomes the candidate words, ``<speech>`` the speech tokens.
        answer: ``candidates`` are scored, in training and tests too; ``free`` has ``-m inference`` tell besides what
            the model says by itself.
        max_new_tokens: of a free answer.
        lora: adapters.
    """

    name: str = "meta-llama/Meta-Llama-3-8B-Instruct"
    revision: str | None = None
    dtype: Literal["float32", "bfloat16", "float16"] = "bfloat16"
    load_in_4bit: bool = False
    device_map: str | None = None
    gradient_checkpointing: bool = False
    instruction: str = (
        "You hear one utterance of speech. Name the emotion of the speaker in one word, out of: {emotions}. "
        "Speech: <speech> Emotion:"
    )
    answer: Literal["candidates", "free"] = "candidates"
    max_new_tokens: Count = 8
    lora: LoraSettings = LoraSettings()

    @field_validator("instruction")
    @classmethod
    def _holds_speech_once(cls, instruction: str) -> str:
        if instruction.count("<speech>") != 1:
            raise ValueError("a text that holds <speech> exactly once")
        return _fills_in(instruction, "emotions")


class LossSettings(_Section):
    """``loss``: what is minimised. Contrast in two stages is the paper's; each formula and weight is ours.

    Attributes:
        language_model: weight of the cross-entropy of the true word, given instruction and speech.
        text_contrast: weight of InfoNCE between speech and emotion-bearing text, in both directions.
        emotion_contrast: weight of supervised contrast among utterances (Khosla et al. 2020).
        temperature: of both contrasts.
        positives: what makes two utterances alike in the supervised contrast: stage 1 takes ``emotion``, stage 2
            ``emotion-or-sentence``, the same sentence in another language (the column ``parallel``) as well.
        text: what the emotion-bearing text says; ``{emotion}`` and ``{text}`` are filled in.
        speaker_adversary: weight of the classifier of speakers whose gradient is reversed (Ganin & Lempitsky 2015).
        language_adversary: as well, of languages.
        dimensions: of the space in which contrasts are taken.
    """

    language_model: Weight = 1.0
    text_contrast: Weight = 0.5
    emotion_contrast: Weight = 0.5
    temperature: Annotated[float, Field(gt=0)] = 0.07
    positives: Literal["emotion", "emotion-or-sentence"] = "emotion"
    text: str = "The speaker sounds {emotion} and says: {text}"
    speaker_adversary: Weight = 0.0
    language_adversary: Weight = 0.0
    dimensions: Count = 128

    @field_validator("text")
    @classmethod
    def _is_filled_in(cls, text: str) -> str:
        return _fills_in(text, "emotion", "text")


class EmotionQFormerSettings(_Section):
    """``EmotionQFormer``: M5SER's head.

    Attributes:
        words: what the language model may answer, by class; by default the English adjective of each.
    """

    qformer: QFormerSettings = QFormerSettings()
    language_model: LanguageModelSettings = LanguageModelSettings()
    loss: LossSettings = LossSettings()
    words: dict[str, str] = {}
