"""Tokens, on SQLite and on PostgreSQL."""

import pytest
import sqlalchemy as sa

from blackbox.service.errors import MissingError, QuotaError
from blackbox.service.store import Quotas, Store, open_store
from blackbox.service.store.database import make_engine


def test_a_token_is_found_by_its_secret_alone(store: Store) -> None:
    token, secret = store.tokens.create("ci", "submit", quotas=Quotas(jobs=3, usd=1.5))
    assert store.tokens.find(secret) == token == store.tokens.get(token.id)
    assert (token.role, token.quotas, token.owner) == ("submit", Quotas(3, None, 1.5), token.id)
    for other in (token.id, secret[:-1], secret + "x", "", "\x00", "\ud800"):
        assert store.tokens.find(other) is None


def test_secrets_stand_nowhere_in_the_database(store: Store, database_url: str) -> None:
    _, secret = store.tokens.create("ci", "read")
    engine = make_engine(database_url)
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT * FROM tokens")).all()
    engine.dispose()
    assert secret not in repr(rows)
    assert secret.startswith("bb-")
    assert len(secret) > 40


def test_a_revoked_token_is_found_no_more_and_stays_in_the_list(store: Store) -> None:
    token, secret = store.tokens.create("ci", "admin")
    revoked = store.tokens.revoke(token.id)
    assert revoked.revoked_at is not None
    assert store.tokens.find(secret) is None
    assert store.tokens.revoke(token.id) == revoked
    assert store.tokens.list() == (revoked,)


def test_a_service_that_had_a_token_is_never_open_again(store: Store) -> None:
    assert not store.tokens.any()
    token, _ = store.tokens.create("ci", "admin")
    store.tokens.revoke(token.id)
    assert store.tokens.any()


def test_a_token_can_be_for_anothers_things(store: Store) -> None:
    owner, _ = store.tokens.create("owner", "submit")
    reader, _ = store.tokens.create("reader", "read", owner=owner.id)
    assert (reader.owner, reader.id != owner.id) == (owner.id, True)


def test_there_is_no_token_of_another_id(store: Store) -> None:
    for call in (store.tokens.get, store.tokens.revoke):
        with pytest.raises(MissingError, match="there is no token"):
            call("token-none")


def test_what_is_used_outside_of_jobs_counts_until_the_quota_is_used_up(store: Store) -> None:
    token, _ = store.tokens.create("ci", "submit", quotas=Quotas(usd=1.0, evaluations=10))
    store.tokens.charge(token.id, usd=0.75, evaluations=2)
    store.tokens.charge(token.id, usd=0.5)
    used = store.tokens.get(token.id)
    assert (used.used_usd, used.used_evaluations) == (1.25, 2)
    with pytest.raises(QuotaError, match=r"'usd': 1.25 of 1 are used"):
        store.tokens.charge(token.id, usd=0.0)
    store.tokens.charge("local", usd=100.0)


def test_tokens_are_there_when_the_database_is_opened_again(store: Store, database_url: str) -> None:
    token, secret = store.tokens.create("ci", "submit")
    with open_store(database_url) as again:
        assert again.tokens.find(secret) == token
