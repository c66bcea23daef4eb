"""Commands of `manage.py` that concern messages: partitions, jobs, demo data."""
