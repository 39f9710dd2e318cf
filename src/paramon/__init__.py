"""The collector of what a job does at run time. Standard library alone, Python 3.9 and later."""

VERSION = "0.1.0"
