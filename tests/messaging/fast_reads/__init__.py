"""Tests of the reads that are answered past Django."""
