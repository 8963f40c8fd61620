"""Contracts and scenarios as YAML, drafted from what a server was seen to do. `sockcheck init` writes them down."""
