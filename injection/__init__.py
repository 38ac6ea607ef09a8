"""Emotional speech: from a corpus of neutral speech to one that sounds as its labels say."""

from .inject import inject
from .method import InjectionError, Method, Settings, load_method
from .rules import Prosody, Rule, RulesError, RuleSet, load_rules

__all__ = [
    "InjectionError",
    "Method",
    "Prosody",
    "Rule",
    "RuleSet",
    "RulesError",
    "Settings",
    "inject",
    "load_method",
    "load_rules",
]
