"""A real service on loopback: uvicorn in a thread, SQLite in a folder, requests over TCP."""

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from blackbox.listening import listening
from blackbox.service.http.app import make_app
from blackbox.service.http.limits import Limits, Rate
from blackbox.service.http.server import Server
from blackbox.service.operator import BackendEntry, Operator
from blackbox.service.store import Role, Store, open_store

OPERATOR = Operator(
    {
        "fake": BackendEntry(backend="fake", description="For trying things out.", max_evaluations=10_000),
        "hosted": BackendEntry(
            backend="openai", model="m", base_url="http://secret.example:1/v1", key_variable="SECRET_KEY", max_usd=2.0
        ),
    }
)
ROWS = "".join(
    f'{{"text": "{word} number {i}", "label": "{label}"}}\n'
    for i in range(8)
    for word, label in (("fine", "good"), ("poor", "bad"))
)
SETTINGS = {
    "space": "texts",
    "prompts": ["Judge. ", "Is it good? ", "Say. "],
    "template": "{text} It was {label}.",
    "label_words": {"good": "great", "bad": "awful"},
    "evaluations": 20,
    "racing": "off",
}
FREE = Limits(
    rates={sort: Rate(100_000, 100_000) for sort in ("read", "write", "upload", "download", "predict", "stream")}
)


@dataclass(frozen=True)
class Running:
    """A service that runs; `token` of an owner "a", where it has tokens."""

    url: str
    store: Store
    folder: Path
    token: str | None = None

    def ask(self, method: str, path: str, *, token: str | None = None, **arguments: Any) -> requests.Response:
        """One request, by a connection of its own."""
        secret = self.token if token is None else token
        headers = {**({"authorization": f"Bearer {secret}"} if secret else {}), **arguments.pop("headers", {})}
        return requests.request(method, self.url + path, headers=headers, timeout=20, **arguments)

    def upload(self, content: str | bytes = ROWS, *, name: str = "rows.jsonl", token: str | None = None) -> str:
        """The id of a file that is handed in."""
        answer = self.ask("POST", "/v1/files", files={"file": (name, content)}, token=token)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def submit(self, *, token: str | None = None, **body: Any) -> dict[str, Any]:
        """A job that is handed in."""
        file = body.pop("training_file", None) or self.upload(token=token)
        body = {"backend": "fake", "training_file": file, "settings": SETTINGS, **body}
        answer = self.ask("POST", "/v1/tuning/jobs", json=body, token=token)
        assert answer.status_code == 201, answer.text
        return dict(answer.json())

    def new_token(self, role: Role = "submit", *, owner: str | None = None) -> str:
        """The secret of a new token."""
        return self.store.tokens.create("test", role, owner=owner)[1]


@contextmanager
def running(
    folder: Path, *, limits: Limits = FREE, with_token: bool = False, operator: Operator = OPERATOR
) -> Iterator[Running]:
    """A service in a folder."""
    with open_store(f"sqlite:///{folder / 'service.sqlite'}") as store, closing(listening("127.0.0.1", 0)) as at:
        listens = threading.Event()
        app = make_app(store, operator, folder=folder, limits=limits)
        server = Server(app, started=listens.set)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [at]})
        thread.start()
        try:
            assert listens.wait(20)
            secret = store.tokens.create("a", "submit")[1] if with_token else None
            yield Running(f"http://127.0.0.1:{at.getsockname()[1]}", store, folder, secret)
        finally:
            server.should_exit = True
            thread.join(20)
