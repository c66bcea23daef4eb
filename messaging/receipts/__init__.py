"""Receipts: up to where messages were delivered to each participant and read; batched, stored and published.

Sync, realtime and the doors may import it.
"""
