"""Messages: drafts, the append and its group commit, edits, reactions, mentions, notices, events and JSON.

The core of the application. Receipts, sync, realtime and the doors import it; it imports none of them.
"""
