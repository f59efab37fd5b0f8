"""One reader a format: text or bytes of one file to `Statement`s; pure, no store, no network."""
