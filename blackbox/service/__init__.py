"""The tuning service: jobs that are handed in, kept in a database and done by workers."""
