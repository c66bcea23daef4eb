"""Reading: the inbox, history, lists of members, replays and catching up.

It writes nothing; realtime and the doors may import it.
"""
