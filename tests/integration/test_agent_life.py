"""socksify-gss-agent: what becomes of associations when servers, ways, programs and requests are not as they should be."""

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest

from support import payload
from support.agent import ASSOCIATE, MOVED, NOWHERE, REACH, STATE, WHO_IS, Agent, Asked, Association, Channel, encode_address
from support.helper import version
from support.process import HANG, free_port
from support.servers import BUILD, built
from test_agent import agent, echo, expect_it_is_told_again, here, server, start_agent  # noqa: F401


def test_an_association_that_the_server_ends_is_made_again(start_server, start_agent, here):
    server = start_server("independent", faults=["end-after=2"])
    with Association(start_agent(server)) as association:
        for n in range(4):
            echo(association, b"first %d" % n, *here)
            association.send(b"#silent", *here)
            while association.state().bound != NOWHERE:  # what is sent until then is lost, as on any way
                pass
    assert len(server.since(0, "associated")) == 4


def test_a_server_that_restarts(start_server, start_agent, here, tmp_path):
    port = free_port()
    server = start_server("independent", listen=f"127.0.0.1:{port}")
    agent = start_agent(server)
    with Association(agent) as association:
        echo(association, b"before", *here)
        server.kill()
        reply = association.reach(*here)
        while reply.error == 0:  # until the agent has seen the end
            reply = association.reach(*here)
        assert reply.error == errno.ECONNREFUSED and f"127.0.0.1:{port}" in reply.message
        association.udp.connect(association.stand_ins[here])
        association.udp.settimeout(0.05)  # a datagram that comes later than the failure is told is lost, and another try
        deadline = time.monotonic() + HANG
        with pytest.raises(ConnectionRefusedError):
            while time.monotonic() < deadline:
                association.udp.send(b"lost")
                with contextlib.suppress(TimeoutError):
                    association.udp.recv(10)
        association.udp.settimeout(HANG)
        start_server("independent", listen=f"127.0.0.1:{port}")
        while (reply := association.reach(*here)).error != 0:
            pass
        assert reply.stand_in == association.udp.getpeername()  # the same as before
        association.udp.send(b"again")
        assert association.udp.recv(100) == b"again"


@pytest.mark.parametrize("faults, settings, expected", [
    (["rep=1"], {}, errno.ECONNREFUSED), (["rep=2"], {}, errno.EACCES), (["rep=7"], {}, errno.EOPNOTSUPP),
    (["level=00"], {}, errno.EACCES), (["atyp=3"], {}, errno.EPROTO), (["close@context"], {}, errno.ECONNRESET), (["alter@reply"], {}, errno.EPROTO),
    (["stall@reply"], {"timeout": "1"}, errno.ETIMEDOUT), (["stall@choice"], {"timeout": "1"}, errno.ETIMEDOUT),
])
def test_failures(start_server, start_agent, here, faults, settings, expected):
    server = start_server("independent", faults=faults)
    with Association(start_agent(server, **settings)) as association:
        reply = association.reach(*here)
        assert reply.error == expected and server.address in reply.message, reply
        expect_it_is_told_again(association, reply, *here)


def test_no_server(start_agent, here):
    with Association(start_agent(f"127.0.0.1:{free_port()}")) as association:
        assert association.reach(*here).error == errno.ECONNREFUSED


def test_the_next_server(server, start_agent, here):
    with Association(start_agent(f"127.0.0.1:{free_port()},{server.address}")) as association:
        echo(association, b"second", *here)


def test_no_credentials(server, socksify, here, tmp_path):
    agent = Agent(socksify.env(server) | {"KRB5CCNAME": f"FILE:{tmp_path / 'none'}"})
    with Association(agent) as association:
        reply = association.reach(*here)
        assert reply.error == errno.EACCES and "kinit" in reply.message
    agent.control.close()
    agent.await_end()


def test_a_bad_configuration(start_agent, here):
    agent = start_agent("127.0.0.1:1", protection="none")
    with Channel(agent, ASSOCIATE, here) as channel:
        reply = channel.asked.reply()
        assert reply.error == errno.EACCES and "SOCKSIFY_PROTECTION" in reply.message


def test_a_relay_that_is_gone(start_agent, here):
    """The kernel refuses datagrams there: another association is made, though the control connection stands."""
    with socket.create_server(("127.0.0.1", 0)) as listener, contextlib.ExitStack() as stack:
        listener.settimeout(HANG)
        relays = []

        def serve():
            for _ in range(2):
                control = stack.enter_context(listener.accept()[0])
                assert control.recv(3) == b"\5\1\0"
                control.sendall(b"\5\0")
                assert control.recv(100) == b"\5\3\0\1" + bytes(6)
                relays.append(stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)))
                relays[-1].bind(("127.0.0.1", 0))
                relays[-1].settimeout(HANG)
                control.sendall(b"\5\0\0" + encode_address(relays[-1].getsockname()))

        serving = threading.Thread(target=serve)
        serving.start()
        agent = start_agent("127.0.0.1:%d" % listener.getsockname()[1], methods="none")
        with Association(agent) as association:
            association.send(b"first", *here)
            head = bytes(3) + encode_address(here)
            assert relays[0].recv(100) == head + b"first"
            relays[0].close()
            while serving.is_alive():
                association.send(b"lost", *here)
                serving.join(0.01)
            relays[1].settimeout(0.1)  # what is sent too early is lost, as ever: it is sent again
            received = b""
            while received != head + b"second":
                association.send(b"second", *here)
                with contextlib.suppress(TimeoutError):
                    received = relays[1].recv(100)


def test_a_relay_elsewhere(start_server, start_agent, here):
    """0.0.0.0 is where the control connection goes."""
    server = start_server("independent", faults=["bound=0.0.0.0"])
    with Association(start_agent(server)) as association:
        assert association.reach(*here).bound[0] == "127.0.0.1"
        echo(association, b"there", *here)


@pytest.mark.parametrize("fault", ["alter@data", "plain", "huge", "long", "fragment", "mtyp@data=02", "version@data=02",
                                   "cut@data=10", "conf-false@data", "empty-token@data", "stranger", "drop", "reorder"])
def test_bad_datagrams_are_dropped(start_server, start_agent, here, fault):
    server = start_server("independent", faults=[fault, "frame-number=1"])
    with Association(start_agent(server)) as association:
        echo(association, b"first", *here)
        association.send(b"second", *here)
        association.send(b"third", *here)
        came = [association.receive()[0]]
        if fault in ("reorder", "empty-token@data"):
            came.append(association.receive()[0])
        assert came == {"reorder": [b"third", b"second"], "empty-token@data": [b"second", b"third"]}.get(fault, [b"third"])
        echo(association, b"last", *here)
    assert len(server.since(0, "associated")) == 1


def test_bad_weather(start_server, start_agent, here):
    """Lost, doubled and reordered between agent and server: what arrives is whole, and comes once."""
    server = start_server("independent", faults=["lose=5", "double=3", "swap=4"])
    with Association(start_agent(server)) as association:
        sent = [b"%d " % n + payload.octets(100) for n in range(300)]
        for data in sent:
            association.send(data, *here)
        association.send(b"x", *here)
        came = []
        while len(came) < 150:
            came.append(association.receive()[0])
        assert set(came) <= {*sent, b"x"} and set(Counter(came).values()) == {1}


# --- life and death ---

def test_it_ends_with_the_channel(independent, start_agent, here):
    server = independent
    mark = server.mark()
    with Association(start_agent(server)) as association:
        echo(association, b"here", *here)
        copy = association.socket.dup()
        association.socket.close()
        association.socket = copy  # as a child has it
        echo(association, b"still here", *here)
        (associated,) = server.since(mark, "associated")
        assert not [e for e in server.since(mark, "end") if e["session"] == associated["session"]]
        stand_in = association.stand_ins[here]
    server.await_event("end", mark, session=associated["session"])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
        late.connect(stand_in)
        late.send(b"late")
        late.settimeout(HANG)
        with pytest.raises(ConnectionRefusedError):
            late.recv(10)


@pytest.mark.parametrize("wait", [False, True])
def test_what_was_sent_before_the_end_arrives(agent, udp_origin, here, wait):
    mark = udp_origin.mark()
    with Association(agent) as association:
        association.reach(*here, wait=wait)
        for n in range(50):
            association.send(b"last %d" % n, *here)
    for n in range(50):
        udp_origin.await_event("datagram", mark, head="last %d" % n)


def waits_at_a_socket_connected_to(peer):
    """Is there a datagram that nobody has read? By /proc/net/udp, IPv4."""
    remote = "%08X:%04X" % (int.from_bytes(socket.inet_aton(peer[0]), sys.byteorder), peer[1])
    with open("/proc/net/udp", encoding="ascii") as sockets:
        lines = [line.split() for line in sockets]
    return any(line[2] == remote and line[4].split(":")[1] != "00000000" for line in lines)


def test_a_refused_reply_does_not_hide_what_was_sent(long_lived, start_agent):
    """The program has closed its socket when a reply arrives: the kernel says so where the agent looks for the rest."""
    agent = start_agent(long_lived("socksd-gss"))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.settimeout(HANG)
        target.bind(("127.0.0.1", 0))
        to = target.getsockname()
        with Association(agent) as association:
            association.send(b"first", *to)
            data, outside = target.recvfrom(100)
            relay = association.state().bound
            os.kill(agent.pid, signal.SIGSTOP)
            association.send(b"0", *to)  # before the reply, so that it is what the agent sees first
            target.sendto(b"reply", outside)
            while not waits_at_a_socket_connected_to(relay):
                time.sleep(0.01)
            for n in range(1, 90):
                association.send(b"%d" % n, *to)
        os.kill(agent.pid, signal.SIGCONT)
        assert [data, *(target.recv(100) for _ in range(90))] == [b"first", *(b"%d" % n for n in range(90))]


def test_it_ends_while_it_is_made(start_server, start_agent, here):
    server = start_server("independent", faults=["stall@reply"])
    agent = start_agent(server)
    for wait in (False, True):
        association = Association(agent)
        with association:
            asked = Asked(association.socket, REACH, peer=here, wait=wait)
        if wait:
            assert asked.reply() is None
        else:
            assert asked.reply().error == 0


def test_outlives_its_starter_as_long_as_a_channel_does(server, start_agent, here):
    agent = start_agent(server)
    with Association(agent) as association:
        agent.control.close()
        echo(association, b"alone", *here)


def test_two_processes_on_one_channel(agent, here):
    with Association(agent) as association:
        echo(association, b"parent", *here)
        child = os.fork()
        if child == 0:
            try:
                echo(association, b"child", *here)
                os._exit(0)
            finally:
                os._exit(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        echo(association, b"parent", *here)


def test_requests_that_are_none_are_passed_over(agent, here):
    good = bytes([REACH, 1]) + encode_address(("0.0.0.0", 0)) + encode_address(here)
    messages = [b"", b"\0", good[:-1], good + b"\0", b"\10" + good[1:], b"\0" + good[1:], bytes([REACH, 2]) + good[2:],
                good[:2] + b"\2" + good[3:], good[:9] + b"\3\0" + good[9:], b"x" * 70000, os.urandom(500)]
    with Association(agent) as association:
        for over in (agent.control, association.socket):
            for message in messages:
                for given in (0, 1, 2, 3, 250):
                    read_end, write_end = os.pipe()
                    socket.send_fds(over, [message], [write_end] * given) if given else over.send(message)
                    os.close(write_end)
                    with os.fdopen(read_end, "rb") as pipe:
                        assert pipe.read() == b"", message  # closed, and nothing said
            over.send(good)  # nothing to answer on
            with open(os.devnull, "wb") as null:
                socket.send_fds(over, [good], [null.fileno()])
        assert agent.ask(ASSOCIATE, own=here).error == errno.EINVAL  # no channel
        with open(os.devnull, "wb") as null:
            assert agent.ask(ASSOCIATE, own=here, give=[null]).error == errno.EINVAL
        for kind in (REACH, WHO_IS, MOVED, STATE):
            assert agent.ask(kind).error == errno.EINVAL
        assert association.ask(ASSOCIATE).error == errno.EINVAL
        echo(association, b"good", *here)


def test_a_socket_that_is_nowhere(agent, here):
    with Channel(agent, ASSOCIATE, ("0.0.0.0", 0)) as channel:
        assert channel.asked.reply().error == 0
        assert channel.ask(REACH, peer=here, wait=True).error == errno.EINVAL
    with Channel(agent, ASSOCIATE, ("192.0.2.1", 9)) as channel:
        assert channel.asked.reply().error == 0
        assert channel.ask(REACH, peer=here, wait=True).error != 0


def test_a_reply_that_nobody_reads(agent, here):
    """A full pipe does not stop the agent."""
    with Association(agent) as association:
        read_end, write_end = os.pipe()
        os.set_blocking(write_end, False)
        with pytest.raises(BlockingIOError):
            while True:
                os.write(write_end, bytes(4096))
        os.set_blocking(write_end, True)
        request = bytes([STATE, 0]) + encode_address(("0.0.0.0", 0)) * 2
        socket.send_fds(association.socket, [request], [write_end])
        echo(association, b"good", *here)
        os.close(read_end)
        socket.send_fds(association.socket, [request], [write_end])
        os.close(write_end)
        echo(association, b"good", *here)


def test_one_that_floods_does_not_stop_the_others(agent, here):
    with Association(agent) as flood, Association(agent) as other:
        stand_in = flood.reach(*here).stand_in
        over = threading.Event()

        def send():
            while not over.is_set():
                flood.udp.sendto(bytes(1000), stand_in)

        thread = threading.Thread(target=send)
        thread.start()
        try:
            other.reach(*here)
            other.udp.settimeout(1)
            answered, deadline = 0, time.monotonic() + HANG
            while answered < 10:
                assert time.monotonic() < deadline, answered
                other.send(b"%d" % answered, *here)
                with contextlib.suppress(TimeoutError):  # lost in the flood at the server
                    answered += other.udp.recv(100) == b"%d" % answered
        finally:
            over.set()
            thread.join()


def test_descriptors_run_out(server, socksify, here, start_agent):
    """Those that were used least recently go; the ones in use go on."""
    agent = start_agent(server)
    pid = agent.pid
    subprocess.run(["prlimit", f"--pid={pid}", "--nofile=64:64"], check=True)
    with Association(agent) as association:
        echo(association, b"first", *here)
        first = association.stand_ins[here]
        for n in range(1, 200):
            assert association.reach("192.0.2.1", n).error == 0
        echo(association, b"again", *here) if association.reach(*here).error == 0 else None
        assert association.stand_ins[here] != first
        assert len(set(association.stand_ins.values())) == 200  # no port twice
        assert association.ask(WHO_IS, peer=first).peer == here
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.connect(first)
            late.send(b"late")
            late.settimeout(HANG)
            with pytest.raises(ConnectionRefusedError):
                late.recv(10)


def test_no_descriptors_for_another_association(server, start_agent, here):
    """It is said as what it is, not as a missing ticket; those that are there go on, and others can follow them."""
    agent = start_agent(server)
    subprocess.run(["prlimit", f"--pid={agent.pid}", "--nofile=64:64"], check=True)
    with contextlib.ExitStack() as stack:
        associations, replies = [], []
        for _ in range(40):
            channel = Channel(agent, ASSOCIATE, ("127.0.0.1", 9))
            stack.enter_context(channel)
            reply = channel.asked.reply()
            replies.append(channel.ask(REACH, peer=here, wait=True) if reply.error == 0 else reply)
            if replies[-1].error == 0:
                associations.append(channel)
        refused = [reply for reply in replies if reply.error != 0]
        assert len(associations) >= 8 and len(refused) >= 20
        assert {reply.error for reply in refused} == {errno.ENOBUFS}
        assert all("out of descriptors" in reply.message for reply in refused)
        assert all(channel.state().error == 0 for channel in associations)
    deadline = time.monotonic() + HANG
    with Association(agent) as association:
        while association.reach(*here).error != 0:
            assert time.monotonic() < deadline
        echo(association, b"after", *here)


@pytest.mark.parametrize("kind, count", [("socksd-gss", 1000), ("independent", 200)])
def test_many_associations(long_lived, start_agent, here, kind, count):
    agent = start_agent(long_lived(kind))
    with contextlib.ExitStack() as stack:
        associations = [stack.enter_context(Association(agent)) for _ in range(count)]
        asked = [Asked(association.socket, REACH, peer=here, wait=True) for association in associations]
        for association, request in zip(associations, asked):
            reply = request.reply()
            assert reply.error == 0, reply
            association.stand_ins[here] = reply.stand_in
        for n, association in enumerate(associations):
            association.send(b"%d" % n, *here)
        for n, association in enumerate(associations):
            assert association.receive() == (b"%d" % n, here)
        if not BUILD.name.startswith("san-"):  # a sanitizer keeps what is freed
            assert int(agent.status("VmHWM").split()[0]) < 64 << 10  # KiB


@pytest.mark.parametrize("arguments, control", [([], True), (["0.0.0"], True), (["--help"], True), ([None], False)])
def test_it_is_not_for_people(arguments, control):
    arguments = [version() if a is None else a for a in arguments]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        done = subprocess.run([built("socksify-gss-agent"), *arguments], stdin=theirs if control else subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=HANG, check=False)
    assert (done.returncode, done.stdout) == (125, "")
    assert len(done.stderr.splitlines()) == 1 and version() in done.stderr
