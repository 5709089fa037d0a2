"""Deterministic incompressible octets: any slice of a stream can be made again and checked on its own."""

import hashlib

BLOCK = 1 << 18
MARKER = b"PLAINTEXT-MARKER-7c1e5a"  # must never be seen on the wire at level 2


def block(seed, index):
    """Octets [index * BLOCK, (index + 1) * BLOCK) of the stream named `seed`."""
    return hashlib.shake_128(f"{seed}/{index}".encode()).digest(BLOCK)


def chunks(size, seed="payload"):
    """The first `size` octets of the stream, in blocks."""
    index = 0
    while size > 0:
        piece = block(seed, index)[:size]
        yield piece
        size -= len(piece)
        index += 1


def octets(size, seed="payload"):
    return b"".join(chunks(size, seed))


def sha256(size, seed="payload"):
    digest = hashlib.sha256()
    for piece in chunks(size, seed):
        digest.update(piece)
    return digest.hexdigest()


def write_file(path, size, seed="payload"):
    with open(path, "wb") as out:
        for piece in chunks(size, seed):
            out.write(piece)
    return path


def echo_through(client, size=300_000):
    """Both directions of a SOCKS client that is connected to an echo, then a half-close that comes back as EOF."""
    data = octets(size) + MARKER
    for start in range(0, len(data), 30_000):
        piece = data[start:start + 30_000]
        client.send(piece)
        assert client.recv_exact(len(piece)) == piece
    client.half_close()
    assert client.recv() == b""
