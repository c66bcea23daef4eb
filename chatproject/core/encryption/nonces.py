"""Random nonces for AES-GCM."""

import os

NONCE_BYTES = 12
NONCES_AT_ONCE = 256


class Nonces:
    """Random nonces, generated many at a time: asking the system for each costs as much as the encryption."""

    def __init__(self) -> None:
        self._drawn: list[bytes] = []
        # A forked child must not use the same nonces as its parent.
        os.register_at_fork(after_in_child=self._forget)

    def next(self) -> bytes:
        # Two threads never get the same one: `pop` is atomic.
        try:
            return self._drawn.pop()
        except IndexError:
            drawn = os.urandom(NONCES_AT_ONCE * NONCE_BYTES)
            nonce, *rest = (drawn[n : n + NONCE_BYTES] for n in range(0, len(drawn), NONCE_BYTES))
            self._drawn = rest
            return nonce

    def _forget(self) -> None:
        self._drawn = []
