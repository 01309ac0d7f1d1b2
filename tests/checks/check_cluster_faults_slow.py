#!/usr/bin/env python3
"""Promise: as check_cluster_faults.py, over 200 random fault schedules."""
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault("SCHEDULES", "200")
os.execv(sys.executable, [sys.executable, os.path.join(here, "check_cluster_faults.py"), *sys.argv[1:]])
