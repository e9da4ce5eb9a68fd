"""The demo plant: its stories told through the same verbs that people use, with the clock moved."""
