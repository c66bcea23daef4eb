"""Commands of `manage.py`: migrations, documents, the table of settings."""
