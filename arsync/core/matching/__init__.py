"""Which items does this money pay? Pure rules over a snapshot."""
