"""Reading: the inbox, unread counts, history, changes since a version or cursor, lists of members and replays.

It writes nothing; realtime and the doors may import it.
"""
