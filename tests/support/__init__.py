"""What several tests need: the running app, free ports, stand-ins for AWS on loopback."""
