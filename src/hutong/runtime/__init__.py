"""
Everything that touches the machine: settings, database, journal, HTTP, time that passes.

Promise: nothing leaves a node before what it says is durable, and a node's rows are the whole of its state.
"""
