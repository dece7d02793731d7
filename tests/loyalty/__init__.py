"""Tests of loyalty, one file per topic."""
