"""fsu browse in a pseudo-terminal: when its list is there, and how long keys take to be answered.

argv[1] is JSON: command (words), rows, columns, want (text of the first list), keys (how many to time), before (text typed first,
not timed; [text] is waited for instead), settle (seconds after it). Prints JSON: first (ms), keys (ms each).
"""
import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

wish = json.loads(sys.argv[1])
# A cursor that has moved is drawn in reverse; what else is drawn meanwhile (a title with a progress) is no answer to a key.
CURSOR = b"\x1b[7m"

main, side = pty.openpty()
fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("HHHH", wish["rows"], wish["columns"], 0, 0))
env = {k: v for k, v in os.environ.items() if k not in ("CI", "NODE_EXTRA_CA_CERTS", "NO_COLOR")}
env.update(TERM="xterm-256color", LC_ALL="C.UTF-8")
start = time.perf_counter()
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(side, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(side, fd)
    os.execvpe(wish["command"][0], wish["command"], env)


def until(text, timeout):
    """Read until the text has come; the time it took in ms, None: it did not come."""
    begin, seen = time.perf_counter(), b""
    while time.perf_counter() - begin < timeout:
        if select.select([main], [], [], 0.01)[0]:
            seen += os.read(main, 1 << 16)
            if text in seen:
                return (time.perf_counter() - begin) * 1000
    return None


def quiet(seconds):
    """Read until nothing has come for a while."""
    while select.select([main], [], [], seconds)[0]:
        os.read(main, 1 << 16)


result = {"first": None, "keys": []}
if until(wish["want"].encode(), 60) is not None:
    result["first"] = (time.perf_counter() - start) * 1000
    quiet(0.5)
    for text in wish.get("before", []):
        if isinstance(text, list):
            until(text[0].encode(), 60)
        else:
            os.write(main, text.encode())
            time.sleep(wish.get("settle", 0.5))
    for at in range(wish.get("keys", 0)):
        # No longer than that: something may be drawn all the time.
        end = time.perf_counter() + 0.03
        while time.perf_counter() < end:
            if select.select([main], [], [], 0.005)[0]:
                os.read(main, 1 << 16)
        os.write(main, b"j" if at % 2 == 0 else b"k")
        took = until(CURSOR, 5)
        result["keys"].append(5000 if took is None else took)
os.kill(pid, signal.SIGKILL)
os.waitpid(pid, 0)
print(json.dumps(result))
