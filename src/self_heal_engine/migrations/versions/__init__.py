"""One file a revision, the first being ``r0001``."""
