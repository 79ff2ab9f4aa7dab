"""Measurements, side by side with a baseline in one run. Never part of the tests."""
