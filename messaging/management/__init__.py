"""Commands for `manage.py`, and the demo data.

Part of the assembly: no room imports it but the checks and the lifespan.
"""
