"""The parts of run.py: checks before the start, supervisor of the processes, message when ready."""
