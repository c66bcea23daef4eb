"""Embedded PostgreSQL, Redis and S3 storage, installed from Python wheels, for a machine that has none of its own.

`python -m chatproject.embedded` starts them and the application; the tests start only them. Production names its own
services by DATABASE_URL, REDIS_URL and S3_ENDPOINT_URL, and needs nothing of this package.
"""
