"""`python -m verdict_sentiment` is the command `verdict`."""

from verdict_sentiment.cli import main

if __name__ == "__main__":
    main()
