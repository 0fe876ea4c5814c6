"""Ports of nodes that are processes of their own."""

import socket

from hutong.app.processes import free_ports


def test_a_nodes_port_is_none_that_the_kernel_lends_to_whoever_connects() -> None:
    """A node takes its port later, and again when it comes back: in between nobody is given it."""
    ports = free_ports(50)
    assert len({*ports}) == 50
    with socket.create_server(("127.0.0.1", 0)) as lent:
        assert max(ports) < 32_768 <= lent.getsockname()[1]


def test_a_port_that_somebody_listens_on_is_not_given() -> None:
    (port,) = free_ports(1)
    with socket.create_server(("127.0.0.1", port)):
        assert port not in free_ports(200)
