"""How much of what was sent lies unread: a stream socket tells nobody when it was read.

Source: man 7 unix, SIOCOUTQ; Linux gives it the number of TIOCOUTQ.
"""

import fcntl
import socket
import sys
import termios


def unread_bytes(connection: socket.socket) -> int:
    """Count the bytes that the other side has not taken yet."""
    counted = bytearray(4)
    fcntl.ioctl(connection, termios.TIOCOUTQ, counted)
    return int.from_bytes(counted, sys.byteorder)
