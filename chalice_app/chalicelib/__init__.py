"""The modules behind app.py's routes: endpoint, answers, problems, keys, log line, OpenAPI document."""
