"""Workers: processes that claim jobs, run them by the library, and keep the database up to date."""
