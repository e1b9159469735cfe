"""The database's revisions, as alembic runs them; ``storage.upgrade`` and ``downgrade`` are the way in."""
