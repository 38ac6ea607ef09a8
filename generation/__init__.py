"""From what is publicly documented of a corpus to labelled dialogues like it."""
