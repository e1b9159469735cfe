"""What alembic runs to migrate: always on the connection, and in the transaction, that storage.py opened."""

from alembic import context

# Alembic runs this file under the name it makes of the file's; imported by anything else it does nothing.
if __name__ == "env_py":
    context.configure(connection=context.config.attributes["connection"])
    context.run_migrations()
