"""Checkpoints of some kilobytes: random ones in the real layouts, and an entailment model whose answers are known."""

import json
from pathlib import Path

import torch
from tokenizers.pre_tokenizers import ByteLevel
from torch import nn
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    BertConfig,
    BertForSequenceClassification,
    BertModel,
    BertTokenizerFast,
    PretrainedConfig,
    PreTrainedModel,
    WhisperConfig,
    WhisperFeatureExtractor,
    WhisperForConditionalGeneration,
    WhisperProcessor,
    WhisperTokenizer,
    WhisperTokenizerFast,
)
from transformers.modeling_outputs import SequenceClassifierOutput

WORDS = (
    "the emotion of conversation is this example i feel . , ' neutral calm happy joyful cheerful angry furious annoyed "
    "sad sorrowful unhappy fearful afraid scared disgusted revolted surprised astonished so am very we lost won what "
    "a day it was today never again please leave me alone thank you n / voice ( )"
)
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
NLI = {"CONTRADICTION": 0, "Entailment": 1, "neutral": 2}
"""Neither the order nor the spelling that one might take for granted."""

WHISPERS_OWN = (
    *("endoftext", "startoftranscript", "translate", "transcribe", "startoflm", "startofprev", "nospeech"),
    "notimestamps",
)
TIMES = [f"<|{0.02 * i:.2f}|>" for i in range(1501)]


def tokenizer(folder: Path) -> BertTokenizerFast:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join([*SPECIAL, *WORDS.split()]), encoding="utf-8")
    made = BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=64)
    made.save_pretrained(folder)
    return made


def random_nli(folder: Path, labels: dict[str, int] = NLI) -> Path:
    """A random BERT with three outputs."""
    config = _bert(len(tokenizer(folder)), label2id=labels, id2label={i: name for name, i in labels.items()})
    return _save(folder, BertForSequenceClassification, config)


def random_encoder(folder: Path, seed: int = 0) -> Path:
    return _save(folder, BertModel, _bert(len(tokenizer(folder))), seed)


def _bert(vocabulary: int, **options) -> BertConfig:
    return BertConfig(
        vocab_size=vocabulary,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
        initializer_range=0.5,
        **options,
    )


def _save(folder: Path, kind: type[PreTrainedModel], config: PretrainedConfig, seed: int = 0) -> Path:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        kind(config).save_pretrained(folder)
    return folder


class OverlapConfig(PretrainedConfig):
    model_type = "overlap-nli"


class OverlapNLI(PreTrainedModel):
    """Entails by ten times the share of the hypothesis's words that the premise holds."""

    config_class = OverlapConfig

    def __init__(self, config: OverlapConfig) -> None:
        super().__init__(config)
        self.scale = nn.Parameter(torch.tensor(10.0))
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        pass

    def forward(self, input_ids, attention_mask, token_type_ids) -> SequenceClassifierOutput:
        shares = []
        for ids, mask, segments in zip(input_ids, attention_mask, token_type_ids, strict=True):
            words = (ids >= len(SPECIAL)) & mask.bool()
            premise, hypothesis = set(ids[words & (segments == 0)].tolist()), ids[words & (segments == 1)].tolist()
            shares.append(sum(word in premise for word in hypothesis) / max(len(hypothesis), 1))
        entailed = self.scale * torch.tensor(shares)
        return SequenceClassifierOutput(logits=torch.stack([-entailed, entailed, torch.full_like(entailed, 99)], dim=1))


AutoConfig.register(OverlapConfig.model_type, OverlapConfig)
AutoModelForSequenceClassification.register(OverlapConfig, OverlapNLI)


def overlap_nli(folder: Path) -> Path:
    tokenizer(folder)
    OverlapNLI(OverlapConfig(label2id=NLI, id2label={i: name for name, i in NLI.items()})).save_pretrained(folder)
    return folder


def random_whisper(folder: Path) -> Path:
    """A random English-only Whisper of one layer, with a byte for a token."""
    folder.mkdir(parents=True, exist_ok=True)
    # the tokens of GPT-2's byte-level vocabulary: printable bytes stand for themselves
    vocabulary = {chr(code): code - 33 for code in range(33, 127)} | {"Ġ": 94}
    special = ["<|endoftext|>", "<|startoftranscript|>", "<|notimestamps|>"]
    vocabulary |= {token: 95 + i for i, token in enumerate(special)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf-8")
    (folder / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    tokens = WhisperTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt"))
    WhisperProcessor(WhisperFeatureExtractor(feature_size=80), tokens).save_pretrained(folder)
    config = _whisper(98, 95, max_target_positions=64)
    return _save(folder, WhisperForConditionalGeneration, config)


def _whisper(vocabulary: int, end: int, **options) -> WhisperConfig:
    """One layer; of its tokens the one after the end begins a transcript."""
    return WhisperConfig(
        vocab_size=vocabulary,
        d_model=16,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=2,
        decoder_attention_heads=2,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        num_mel_bins=80,
        pad_token_id=end,
        bos_token_id=end,
        eos_token_id=end,
        decoder_start_token_id=end + 1,
        init_std=0.5,
        suppress_tokens=None,
        begin_suppress_tokens=None,
        **options,
    )


def converted_whisper(folder: Path) -> Path:
    """A random English-only Whisper of one layer that writes small letters, in CTranslate2's format."""
    from ctranslate2.converters import TransformersConverter

    source, vocabulary = folder / "transformers", sorted(ByteLevel.alphabet())
    special = [f"<|{name}|>" for name in WHISPERS_OWN]
    names = {token: i for i, token in enumerate([*vocabulary, *special, *TIMES])}
    source.mkdir(parents=True, exist_ok=True)
    (source / "vocab.json").write_text(json.dumps(names), encoding="utf-8")
    (source / "merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    tokens = WhisperTokenizerFast(str(source / "vocab.json"), str(source / "merges.txt"))
    tokens.add_special_tokens({"additional_special_tokens": special[1:]})
    tokens.add_tokens(TIMES)
    WhisperProcessor(WhisperFeatureExtractor(feature_size=80), tokens).save_pretrained(source)
    config = _whisper(len(names), names["<|endoftext|>"], max_target_positions=448)
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        model = WhisperForConditionalGeneration(config)
        for token in vocabulary:
            if not "a" <= token <= "z":
                model.model.decoder.embed_tokens.weight[names[token]] = 0
        model.save_pretrained(source)
    copied = ["tokenizer.json", "preprocessor_config.json"]
    TransformersConverter(str(source), copy_files=copied).convert(str(folder / "converted"))
    return folder / "converted"
