import base64

import pytest

from blackbox.backends.api.endpoint import Endpoint
from blackbox.backends.errors import BackendSettingError
from tests.backends.api.calls import KEY


@pytest.mark.parametrize(
    "base_url",
    [
        "ftp://host/v1",
        "api.openai.com/v1",
        "http://",
        "https:///v1",
        "http://host:port/v1",
        "http://host/a b",
        "",
        "/v1",
    ],
)
def test_a_base_url_that_is_none_is_refused(base_url: str) -> None:
    with pytest.raises(BackendSettingError, match="base_url must be http://host/path"):
        Endpoint(base_url, {})


@pytest.mark.parametrize(
    "base_url", [f"http://user:{KEY}@host:port/v1", f"ftp://user:{KEY}@host", f"http://ho st?k={KEY}"]
)
def test_a_refused_base_url_is_not_shown_with_its_secrets(base_url: str) -> None:
    with pytest.raises(BackendSettingError) as refused:
        Endpoint(base_url, {})
    assert KEY not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("value", [f"Bearer {KEY}\n", f"{KEY}é", f" {KEY}", f"{KEY}\r\nX: y"])
def test_a_key_that_http_cannot_carry_is_refused_and_not_shown(value: str) -> None:
    with pytest.raises(BackendSettingError, match="'Authorization'") as refused:
        Endpoint("http://host/v1", {"Authorization": value})
    assert KEY not in str(refused.value)


def test_user_password_and_query_are_sent_but_not_shown() -> None:
    endpoint = Endpoint(f"https://user:pass%2Fword@host:8443/v1/?api-version=2024&key={KEY}", {})
    assert str(endpoint) == "https://host:8443/v1"
    assert endpoint.headers["Authorization"] == "Basic " + base64.b64encode(b"user:pass/word").decode()
    assert endpoint.target("/chat/completions") == "/v1/chat/completions"
    assert endpoint.query == f"api-version=2024&key={KEY}"
    for secret in (KEY, "pass/word", endpoint.headers["Authorization"]):
        assert secret not in endpoint.hide(f"the server says {secret} and {secret}")


def test_a_header_of_the_users_own_goes_before_user_and_password() -> None:
    endpoint = Endpoint("https://user:password@host/v1", {"authorization": f"Bearer {KEY}"})
    assert [value for name, value in endpoint.headers.items() if name.lower() == "authorization"] == [f"Bearer {KEY}"]


def test_a_header_that_is_given_takes_the_place_of_ours_in_capitals_or_not() -> None:
    endpoint = Endpoint("https://host/v1", {"user-agent": "mine"})
    assert endpoint.headers == {"Content-Type": "application/json", "user-agent": "mine"}


def test_secrets_are_taken_out_before_a_text_is_cut() -> None:
    endpoint = Endpoint("https://host/v1", {"x-api-key": KEY})
    for before in range(280, 300):
        assert "very" not in endpoint.hide("." * before + KEY)
