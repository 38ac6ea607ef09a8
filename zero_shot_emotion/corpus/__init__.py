"""The ground floor: utterances, corpora, labels, manifests, readers, splits and the stage runner."""

from ..errors import UserError, explain
from .atomic import atomic_write
from .corpus import CARD, MANIFEST, Corpus, CorpusError, id_of
from .labels import EMOTIONS, FOUR, LABEL_SETS, LabelError, LabelSet, label_set
from .utterance import Utterance

__all__ = [
    "CARD",
    "EMOTIONS",
    "FOUR",
    "LABEL_SETS",
    "MANIFEST",
    "Corpus",
    "CorpusError",
    "LabelError",
    "LabelSet",
    "UserError",
    "Utterance",
    "atomic_write",
    "explain",
    "id_of",
    "label_set",
]
