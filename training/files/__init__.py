"""Read files of reviews row by row, and answer them in resumable parts on all cores."""
