"""The tuning service: jobs whose processes are killed, reads under load, many watchers, many workers."""
