"""Attacks on Verdict: short ones in the tests, long ones in `make torture`."""
