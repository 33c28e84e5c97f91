"""Plays lives from the command line: one with its trace, or very many."""

import sys

from tests.simulation.command import main

sys.exit(main())
