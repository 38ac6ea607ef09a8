"""The realism report: what a labelled corpus of text (and speech) is like, in numbers and on a page."""

from .write import write_report

__all__ = ["write_report"]
