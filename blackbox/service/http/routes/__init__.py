"""The routes of the service: a module each for what belongs together."""
