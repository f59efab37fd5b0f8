"""What listens: the way back of a sign-in, and platforms that say that something changed."""
