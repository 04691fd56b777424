"""Type keys into a shell on a terminal: type-keys.py PROMPT KEYS... -- SHELL ARGS...

Waits for PROMPT before the first keys and after each of them that ends in a line feed; between the others for the terminal to be
quiet. Writes what the terminal showed, less escape sequences.
"""
import os, pty, re, select, sys, time

at = sys.argv.index("--")
prompt, keys, command = sys.argv[1].encode(), sys.argv[2:at], sys.argv[at + 1 :]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(command[0], command)

shown = b""


def take(seconds):
    """What comes within that time; false when nothing does."""
    global shown
    if not select.select([fd], [], [], seconds)[0]:
        return False
    try:
        data = os.read(fd, 65536)
    except OSError:
        return False
    shown += data
    # What terminals answer: attributes and where the cursor is. fish waits for it.
    if b"\x1b[c" in data or b"\x1b[0c" in data:
        os.write(fd, b"\x1b[?62;c")
    return data != b""


def wait_for_prompt(start):
    end = time.monotonic() + 20
    while prompt not in shown[start:] and time.monotonic() < end:
        take(0.1)


wait_for_prompt(0)
for key in keys:
    start = len(shown)
    os.write(fd, os.fsencode(key))
    if key.endswith(("\n", "\r")):
        wait_for_prompt(start)
    else:
        # Until something has come, and then nothing more.
        end = time.monotonic() + 10
        while len(shown) == start and time.monotonic() < end:
            take(0.1)
        while take(0.6):
            pass
os.write(fd, b"\x04")
while take(1):
    pass
text = re.sub(rb"\x1b(\[[0-9;?<=>]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\-_()=>].?)", b"", shown)
sys.stdout.buffer.write(text)
