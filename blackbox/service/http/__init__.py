"""The tuning service over HTTP: routes, access, limits and the page. FastAPI, Starlette and uvicorn are imported here only."""
