"""What holds for all tests, in whatever surroundings they are begun.

An example of Hypothesis may take as long as it must on a busy machine; only a wrong one fails. A shell begins what runs
in the background with SIGINT ignored, and whatever a test starts would ignore it as well.
"""

import signal

from hypothesis import HealthCheck, settings

pytest_plugins = ["pytester"]

settings.register_profile("sockcheck", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True)
settings.load_profile("sockcheck")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
