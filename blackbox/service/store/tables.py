"""The tables. A change here needs a migration of its own in `migrations/versions`."""

import sqlalchemy as sa

from blackbox.service.store.columns import Json

metadata = sa.MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"},
)


def _id(name: str = "id", **options: bool) -> sa.Column[str]:
    return sa.Column(name, sa.String(40), **options)  # type: ignore[arg-type]


def _of_job() -> sa.Column[str]:
    return sa.Column("job", sa.String(40), sa.ForeignKey("jobs.id", ondelete="CASCADE"), primary_key=True)


def _number(name: str, default: str | None = "0") -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=default is None, server_default=default)


def _amount(name: str, *, nullable: bool = True) -> sa.Column[float]:
    return sa.Column(name, sa.Double, nullable=nullable)


tokens = sa.Table(
    "tokens",
    metadata,
    _id(primary_key=True),
    _id("owner", nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("secret_sha256", sa.String(64), nullable=False, unique=True),
    sa.Column("role", sa.String(16), nullable=False),
    _number("quota_jobs", None),
    _number("quota_evaluations", None),
    _amount("quota_usd"),
    _number("used_evaluations"),
    sa.Column("used_usd", sa.Double, nullable=False, server_default="0"),
    _amount("created_at", nullable=False),
    _amount("revoked_at"),
)

files = sa.Table(
    "files",
    metadata,
    _id(primary_key=True),
    _id("owner", nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("purpose", sa.String(40), nullable=False),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("format", sa.String(16), nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    _amount("created_at", nullable=False),
    sa.Index(None, "owner", "id"),
)

file_chunks = sa.Table(
    "file_chunks",
    metadata,
    sa.Column("file", sa.String(40), sa.ForeignKey("files.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("content", sa.LargeBinary, nullable=False),
)

jobs = sa.Table(
    "jobs",
    metadata,
    _id(primary_key=True),
    _id("owner", nullable=False),
    sa.Column("status", sa.String(16), nullable=False),
    sa.Column("stop_reason", sa.Text),
    sa.Column("error", sa.Text),
    sa.Column("request", Json, nullable=False),
    sa.Column("metadata", Json, nullable=False),
    sa.Column("backend", sa.Text, nullable=False),
    sa.Column("idempotency_key", sa.String(255)),
    sa.Column("request_sha256", sa.String(64), nullable=False),
    _number("budget_evaluations"),
    _amount("budget_usd"),
    _number("evaluations"),
    _number("generation"),
    _number("entries"),
    _amount("train_loss"),
    sa.Column("dev", Json),
    _number("requests"),
    _number("prompt_tokens"),
    _number("completion_tokens"),
    sa.Column("usd", sa.Double, nullable=False, server_default="0"),
    sa.Column("seconds", sa.Double, nullable=False, server_default="0"),
    sa.Column("summary", Json),
    _number("events"),
    _number("take_overs"),
    _number("stalled"),  # take-overs since it last got further
    sa.Column("worker", sa.String(80)),
    _number("epoch"),  # of the lease: one greater with each claim
    _amount("lease_until"),
    _amount("created_at", nullable=False),
    _amount("started_at"),
    _amount("ended_at"),
    _amount("updated_at", nullable=False),
    sa.Index("uq_jobs_owner_idempotency_key", "owner", "idempotency_key", unique=True),
    sa.Index(None, "owner", "id"),
    sa.Index(None, "owner", "status", "id"),
    sa.Index(None, "status", "id"),
    sa.Index(None, "lease_until"),
)

job_metadata = sa.Table(
    "job_metadata",
    metadata,
    _of_job(),
    sa.Column("key", sa.String(64), primary_key=True),
    sa.Column("value", sa.String(512), nullable=False),
    _id("owner", nullable=False),
    sa.Index(None, "key", "value", "job"),
    sa.Index(None, "owner", "key", "value", "job"),
)

job_files = sa.Table(
    "job_files",
    metadata,
    _of_job(),
    sa.Column("file", sa.String(40), primary_key=True),
    sa.Index(None, "file"),
)

events = sa.Table(
    "events",
    metadata,
    _of_job(),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("type", sa.String(40), nullable=False),
    sa.Column("message", sa.Text, nullable=False),
    sa.Column("data", Json, nullable=False),
    _amount("created_at", nullable=False),
)

evaluations = sa.Table(
    "evaluations",
    metadata,
    _of_job(),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("line", sa.Text, nullable=False),
)

answers = sa.Table(  # of an endpoint, paid for: lines of the run's own journal of answers
    "answers",
    metadata,
    _of_job(),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("line", sa.Text, nullable=False),
)

checkpoints = sa.Table(
    "checkpoints",
    metadata,
    _of_job(),
    sa.Column("generation", sa.BigInteger, primary_key=True),
    _number("evaluations"),
    _amount("train_loss"),
    sa.Column("dev", Json),
    sa.Column("checksum", sa.String(64), nullable=False),
    sa.Column("prompt", sa.Text, nullable=False),
    _amount("created_at", nullable=False),
)

artifacts = sa.Table(
    "artifacts",
    metadata,
    _of_job(),
    sa.Column("name", sa.String(255), primary_key=True),
    sa.Column("size", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
    sa.Column("updated_at", sa.Double, nullable=False),
    sa.Column("content", sa.LargeBinary, nullable=False),
)
