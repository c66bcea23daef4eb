"""Watermarks: how far each participant was delivered to and has read, batched, stored and published.

Sync, realtime and the doors may import it.
"""
