"""Text to ids, and the messages: for Lambda, endpoint, training and batch; knows no AWS and no torch."""
