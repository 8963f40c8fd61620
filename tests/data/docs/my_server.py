"""The reader's own server in the examples of the documentation, a good one.

my_server.py [[HOST] PORT]; without a port it has one of its own.
"""

import runpy
import sys

given = sys.argv[1:]
sys.argv[1:] = given if len(given) == 2 else ["127.0.0.1", *(given or ["0"])]
runpy.run_module("sockcheck.servers.echo", run_name="__main__")
