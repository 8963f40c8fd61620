"""Conditions: the laws of sockets that any exchange must survive, and the cases that try them.

Each condition is a pure function from an exchange to its variations. A condition never changes what the exchange means:
where it would, it has no variation of that exchange, and says why. The rules stand in the functions that keep them.
"""
