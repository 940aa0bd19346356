"""Measurements, in ratios of one run."""
