"""Ask Verdict and another service about the same reviews, and compare their answers, times and costs."""
