"""Tests of the measures of loyalty, one file per topic."""
