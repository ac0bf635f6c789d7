"""A name server on an engine's host, for who asks beyond its own network.

    python -m tests.compat.upstream ADDRESS

It knows www.example.test and a few names that behave badly; it says so on its output when
it is ready.
"""

import socket
import socketserver
import struct
import sys
import threading

from dnslib import QTYPE, RCODE, RR, A, DNSRecord

RCODES = {"fail.example.test.": RCODE.SERVFAIL, "refused.example.test.": RCODE.REFUSED}


def answer(question: bytes, *, is_datagram: bool) -> bytes:
    """Answer as the name of the question says; b"": not at all."""
    asked = DNSRecord.parse(question)
    name, reply = str(asked.q.qname).lower(), asked.reply()
    if name == "silent.example.test.":
        return b""
    if asked.q.qtype == QTYPE.A and name == "www.example.test.":
        reply.add_answer(RR(asked.q.qname, QTYPE.A, ttl=60, rdata=A("198.51.100.7")))
    elif asked.q.qtype == QTYPE.A and name == "big.example.test.":
        for last in range(60):
            data = A(f"198.51.100.{last}")
            reply.add_answer(RR(asked.q.qname, QTYPE.A, ttl=60, rdata=data))
    elif name not in ("www.example.test.", "big.example.test.", "nodata.example.test."):
        reply.header.rcode = RCODES.get(name, RCODE.NXDOMAIN)
    told = bytes(reply.pack())
    return bytes(reply.truncate().pack()) if is_datagram and len(told) > 512 else told


class _Datagrams(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        question, line = self.request
        if told := answer(question, is_datagram=True):
            line.sendto(told, self.client_address)


class _Connections(socketserver.BaseRequestHandler):
    def handle(self) -> None:
        while len(size := self.request.recv(2)) == 2:
            question = self.request.recv(struct.unpack(">H", size)[0], socket.MSG_WAITALL)
            if told := answer(question, is_datagram=False):
                self.request.sendall(struct.pack(">H", len(told)) + told)


def main(address: str) -> None:
    """Serve until somebody ends it."""
    connections = socketserver.ThreadingTCPServer((address, 53), _Connections)
    threading.Thread(target=connections.serve_forever, daemon=True).start()
    datagrams = socketserver.ThreadingUDPServer((address, 53), _Datagrams)
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    datagrams.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
