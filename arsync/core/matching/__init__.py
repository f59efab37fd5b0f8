"""Which items does this money pay? Pure rules over a snapshot.

The story is `engine.match`; `decide.decide` says what follows, `learn.learn` what a confirmation teaches.
"""
