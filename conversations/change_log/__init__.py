"""The change log: what has changed in which conversation, for everything that follows what happens.

Every statement that gives conversations a new version leaves one entry, written by a trigger in the same transaction
(`conversations.models.change_log`). A follower (`Follower` in `follower.py`) reads them one after another and keeps
something of its own up to date: counts, an index, what is to be sent elsewhere. It sees every change, whichever
process and however long a transaction it came from, and its own writes are committed together with its mark.

Followers live in the rooms whose data they keep; `manage.py follow` runs them. This room imports the models only.
"""
