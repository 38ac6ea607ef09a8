"""Frozen features, computed once: the price of any number of training runs is one pass of the upstream.

`extract` sends corpora through an upstream of s3prl's hub and keeps what heads can use in a folder, the store:

>>> from zero_shot_emotion.features import UpstreamSpec, extract
>>> report = extract([corpus], UpstreamSpec("data2vec"), "stores/data2vec")  # doctest: +SKIP
>>> print(report.summary())  # doctest: +SKIP

Whoever trains names the store as the upstream ``stored``; all else stays s3prl's::

    run_downstream.py -m train -n EXP -u stored -k stores/data2vec -d zero_shot_emotion -c CONFIG
    run_downstream.py -m evaluate -e result/downstream/EXP/dev-best.ckpt -t TARGET

Several corpora share one store; what it holds already is not computed again, so `extract` may be called before every
run. An utterance is found by the hash of its audio file's content, never by its path. The store's `FeatureStore.key`
says what made it (upstream, hashes of checkpoint, config and weights, layers, what is kept); `extract` refuses to
add to a store of another key, and `check_stand_in` refuses a config whose training would differ from what the upstream
itself would give.
"""

from .extract import ExtractReport, UpstreamSpec, extract
from .fingerprint import audio_hash
from .stand_in import check_stand_in
from .store import FeatureStore, StoreError

__all__ = ["ExtractReport", "FeatureStore", "StoreError", "UpstreamSpec", "audio_hash", "check_stand_in", "extract"]
