"""What is read at one glance is what h11 reads, and whatever is odd is left to h11."""

import h11
import pytest

from pyminidock.api import usual
from pyminidock.api.message import Response

USUAL = (
    b"GET /_ping HTTP/1.1\r\nHost: docker\r\n\r\n",
    b"DELETE /v1.45/containers/a%20b?force=1 HTTP/1.1\r\nhost:\r\nAccept: */*\r\n\r\n",
    b"POST / HTTP/1.1\r\nhost: a\r\nConnection: Keep-Alive\r\nContent-Length: 0\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
    b'PUT /x HTTP/1.1\r\nHost: docker\r\nX-Said:a  "b"; c\r\nContent-Length: 2\r\n\r\n{}',
)
ODD = (
    b"GET /_ping HTTP/1.0\r\nHost: docker\r\n\r\n",
    b"HEAD /_ping HTTP/1.1\r\nHost: docker\r\n\r\n",
    b"GET /_ping HTTP/1.1\r\n\r\n",
    b"GET /_ping HTTP/1.1\r\nAccept: */*\r\n\r\n",
    b"GET /_ping HTTP/1.1\r\nHost : docker\r\n\r\n",
    b"GET /_ping HTTP/1.1\r\nHost: docker\r\n Accept: */*\r\n\r\n",
    b"GET /_ping HTTP/1.1\r\nHost: docker\nAccept: */*\r\n\r\n",
    b"GET /_ping HTTP/1.1\r\nHost: docker\r\nHost: other\r\n\r\n",
    b"GET /_ping HTTP/1.1\r\nHost: docker\r\nX: caf\xe9\r\n\r\n",
    b"GET /_ping HTTP/1.1\r\nHost: docker\r\nX: a\x00b\r\n\r\n",
    b"GET /caf\xe9 HTTP/1.1\r\nHost: docker\r\n\r\n",
    b"GET _ping HTTP/1.1\r\nHost: docker\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: docker\r\nContent-Length: +2\r\n\r\n{}",
    b"POST /x HTTP/1.1\r\nHost: docker\r\nContent-Length: 2, 2\r\n\r\n{}",
    b"POST /x HTTP/1.1\r\nHost: docker\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: docker\r\nExpect: 100-continue\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: docker\r\nUpgrade: tcp\r\n\r\n",
    b"POST /x HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n",
)


@pytest.mark.parametrize("data", USUAL)
def test_a_usual_head_is_read_as_h11_reads_it(data: bytes) -> None:
    read = usual.head_of(data)
    assert read is not None
    head, rest = read
    other = h11.Connection(h11.SERVER)
    other.receive_data(data)
    begun = other.next_event()
    assert isinstance(begun, h11.Request)
    said = {name.decode(): value.decode() for name, value in begun.headers}
    assert (head.method.encode(), head.target.encode()) == (begun.method, begun.target)
    assert (dict(head.fields), len(rest)) == (said, head.length)


@pytest.mark.parametrize("data", ODD)
def test_an_odd_head_is_left_to_h11(data: bytes) -> None:
    assert usual.head_of(data) is None


@pytest.mark.parametrize("cut", range(len(USUAL[0]) - 1))
def test_half_a_head_is_none(cut: int) -> None:
    assert usual.head_of(USUAL[0][:cut]) is None


@pytest.mark.parametrize(
    ("response", "body"),
    [
        (Response(200, (("Content-Type", "text/plain"),), b"hello"), b"hello"),
        (Response(204), b""),
        (Response(304, body=b"not sent"), b""),
        (Response(404, body=b"{}\n"), b"{}\n"),
    ],
)
def test_an_answer_is_read_by_a_client_of_h11(response: Response, body: bytes) -> None:
    client = h11.Connection(h11.CLIENT)
    client.send(h11.Request(method="GET", target="/", headers=[("Host", "docker")]))
    client.send(h11.EndOfMessage())
    client.receive_data(usual.answer(response))
    head, data = client.next_event(), b""
    assert isinstance(head, h11.Response)
    while not isinstance(event := client.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        data += event.data
    assert (head.status_code, data) == (response.status, body)
