"""What one would pick instead of Verdict, measured on the same reviews."""
