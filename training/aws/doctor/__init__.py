"""Find, before a deploy, everything that would break it, and print what to do about each fault.

A module a kind of check: ``machine``, ``settings``, ``cors``, ``lambda_zip`` and ``account``.
"""
