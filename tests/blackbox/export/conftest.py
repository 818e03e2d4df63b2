from tests.backends.api.conftest import no_proxy
from tests.backends.local.conftest import load, loaded, saved_model

__all__ = ["load", "loaded", "no_proxy", "saved_model"]
