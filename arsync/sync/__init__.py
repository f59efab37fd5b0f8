"""The story, one step a file: settle, pull, proof, route, match, decide, write, settle, proof, report."""
