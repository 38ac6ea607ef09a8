"""What can go wrong in generation and a user can mend."""

from zero_shot_emotion.errors import UserError


class GenerationError(UserError, ValueError):
    """A corpus that cannot be made as asked."""


class EndpointError(UserError, RuntimeError):
    """An endpoint that is not set up as it must be, refuses, or does not answer. The answers it gave are kept."""
