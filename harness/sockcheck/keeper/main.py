"""The program that is run as the keeper: `python -I -S main.py FD`, FD being its control socket.

It is this short because a program is compiled at each start, while what it imports has been compiled already.
"""

import os
import sys

# At the end, so that nothing that lies beside the package shadows the standard library.
sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from sockcheck.keeper import program

if __name__ == "__main__":
    program.main(int(sys.argv[1]))
