"""The admin site: who may use it, and what its index shows.

Part of the assembly: it may import every app, and no app imports it.
"""
