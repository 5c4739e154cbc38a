"""What app.py's routes stand on: the endpoint, answers, problems, the log line, the OpenAPI document."""
