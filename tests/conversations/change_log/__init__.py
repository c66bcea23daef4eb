"""Tests of the change log and its followers."""
