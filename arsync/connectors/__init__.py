"""The outside world. Connectors translate; they decide nothing."""
