"""Bank files: recognise, decode, read, number and prove them; see `mapping.read_file`."""
