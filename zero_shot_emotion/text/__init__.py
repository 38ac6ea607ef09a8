"""Text emotion recognition: the words' half of the claim, on the same corpora, splits and metrics as speech."""
