"""When the money comes: delay curves per customer, and cash by week from the open book."""
