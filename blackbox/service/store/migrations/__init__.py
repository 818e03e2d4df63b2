"""Migrations of the tables, by alembic."""
