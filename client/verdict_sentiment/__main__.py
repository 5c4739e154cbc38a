"""Run the command `verdict` as `python -m verdict_sentiment`."""

from verdict_sentiment.cli import main

if __name__ == "__main__":
    main()
