"""Tests of the measures of exercise 3."""
