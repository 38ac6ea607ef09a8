"""The root of the errors that a user can mend."""


class UserError(Exception):
    """Bad input. The message says what came, where, and what was expected; a traceback would add nothing."""
