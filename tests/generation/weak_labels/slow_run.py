"""Labels a corpus slowly enough to be killed: ``slow_run.py CORPUS OUT CONFIG SECONDS``."""

import sys
import time

from generation.weak_labels.settings import read_settings
from generation.weak_labels.similarity import Similarity
from generation.weak_labels.weak_label import weak_label
from zero_shot_emotion.corpus.readers import open_corpus


def main(corpus: str, out: str, config: str, seconds: str) -> None:
    real = Similarity.label

    def label(self, turns):
        time.sleep(float(seconds))
        return real(self, turns)

    Similarity.label = label
    weak_label(open_corpus(corpus), out, read_settings(config))


if __name__ == "__main__":
    main(*sys.argv[1:])
