#!/usr/bin/env python3
"""Starts a Python worker; the node runs this file. See cocaine/worker.py."""

import os
import sys

if __name__ == "__main__":
    sys.path[0] = os.path.dirname(os.path.abspath(__file__))
    from cocaine.worker import main

    sys.exit(main(sys.argv[1:]))
