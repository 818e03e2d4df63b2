"""What alembic runs: the migrations, in the transaction of the connection that it is given."""

from alembic import context

from blackbox.service.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
