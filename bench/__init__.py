"""Measure Verdict's speed, size and cost beside what one would pick instead."""
