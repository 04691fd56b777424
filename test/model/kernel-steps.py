"""Do the steps of a sequence (steps.ts) to a directory by the host's own system calls.

    kernel-steps.py DIR < STEPS

STEPS is a JSON array of steps; on stdout comes a JSON array of outcomes: "ok", "ok N" for a count, or an errno name.
What this kernel's rules differ in by choice is done here as there: set-id bits stay when root gives a file away, and a
new directory may have them. Needs root. Nothing but regular files is ever opened for reading or writing.
"""

import ctypes
import errno
import json
import os
import stat
import sys

libc = ctypes.CDLL(None, use_errno=True)
AT_FDCWD = -100
RENAME = {'plain': 0, 'noreplace': 1, 'exchange': 2}
FALLOC_KEEP_SIZE, FALLOC_PUNCH_HOLE = 1, 2
PERIOD = 65536
PATTERN = bytes((i * 31 + (i >> 8)) & 0xFF for i in range(PERIOD))
UMASK = 0o022


def pattern(seed, length):
    shifted = PATTERN.translate(bytes((b + seed) & 0xFF for b in range(256)))
    return (shifted * (length // PERIOD + 1))[:length]


def check(result):
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


class Steps:
    def __init__(self, root):
        self.root = root
        self.slots = {}

    def path(self, path):
        return self.root + (b'' if path == '/' else path.encode('utf-8', 'surrogateescape'))

    def run(self, step):
        arguments = {k: v for k, v in step.items() if k != 'op'}
        try:
            answer = getattr(self, 'do_' + step['op'])(**arguments)
        except OSError as error:
            return errno.errorcode.get(error.errno, str(error.errno))
        return 'ok' if answer is None else 'ok %d' % answer

    def open(self, path, flags, mode=0o600):
        name = self.path(path)
        try:
            kind = os.stat(name).st_mode
        except FileNotFoundError:
            kind = None
        if kind is not None and not flags & os.O_EXCL:
            if stat.S_ISSOCK(kind):
                raise OSError(errno.EOPNOTSUPP, '')
            if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
                raise OSError(errno.ENXIO, '')
        return os.open(name, flags | os.O_NONBLOCK, mode)

    def with_file(self, path, flags, use, mode=0o600):
        fd = self.open(path, flags, mode)
        try:
            return use(fd)
        finally:
            os.close(fd)

    def do_create(self, path, mode, exclusive):
        self.with_file(path, os.O_WRONLY | os.O_CREAT | (os.O_EXCL if exclusive else 0), lambda fd: None, mode)

    def do_write(self, path, offset, length, seed):
        return self.with_file(path, os.O_WRONLY, lambda fd: os.pwrite(fd, pattern(seed, length), offset))

    def do_append(self, path, length, seed):
        return self.with_file(path, os.O_WRONLY | os.O_APPEND, lambda fd: os.write(fd, pattern(seed, length)))

    def do_replace(self, path, length, seed):
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        return self.with_file(path, flags, lambda fd: os.write(fd, pattern(seed, length)), 0o644)

    def do_truncate(self, path, size):
        os.truncate(self.path(path), size)

    def fallocate(self, fd, mode, offset, length):
        check(libc.fallocate(fd, mode, ctypes.c_int64(offset), ctypes.c_int64(length)))

    def do_punch(self, path, offset, length):
        mode = FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE
        self.with_file(path, os.O_WRONLY, lambda fd: self.fallocate(fd, mode, offset, length))

    def do_allocate(self, path, offset, length):
        self.with_file(path, os.O_WRONLY, lambda fd: self.fallocate(fd, 0, offset, length))

    def do_mkdir(self, path, mode):
        os.mkdir(self.path(path), mode)
        os.chmod(self.path(path), mode & ~UMASK)

    def do_rmdir(self, path):
        os.rmdir(self.path(path))

    def do_unlink(self, path):
        os.unlink(self.path(path))

    def do_link(self, **names):
        os.link(self.path(names['from']), self.path(names['path']), follow_symlinks=False)

    def do_symlink(self, target, path):
        os.symlink(target.encode('utf-8', 'surrogateescape'), self.path(path))

    def do_rename(self, **names):
        old, new = self.path(names['from']), self.path(names['path'])
        check(libc.renameat2(AT_FDCWD, old, AT_FDCWD, new, RENAME[names['how']]))

    def do_mknod(self, path, type, mode, major, minor):
        kinds = {'chr': stat.S_IFCHR, 'blk': stat.S_IFBLK, 'fifo': stat.S_IFIFO, 'sock': stat.S_IFSOCK}
        device = os.makedev(major, minor) if type in ('chr', 'blk') else 0
        os.mknod(self.path(path), kinds[type] | mode, device)

    def do_chmod(self, path, mode):
        os.chmod(self.path(path), mode)

    def do_chown(self, path, uid, gid):
        mode = os.stat(self.path(path)).st_mode
        os.chown(self.path(path), uid, gid)
        os.chmod(self.path(path), stat.S_IMODE(mode))

    def do_utimens(self, path, atime, mtime, nsec):
        os.utime(self.path(path), ns=(atime * 10**9 + nsec, mtime * 10**9 + nsec))

    def do_setxattr(self, path, name, length, seed):
        os.setxattr(self.path(path), name, pattern(seed, length))

    def do_removexattr(self, path, name):
        os.removexattr(self.path(path), name)

    def do_many(self, path, prefix, first, count):
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
        for made in range(count):
            try:
                self.with_file('%s/%s%d' % (path, prefix, first + made), flags, lambda fd: None)
            except OSError:
                if made == 0:
                    raise
                return made
        return count

    def do_fewer(self, path, prefix, first, count):
        gone = 0
        for i in range(first, first + count):
            try:
                os.unlink(self.path('%s/%s%d' % (path, prefix, i)))
                gone += 1
            except IsADirectoryError:
                pass
            except FileNotFoundError:
                if not os.path.isdir(self.path(path)):
                    raise
        return gone

    def do_open(self, slot, path):
        if slot in self.slots:
            raise OSError(errno.EBUSY, '')
        self.slots[slot] = self.open(path, os.O_RDWR)

    def slot(self, slot):
        if slot not in self.slots:
            raise OSError(errno.EBADF, '')
        return self.slots[slot]

    def do_close(self, slot):
        os.close(self.slot(slot))
        del self.slots[slot]

    def do_pwrite(self, slot, offset, length, seed):
        return os.pwrite(self.slot(slot), pattern(seed, length), offset)

    def do_ftruncate(self, slot, size):
        os.ftruncate(self.slot(slot), size)

    def do_compare(self, judge):
        if judge:
            for fd in self.slots.values():
                os.close(fd)
            self.slots.clear()


if __name__ == '__main__':
    os.umask(UMASK)
    steps = Steps(os.fsencode(sys.argv[1]))
    json.dump([steps.run(step) for step in json.load(sys.stdin)], sys.stdout)
