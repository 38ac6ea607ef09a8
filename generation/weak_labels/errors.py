"""What can go wrong in weak labelling and a user can mend."""

from zero_shot_emotion.errors import UserError


class WeakLabelError(UserError, ValueError):
    """A corpus that cannot be labelled as asked."""
