"""The tuning service over HTTP: routes, access, limits, the page. FastAPI, Starlette and uvicorn are imported only here."""
