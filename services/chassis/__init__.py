"""Plumbing without a business noun: what every service stands on."""
