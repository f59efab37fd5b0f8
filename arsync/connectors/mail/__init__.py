"""Mailboxes: letters by IMAP, and what a letter proves about its sender."""
