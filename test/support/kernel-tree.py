"""Walk a directory tree as the kernel shows it; one JSON object a line on stdout (a TreeEntry of tree.ts).

    kernel-tree.py DIR

Everything that stat(2) and getxattr(2) tell, and a digest of the contents. Directories are walked through descriptors,
so paths longer than PATH_MAX are fine. Nothing is followed and nothing is written; atime stays where the mount is
read-only or noatime.
"""

import ctypes
import errno
import fcntl
import hashlib
import json
import os
import resource
import stat
import struct
import sys

CHUNK = 64 * 1024
# Larger files are digested by their 64 KiB chunks that are not all zero (tree.ts: contentDigest).
PLAIN_DIGEST_MAX = 64 * 1024 * 1024
ZEROS = bytes(CHUNK)

FS_IOC_GETFLAGS = 0x80086601
STATX_BTIME = 0x800
AT_SYMLINK_NOFOLLOW = 0x100
libc = ctypes.CDLL(None, use_errno=True)

TYPES = {
    stat.S_IFREG: 'reg',
    stat.S_IFDIR: 'dir',
    stat.S_IFLNK: 'lnk',
    stat.S_IFCHR: 'chr',
    stat.S_IFBLK: 'blk',
    stat.S_IFIFO: 'fifo',
    stat.S_IFSOCK: 'sock',
}


def text(raw):
    """The project's name codec: UTF-8 where valid, an invalid byte 0xNN as U+DCNN."""
    return raw.decode('utf-8', 'surrogateescape')


def time(ns):
    return {'sec': ns // 10**9, 'nsec': ns % 10**9}


def birth_time(dir_fd, name):
    buf = ctypes.create_string_buffer(256)
    if libc.statx(dir_fd, ctypes.c_char_p(name), AT_SYMLINK_NOFOLLOW, STATX_BTIME, buf) != 0:
        return None
    mask = struct.unpack_from('=I', buf, 0)[0]
    if not mask & STATX_BTIME:
        return None
    sec, nsec = struct.unpack_from('=qI', buf, 0x50)
    return {'sec': sec, 'nsec': nsec}


def data_runs(fd, size):
    """Where the kernel says that data lies; all else is zeros."""
    offset = 0
    while offset < size:
        try:
            start = os.lseek(fd, offset, os.SEEK_DATA)
        except OSError as error:
            if error.errno == errno.ENXIO:
                return
            raise
        try:
            end = min(os.lseek(fd, start, os.SEEK_HOLE), size)
        except FileNotFoundError:
            # Inline data in an inode whose size is beyond it (mke2fs -d leaves that of a file that is all hole): ext4
            # reads such a file, but does not know where its holes are.
            end = size
        yield start, end
        offset = end


def digest_plain(fd, size):
    digest = hashlib.sha256()
    position = 0
    for start, end in data_runs(fd, size):
        feed_zeros(digest, start - position)
        position = start
        while position < end:
            data = os.pread(fd, min(1 << 20, end - position), position)
            if not data:
                raise OSError('short read')
            digest.update(data)
            position += len(data)
    feed_zeros(digest, size - position)
    return digest.hexdigest()


def feed_zeros(digest, count):
    while count > 0:
        digest.update(ZEROS[: min(count, CHUNK)])
        count -= CHUNK


def digest_sparse(fd, size):
    digest = hashlib.sha256()
    next_chunk = 0
    for start, end in data_runs(fd, size):
        for index in range(max(next_chunk, start // CHUNK), (end + CHUNK - 1) // CHUNK):
            data = os.pread(fd, CHUNK, index * CHUNK)
            if data != ZEROS[: len(data)]:
                digest.update(struct.pack('<Q', index) + data)
            next_chunk = index + 1
    digest.update(struct.pack('<Q', size))
    return digest.hexdigest()


def flags_of(fd):
    buf = bytearray(8)
    try:
        fcntl.ioctl(fd, FS_IOC_GETFLAGS, buf)
    except OSError:
        return None
    return struct.unpack_from('=I', buf)[0]


def xattrs_of(path):
    found = {}
    for name in os.listxattr(path, follow_symlinks=False):
        raw = os.fsencode(name)
        found[text(raw)] = os.getxattr(path, raw, follow_symlinks=False).hex()
    return found


class Walk:
    def __init__(self, out):
        self.out = out
        self.digests = {}

    def run(self, root):
        fd = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        self.directory(fd, b'/', os.fstat(fd))
        os.close(fd)

    def directory(self, fd, path, status):
        entry = self.entry(path, status, b'/proc/self/fd/%d/.' % fd)
        entry['btime'] = birth_time(fd, b'.')
        entry['flags'] = flags_of(fd)
        self.emit(entry)
        prefix = path if path == b'/' else path + b'/'
        for name in sorted(os.fsencode(name) for name in os.listdir(fd)):
            self.child(fd, name, prefix + name)

    def child(self, dir_fd, name, path):
        status = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd)
            try:
                self.directory(fd, path, status)
            finally:
                os.close(fd)
            return
        entry = self.entry(path, status, b'/proc/self/fd/%d/%s' % (dir_fd, name))
        entry['btime'] = birth_time(dir_fd, name)
        if stat.S_ISREG(status.st_mode):
            entry.update(self.contents(dir_fd, name, status))
        elif stat.S_ISLNK(status.st_mode):
            entry['target'] = text(os.readlink(name, dir_fd=dir_fd))
        elif stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
            entry['rdev'] = {'major': os.major(status.st_rdev), 'minor': os.minor(status.st_rdev)}
        self.emit(entry)

    def entry(self, path, status, handle):
        return {
            'path': text(path),
            'type': TYPES[stat.S_IFMT(status.st_mode)],
            'mode': stat.S_IMODE(status.st_mode),
            'uid': status.st_uid,
            'gid': status.st_gid,
            'nlink': status.st_nlink,
            'size': status.st_size,
            'ino': status.st_ino,
            'mtime': time(status.st_mtime_ns),
            'atime': time(status.st_atime_ns),
            'ctime': time(status.st_ctime_ns),
            'xattrs': xattrs_of(handle),
        }

    def contents(self, dir_fd, name, status):
        known = self.digests.get(status.st_ino)
        if known is None:
            fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NOATIME, dir_fd=dir_fd)
            try:
                if status.st_size <= PLAIN_DIGEST_MAX:
                    known = {'sha256': digest_plain(fd, status.st_size)}
                else:
                    known = {'sparseSha256': digest_sparse(fd, status.st_size)}
                known['flags'] = flags_of(fd)
            finally:
                os.close(fd)
            if status.st_nlink > 1:
                self.digests[status.st_ino] = known
        return known

    def emit(self, entry):
        self.out.write(json.dumps({k: v for k, v in entry.items() if v is not None}, separators=(',', ':')))
        self.out.write('\n')


if __name__ == '__main__':
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    sys.setrecursionlimit(20000)
    Walk(sys.stdout).run(os.fsencode(sys.argv[1]))
    sys.stdout.flush()
