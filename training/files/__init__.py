"""Read files of reviews row by row, and predict them in resumable parts on all cores."""
