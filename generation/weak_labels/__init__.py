"""Weak labels for speech that nobody has labelled: segments, transcripts, labellers, noise control (LanSER)."""
