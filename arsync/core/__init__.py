"""What accounts receivable is: nouns and rules. Pure: no clock, no I/O, no SQL, no float holding money."""
