"""What arsync remembers. The only room with SQL (with migrations)."""
