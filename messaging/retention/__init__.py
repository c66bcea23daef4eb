"""How long things stay: weekly partitions of tables, and purging.

Everything that writes rows into partitions may import it.
"""
