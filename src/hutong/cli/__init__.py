"""
The command line: parse, call one thing, print what it says.

A command that needs a running node talks to its API, as anybody would, and never around it. What went wrong is one
line on stderr with the refusal's name and facts: exit code 1 when something said no, 2 when the command line itself
is wrong. With `--json` the answer is one JSON value on stdout, the error one JSON line on stderr, and nothing is asked.
"""
