"""Which key encrypts: the registry of keys and of the server processes that know them, in PostgreSQL.

A key that is new in CHAT_KEYS is *known*; it becomes *current* once every running server process has reported that it
knows it; the former current one is *retired*, and still opens what it sealed. So at no moment does one process seal
what another cannot open. `registry` has the rules, `reporter` runs in each server process. Rooms that start processes
import it; what seals and opens asks `chatproject.core.encryption` alone.
"""
