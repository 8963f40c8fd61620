"""Hypothesis on a busy machine: an example may take as long as it must, only a wrong one fails."""

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

settings.register_profile("sockcheck", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("sockcheck")
