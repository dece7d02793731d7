"""Tests of the measures of account management."""
