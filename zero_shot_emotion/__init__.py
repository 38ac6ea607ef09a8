"""Speech emotion recognition for a corpus of which nothing may be used: an s3prl downstream.

This module stays empty of imports: s3prl reaches the downstream through it, and the interpreter's
start-up passes through it too.
"""

__version__ = "0.1.0"
