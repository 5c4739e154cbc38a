"""Text to ids, and the messages, shared by app, endpoint and training. Imports no AWS, torch or numpy."""
