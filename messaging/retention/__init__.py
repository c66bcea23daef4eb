"""Retention: the weekly partitions of tables, and the deletion of what is kept no longer.

Everything that writes rows into partitions may import it.
"""
