"""Compare Verdict with another service on the same reviews: answers, times and costs."""
