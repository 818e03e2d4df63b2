"""Models behind a model server (`blackbox serve-model`): every kind of prompt, over HTTP.

A call goes one way: `RemoteBackend` checks it, `prompts` and `container` make a message of it, `Transport` sends it
until it is answered, `answers` reads the reply. The server (`blackbox.model_server`) uses the same parts from the other
end.
"""

from blackbox.backends.remote.backend import RemoteBackend

__all__ = ["RemoteBackend"]
