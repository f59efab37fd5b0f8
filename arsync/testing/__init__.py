"""What others may try arsync with."""
