"""The model server: a local backend over HTTP, for `blackbox.backends.RemoteBackend`. Needs the extra `service`.

A call goes one way: `app` reads its body within the limits, `calls` makes a call of it, `worker` hands it to the one
thread that owns the model, alone or together with others, and what the model says goes back. docs/model-server.md has
the protocol.
"""

from blackbox.model_server.app import make_app
from blackbox.model_server.serving import serve

__all__ = ["make_app", "serve"]
