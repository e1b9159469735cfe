"""What the app alone uses: schemas, worker processes, auth, limits, logs, metrics, health."""
