"""Text to ids, and the messages: shared by the Lambda, the endpoint, training and batch; knows no AWS and no torch."""
