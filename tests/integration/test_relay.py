"""socksify-gss-relay, driven as the shim would: real sessions through real servers, handed over in the middle."""

import hashlib
import os
import signal
import socket
import subprocess
import threading

import pytest

from support import payload
from support.helper import version
from support.process import HANG
from support.relay import Relay, SessionMaker, read_to_end, reset, tcp_pair
from support.servers import BUILD, KINDS, Tls, built

WAYS = [(kind, method) for method in ("gssapi", "ssl") for kind in KINDS]


@pytest.fixture(params=WAYS, ids="-".join)
def server(request, long_lived):
    """Either server, either method; it must outlive the test."""
    yield long_lived(*request.param)
    long_lived(*request.param)


@pytest.fixture
def relay(realm):
    """Every test ends with the relay's own end, without a word."""
    running = Relay(realm)
    yield running
    running.control.close()
    running.await_end()


@pytest.fixture
def target():
    with socket.create_server(("127.0.0.1", 0), backlog=4096) as listener:
        listener.settimeout(HANG)
        yield listener


@pytest.fixture
def connected(realm, relay, target):
    """`connected(server, options)`: one session handed over; the application's end and the target's."""
    ends = []

    def connect(server, *options, before=b""):
        def accept():
            end, _ = target.accept()
            end.settimeout(HANG)
            end.sendall(before)
            ends.append(end)

        thread = threading.Thread(target=accept)
        thread.start()
        (session, state), = SessionMaker(realm).make(server, target, *options)
        thread.join()
        ends.append(relay.hand_over(session, state))
        return ends[-1], ends[-2]

    yield connect
    for end in ends:
        end.close()


def send_all(connection, data):
    thread = threading.Thread(target=connection.sendall, args=(data,))
    thread.start()
    return thread


@pytest.fixture
def ours(long_lived):
    return long_lived("socksd-gss")


@pytest.mark.parametrize("server, options", [(way, ()) for way in WAYS] + [(way, ("level=integrity",)) for way in WAYS[:2]],
                         indirect=["server"])
def test_both_directions_at_once(server, connected, options):
    up, down = payload.octets(12_000_000, "up"), payload.octets(12_000_000, "down")
    app, far = connected(server, *options)
    threads = [send_all(app, up), send_all(far, down)]
    came = {}

    def receive(end, size):
        digest, left = hashlib.sha256(), size
        while left and (piece := end.recv(min(left, 1 << 16))):
            digest.update(piece)
            left -= len(piece)
        came[end] = digest.hexdigest()

    threads += [threading.Thread(target=receive, args=pair) for pair in ((app, len(down)), (far, len(up)))]
    for thread in threads[2:]:
        thread.start()
    for thread in threads:
        thread.join()
    assert came == {app: hashlib.sha256(down).hexdigest(), far: hashlib.sha256(up).hexdigest()}
    app.shutdown(socket.SHUT_WR)
    assert read_to_end(far) == (b"", "EOF")
    far.shutdown(socket.SHUT_WR)
    assert read_to_end(app) == (b"", "EOF")


@pytest.mark.parametrize("part", [1, 3, 4, 5, 60])
def test_what_was_under_way_comes_first(server, connected, part):
    """Plaintext that was opened, the beginning of a frame, a sealed frame that the kernel had no room for."""
    early = payload.octets(100_000, "early")
    app, far = connected(server, "say=from the application", "opened=1", f"part={part}", before=early)
    app.sendall(b", and more")
    app.shutdown(socket.SHUT_WR)
    assert read_to_end(far) == (b"from the application, and more", "EOF")
    far.sendall(b"later")
    far.shutdown(socket.SHUT_WR)
    assert read_to_end(app) == (early + b"later", "EOF")


def test_a_sending_side_that_has_ended(server, connected):
    app, far = connected(server, "say=last words", "ended")
    assert read_to_end(far) == (b"last words", "EOF")
    answer = payload.octets(1_000_000, "answer")
    sending = send_all(far, answer)
    sending.join()
    far.close()
    assert read_to_end(app) == (answer, "EOF")


def test_half_close_by_the_target(server, connected):
    app, far = connected(server)
    far.sendall(b"greeting")
    far.shutdown(socket.SHUT_WR)
    assert read_to_end(app) == (b"greeting", "EOF")
    rest = payload.octets(1_000_000, "rest")
    sending = send_all(app, rest)
    received = bytearray()
    while len(received) < len(rest):
        received += far.recv(1 << 16)
    sending.join()
    app.close()
    assert (bytes(received), read_to_end(far)) == (rest, (b"", "EOF"))


def test_reset_by_the_target_comes_after_its_octets(ours, connected):
    app, far = connected(ours)
    far.sendall(b"before the reset")
    assert app.recv(4096) == b"before the reset"  # TCP itself may drop what was not yet delivered
    reset(far)
    assert read_to_end(app) == (b"", "ECONNRESET")


def test_reset_by_the_application_comes_after_its_octets(ours, connected):
    app, far = connected(ours)
    app.sendall(b"before the reset")
    assert far.recv(4096) == b"before the reset"
    reset(app)
    assert read_to_end(far) == (b"", "ECONNRESET")


def test_full_close_under_a_sending_target(ours, connected):
    """The application is gone: the target learns it as it would without anything in between."""
    app, far = connected(ours)
    app.close()
    assert read_to_end(far) == (b"", "EOF")
    with pytest.raises((BrokenPipeError, ConnectionResetError)):
        while True:
            far.sendall(b"x" * 65536)


@pytest.mark.parametrize("faults", [["cut@data=1"], ["cut@data=30"], ["alter@data"], ["replay"], ["drop"], ["reorder"],
                                    ["plain"], ["conf-false@data"], ["mtyp@data=01"], ["empty@data"], ["abort@data"],
                                    ["reset@data"]])
def test_what_the_server_must_not_do(start_server, connected, faults):
    """The application gets what came before, then ECONNRESET and never an end of file; the target's end is told."""
    app, far = connected(start_server("independent", faults=["plaintext=4", *faults]))
    far.sendall(b"good")
    assert app.recv(4096) == b"good"
    far.sendall(b"bad!" b"more" b"rest")  # a frame each
    assert read_to_end(app) == (b"bad!" if faults == ["replay"] else b"", "ECONNRESET")


@pytest.mark.parametrize("faults", [["cut@data=1"], ["cut@data=25"], ["alter@data"], ["clear@data"], ["version@data=02"],
                                    ["state@data=05"], ["close@data"], ["reset@data"]])
def test_what_the_server_must_not_do_by_ssl(start_server, pki, connected, faults):
    app, far = connected(start_server("independent", methods="ssl", tls=Tls(pki), faults=faults))
    far.sendall(b"good")
    assert app.recv(4096) == b"good"
    far.sendall(b"bad!")
    assert read_to_end(app) == (b"", "ECONNRESET")


@pytest.mark.parametrize("fault", ["no-notify", "empty-close"])
def test_an_end_that_tls_does_not_confirm_is_none(start_server, pki, connected, fault):
    app, far = connected(start_server("independent", methods="ssl", tls=Tls(pki), faults=[fault]))
    far.sendall(b"good")
    assert app.recv(4096) == b"good"
    far.close()
    assert read_to_end(app) == (b"", "ECONNRESET")


def test_a_tls_session_in_the_middle(start_server, pki, connected):
    """Tickets and new keys come when the session has been handed over, and half a record before."""
    app, far = connected(start_server("independent", methods="ssl", tls=Tls(pki), faults=["tickets", "key-update"]))
    for n in range(5):
        far.sendall(b"down%d" % n)
        assert app.recv(4096) == b"down%d" % n
        app.sendall(b"up%d" % n)
        assert far.recv(4096) == b"up%d" % n


def test_an_end_of_file_between_frames_is_one(start_server, connected):
    app, far = connected(start_server("independent", faults=["close@data"]))
    far.sendall(b"good")
    assert app.recv(4096) == b"good"
    far.sendall(b"never")
    assert read_to_end(app) == (b"", "EOF")


@pytest.mark.skipif(BUILD.name.startswith("san-"), reason="a sanitizer keeps what is freed")
def test_a_slow_reader_costs_no_memory(ours, connected, relay):
    size = 64 << 20
    app, far = connected(ours)
    sending = send_all(far, bytes(size))
    received = 0
    while received < size:
        received += len(app.recv(8192))
    sending.join()
    assert int(relay.status("VmHWM").split()[0]) < 48 << 10  # KiB


def test_thousands_of_sessions(ours, realm, relay, target):
    """Two thousand through one relay, five hundred at a time."""
    for _ in range(4):
        pairs = []
        for n, (session, state) in enumerate(SessionMaker(realm).make(ours, target, f"say={'x' * 100}", count=500)):
            far, _ = target.accept()
            far.settimeout(HANG)
            pairs.append((relay.hand_over(session, state), far))
            pairs[-1][0].sendall(b"%06d" % n)
        for n, (app, far) in enumerate(pairs):
            app.shutdown(socket.SHUT_WR)
            assert read_to_end(far) == (b"x" * 100 + b"%06d" % n, "EOF"), n
            far.sendall(b"%d" % -n)
            far.close()
        for n, (app, _) in enumerate(pairs):
            assert read_to_end(app) == (b"%d" % -n, "EOF"), n
            app.close()


def test_outlives_its_starter_as_long_as_a_session_does(ours, connected, relay):
    app, far = connected(ours)
    relay.control.close()
    for n in range(3):
        app.sendall(b"up%d" % n)
        assert far.recv(4096) == b"up%d" % n
        far.sendall(b"down%d" % n)
        assert app.recv(4096) == b"down%d" % n
    app.close()
    far.close()  # the fixture sees the relay end


@pytest.mark.parametrize("end", ["application", "target"])
def test_a_relay_that_is_killed_is_no_end_of_file(ours, realm, target, end):
    relay = Relay(realm)
    (session, state), = SessionMaker(realm).make(ours, target)
    far, _ = target.accept()
    app = relay.hand_over(session, state)
    with app, far:
        app.sendall(b"up")
        assert far.recv(10) == b"up"
        os.kill(relay.pid, signal.SIGKILL)
        assert read_to_end({"application": app, "target": far}[end]) == (b"", "ECONNRESET")
    relay.await_end()


def test_states_that_are_none_reset_both(ours, realm, relay, target):
    def changed(state, change):
        with socket.socket(fileno=state) as its:
            octets = its.recv(1 << 20)
        given, other = socket.socketpair()
        with given:
            given.sendall(change(octets))
        return other.detach()

    for change in (lambda o: b"", lambda o: o[:-1], lambda o: o + b"\0", lambda o: o[:50], lambda o: b"\xff" * 100,
                   lambda o: o[:6] + b"\7" + o[7:], lambda o: o[:10] + bytes(len(o) - 10), lambda o: o[:20] + o[21:]):
        (session, state), = SessionMaker(realm).make(ours, target)
        far, _ = target.accept()
        with far, relay.hand_over(session, changed(state, change)) as app:
            assert read_to_end(app) == (b"", "ECONNRESET")
            assert read_to_end(far) == (b"", "ECONNRESET")


def test_other_messages_are_passed_over(ours, connected, relay):
    """What comes with them is closed, and the next session is taken."""
    near, far = tcp_pair()
    with near, far:
        for message, given in ((b"", 0), (b"", 3), (b"xx", 3), (b"x", 0), (b"x", 1), (b"x", 2), (b"x", 4), (b"x" * 70000, 0),
                               (b"x", 250), (b"x", 3)):
            read_end, write_end = os.pipe()
            relay.give(message, *[write_end] * given)
            os.close(write_end)
            with os.fdopen(read_end, "rb") as pipe:
                assert pipe.read() == b"", "its copies are closed"
        with open(os.devnull, "rb") as null, socket.socketpair()[0] as unix, socket.socket(type=socket.SOCK_DGRAM) as udp:
            for other in (null, unix, udp):
                relay.give(b"x", other, far, null)
                relay.give(b"x", far, other, null)
        app, target_end = connected(ours)
        app.sendall(b"still here")
        assert target_end.recv(4096) == b"still here"
        near.sendall(b"x")
        assert far.recv(1) == b"x", "what is ours was closed there, not reset"


def test_nothing_of_its_starter_is_felt(realm, relay):
    """Session, terminal, signals, limits, memory: of its own."""
    assert os.getsid(relay.pid) == relay.session_id != relay.pid
    assert int(relay.status("PPid")) != os.getpid()
    assert int(relay.status("SigBlk"), 16) == 0
    of_libc = 3 << 31  # two signals that libc lets nobody touch: as they were inherited
    assert int(relay.status("SigIgn"), 16) & ~of_libc == 1 << (signal.SIGPIPE - 1)
    with open(f"/proc/{relay.pid}/limits", encoding="ascii") as limits:
        rows = {line[:26].strip(): line[26:].split()[:2] for line in limits}
    assert rows["Max core file size"] == ["0", "0"]
    assert rows["Max open files"][0] == rows["Max open files"][1]
    assert rows["Max cpu time"][0] == rows["Max cpu time"][1]


@pytest.mark.parametrize("arguments, control", [([], True), (["0.0.0"], True), (["--help"], True), (["x", "y"], True),
                                                ([None], False)])
def test_it_is_not_for_people(arguments, control):
    arguments = [version() if a is None else a for a in arguments]
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        done = subprocess.run([built("socksify-gss-relay"), *arguments], stdin=theirs if control else subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=HANG, check=False)
    assert (done.returncode, done.stdout) == (125, "")
    assert len(done.stderr.splitlines()) == 1 and version() in done.stderr
