"""What a user can mend."""


class UserError(ValueError):
    """A mistake of the user: one clear line, no traceback.

    The message says what is wrong, where, and what to write instead. Everything else that goes wrong is ours and
    keeps its traceback.
    """
