"""Attacks on Verdict: short ones among the tests, long ones by `make torture`."""
