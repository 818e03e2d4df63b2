"""The tuning service over HTTP: routes, access, limits, the page. FastAPI and uvicorn are imported only here."""
