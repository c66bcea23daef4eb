"""What can be wrong, each with a sentence for the person at the terminal."""


class CannotRun(Exception):
    """Something stands in the way; the message says what, and what helps."""


class StopWanted(Exception):
    """Someone asked us to end."""
