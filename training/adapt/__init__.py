"""Fit the model to someone's own labelled reviews, and compare models."""
