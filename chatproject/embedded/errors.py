"""Why a run ends early."""


class CannotRun(Exception):
    """Something prevents the start or the run; the message tells the person at the terminal what, and what helps."""


class StopRequested(Exception):
    """A signal has asked us to stop."""
