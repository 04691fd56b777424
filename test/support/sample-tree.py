"""Build a tree that holds what real trees hold, and the corners: sample-tree.ts says what each option means.

    sample-tree.py DIR '{"copyFiles": 400, ...}'

The same script fills a host directory (for `mke2fs -d`) and a mounted image (so that the kernel's own layouts are on it).
Contents, names and modification times depend on the options and on this machine's /etc and /usr/share/doc only; what
cannot be made is an error, never a silent gap. Prints a JSON summary: {"entries": count of everything below DIR}.
"""

import ctypes
import fcntl
import json
import os
import random
import shutil
import stat
import struct
import sys
import zlib

libc = ctypes.CDLL(None, use_errno=True)

FALLOC_KEEP_SIZE = 0x01
FALLOC_PUNCH_HOLE = 0x02
FALLOC_COLLAPSE_RANGE = 0x08
FALLOC_ZERO_RANGE = 0x10
FALLOC_INSERT_RANGE = 0x20

FS_IOC_GETFLAGS = 0x80086601
FS_IOC_SETFLAGS = 0x40086602
FLAGS = {
    'sync': 0x08,
    'immutable': 0x10,
    'append': 0x20,
    'nodump': 0x40,
    'noatime': 0x80,
    'notail': 0x8000,
}

# ext4 holds seconds in 34 bits, from 1901 to 2446 (with 128-byte inodes: 32 bits).
FIRST_SECOND = -(2**31)
LAST_SECOND = 2**34 - 2**31 - 1


class Tree:
    def __init__(self, root, options):
        self.root = root
        self.options = options
        self.random = random.Random('ukfs sample tree')

    def build(self):
        o = self.options
        self.copy_real_files(b'real', o['copyFiles'], o['copyBytes'])
        self.sizes(b'sizes')
        self.names(b'names')
        self.links(b'links')
        self.nodes(b'nodes')
        self.owners(b'owners')
        self.times(b'times')
        self.sparse(b'sparse')
        self.deep(b'deep')
        if o['bigDirEntries'] > 0:
            self.big_directory(b'big-dir', o['bigDirEntries'], self.short_name)
        if o['longNameEntries'] > 0:
            self.big_directory(b'long-names', o['longNameEntries'], self.long_name)
        if o['xattrs'] != 'none':
            self.xattrs(b'xattrs')
        if o['acls']:
            self.acls(b'acls')
        if o['age']:
            self.aged(b'aged')
        if o['fallocate']:
            self.preallocated(b'preallocated')
        self.directory_times()
        # Last, for what is immutable cannot be changed any more.
        if o['flags']:
            self.flags(b'flags')

    # Small tools

    def path(self, *names):
        return b'/'.join((self.root, *names))

    def mkdir(self, *names):
        path = self.path(*names)
        os.mkdir(path)
        return path

    def write(self, path, data):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        with os.fdopen(fd, 'wb') as file:
            file.write(data)

    # Themes

    def copy_real_files(self, name, limit_files, limit_bytes):
        """Files, links and directories of this machine, in sorted order, until a limit is reached."""
        top = self.mkdir(name)
        budget = {'files': limit_files, 'bytes': limit_bytes}
        for source in (b'/etc', b'/usr/share/doc'):
            if os.path.isdir(source):
                # /etc may take a third; the rest is for /usr/share/doc.
                share = limit_files // 3 if source == b'/etc' else limit_files
                self.copy_directory(source, os.path.join(top, os.path.basename(source)), budget, limit_files - share)
        # A bare container has few files of its own: the count stays.
        for index in range(budget['files']):
            if index % 64 == 0:
                directory = self.mkdir(name, b'made-%d' % (index // 64))
            self.write(os.path.join(directory, b'file %d' % index), self.random.randbytes(self.random.randrange(9000)))

    def copy_directory(self, source, target, budget, keep):
        os.mkdir(target)
        for entry in sorted(os.scandir(source), key=lambda entry: entry.name):
            if budget['files'] <= keep:
                return
            status = entry.stat(follow_symlinks=False)
            copy = os.path.join(target, entry.name)
            if entry.is_symlink():
                link = os.readlink(entry.path)
                if len(link) > self.options['symlinkMax']:
                    continue
                os.symlink(link, copy)
            elif entry.is_dir():
                self.copy_directory(entry.path, copy, budget, keep)
                continue
            elif self.wanted(entry, status, budget):
                shutil.copyfile(entry.path, copy)
                os.chmod(copy, stat.S_IMODE(status.st_mode))
                budget['bytes'] -= status.st_size
            else:
                continue
            os.chown(copy, status.st_uid, status.st_gid, follow_symlinks=False)
            os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns), follow_symlinks=False)
            budget['files'] -= 1

    def wanted(self, entry, status, budget):
        """Only what everybody may read: copies lie in a temporary directory."""
        size = status.st_size
        return entry.is_file() and status.st_mode & 0o004 and size <= 256 * 1024 and size <= budget['bytes']

    def sizes(self, name):
        """Every border of the block map: bytes around a block, direct, single and double indirect blocks."""
        self.mkdir(name)
        block = self.options['blockSize']
        per_block = block // 4
        for size in (0, 1, 59, 60, 61, 100, 150, 159, 160, 161, 200, 1000):
            self.write(self.path(name, b'bytes-%d' % size), self.random.randbytes(size))
        for blocks in (1, 12, 13, 12 + per_block, 13 + per_block):
            if blocks * block <= 3_000_000:
                for delta in (-1, 0, 1):
                    data = self.random.randbytes(blocks * block + delta)
                    self.write(self.path(name, b'blocks-%d%+d' % (blocks, delta)), data)
        self.write(self.path(name, b'1.3MB'), self.random.randbytes(1_300_000))
        if self.options['bigFileBytes'] > 0:
            self.write(self.path(name, b'big'), self.random.randbytes(self.options['bigFileBytes']))

    def names(self, name):
        top = self.mkdir(name)
        for length in range(1, 256):
            self.write(os.path.join(top, b'n' * length), b'%d' % length)
        odd = [
            'ümlaut',
            'u\u0308mlaut (decomposed)',
            '日本語の名前',
            'עברית',
            '\U0001f600 astral \U0001f9ff',
            '\ufeffbom first',
            '\ufffd replacement',
            '€' * 85,
        ]
        raw = [
            b'two\nlines',
            b'tab\there',
            b'bell\a escape\x1b[31m',
            b' leading and trailing ',
            b'-rf',
            b'--',
            b'.hidden',
            b'...',
            b'back\\slash',
            b'quote\'s "double" `back`',
            b'*?[glob]{a,b}$HOME;&|<>#!',
            b'con.',
            b'\x01',
            b'\x7f',
            b'\xff\xfe\xfd',
            b'latin1-\xe9t\xe9',
            b'\xc0\xae overlong',
            b'\xed\xa0\x80 surrogate',
            b'\xed\xb2\x80',
            b'cut \xe2\x82',
            b'good \xe2\x82\xac bad \x80 good \xe2\x82\xac',
            b'\xf4\x90\x80\x80 above U+10FFFF',
            b'\x80' * 255,
        ]
        for index, each in enumerate([each.encode() for each in odd] + raw):
            self.write(os.path.join(top, each), b'odd name %d\n' % index)
        os.mkdir(os.path.join(top, b'dir \xff\n'))
        self.write(os.path.join(top, b'dir \xff\n', b'in it'), b'found\n')

    def links(self, name):
        top = self.mkdir(name)
        for length in sorted({1, 2, 58, 59, 60, 61, 100, 155, 160, 255, 256, 1000, 1023, 2047, 4094, 4095}):
            if length <= self.options['symlinkMax']:
                target = (b'../names/' + b'x/' * length)[:length]
                os.symlink(target, os.path.join(top, b'symlink-%d' % length))
        os.symlink(b'bytes \xff\n \xe2\x82\xac', os.path.join(top, b'symlink-bytes'))
        os.symlink(b'symlink-loop', os.path.join(top, b'symlink-loop'))
        os.symlink(b'../sizes/1.3MB', os.path.join(top, b'symlink-good'))
        os.symlink(b'/etc/passwd', os.path.join(top, b'symlink-absolute'))
        self.write(os.path.join(top, b'hard-0'), b'three names\n')
        os.link(os.path.join(top, b'hard-0'), os.path.join(top, b'hard-1'))
        os.mkdir(os.path.join(top, b'far'))
        os.link(os.path.join(top, b'hard-0'), os.path.join(top, b'far', b'hard-2'))
        os.link(os.path.join(top, b'symlink-1'), os.path.join(top, b'hard-symlink'), follow_symlinks=False)

    def nodes(self, name):
        top = self.mkdir(name)
        os.mkfifo(os.path.join(top, b'fifo'), 0o640)
        os.mknod(os.path.join(top, b'socket'), stat.S_IFSOCK | 0o755)
        # Up to 255:255 Linux uses the old 16-bit encoding, above it the new one.
        for kind, letter in ((stat.S_IFCHR, b'chr'), (stat.S_IFBLK, b'blk')):
            for major, minor in ((0, 0), (1, 3), (255, 255), (8, 256), (256, 0), (259, 65537), (4095, 1048575)):
                path = os.path.join(top, b'%s-%d-%d' % (letter, major, minor))
                os.mknod(path, kind | 0o600, os.makedev(major, minor))

    def owners(self, name):
        top = self.mkdir(name)
        for uid, gid in ((0, 0), (1000, 1000), (65534, 65535), (65535, 65536), (65536, 1), (4294967294, 2147483648)):
            path = os.path.join(top, b'%d-%d' % (uid, gid))
            self.write(path, b'')
            os.chown(path, uid, gid)
        for mode in (0, 0o111, 0o444, 0o777, 0o1644, 0o2755, 0o4755, 0o7777):
            path = os.path.join(top, b'mode-%04o' % mode)
            self.write(path, b'')
            os.chmod(path, mode)
        for mode in (0o1777, 0o2770, 0o700):
            path = os.path.join(top, b'dir-%04o' % mode)
            os.mkdir(path)
            os.chmod(path, mode)

    def times(self, name):
        top = self.mkdir(name)
        seconds = (FIRST_SECOND, -86400, -1, 0, 1, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 5 * 2**31, 2**33, LAST_SECOND)
        for second in seconds:
            for nsec in (0, 1, 999_999_999):
                path = os.path.join(top, b'%d.%09d' % (second, nsec))
                self.write(path, b'')
                # atime and mtime differ, so that swapping them shows.
                os.utime(path, ns=(min(second + 7, LAST_SECOND) * 10**9 + 123456789, second * 10**9 + nsec))
        os.symlink(b'old link', os.path.join(top, b'link'))
        os.utime(os.path.join(top, b'link'), ns=(-5, -(10**9) - 5), follow_symlinks=False)

    def sparse(self, name):
        top = self.mkdir(name)
        block = self.options['blockSize']
        self.holes(os.path.join(top, b'only-hole'), 1_000_000, [])
        self.holes(os.path.join(top, b'hole-first'), 0, [3_000_000])
        self.holes(os.path.join(top, b'hole-last'), 3_000_000, [0])
        self.holes(os.path.join(top, b'three-islands'), 40_000_000, [100_000, 20_000_000, 39_000_001])
        for offset in self.options['farOffsets']:
            path = os.path.join(top, b'far-%d' % offset)
            self.holes(path, 0, [0, 70_000_000, offset // 2 + 3, offset])
        fragments = self.options['fragments']
        if fragments > 0:
            fd = os.open(os.path.join(top, b'fragmented'), os.O_WRONLY | os.O_CREAT, 0o644)
            for index in range(fragments):
                os.pwrite(fd, (b'%08d' % index) * (block // 8), index * 2 * block)
            os.close(fd)

    def holes(self, path, size, offsets):
        fd = os.open(path, os.O_WRONLY | os.O_CREAT, 0o644)
        for offset in offsets:
            os.pwrite(fd, b'island at %d\n' % offset * 50, offset)
        if size > 0:
            os.ftruncate(fd, size)
        os.close(fd)

    def deep(self, name):
        """Deep by count, and deep by length: a path of just under PATH_MAX."""
        path = self.mkdir(name)
        for index in range(100):
            path = os.path.join(path, b'%d' % (index % 10))
            os.mkdir(path)
        self.write(os.path.join(path, b'bottom'), b'deep\n')
        here = os.open(self.path(name), os.O_RDONLY | os.O_DIRECTORY)
        used = len(name) + 1
        while used < 3600:
            os.mkdir(b'd' * 240, dir_fd=here)
            below = os.open(b'd' * 240, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here, used = below, used + 241
        os.close(os.open(b'bottom', os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=here))
        os.close(here)

    def short_name(self, index):
        return b'entry-%d-' % index + b'abcdefghijklmnopqrstuvwxyz'[: index % 23]

    def long_name(self, index):
        return (b'%08d-' % index + b'long\xc3\xa9' * 50)[:255]

    def big_directory(self, name, count, name_of):
        """A directory of many blocks: every third entry a file of its own, the others hard links. Some are removed."""
        top = self.mkdir(name)
        first = os.path.join(top, name_of(0))
        self.write(first, b'many names\n')
        for index in range(1, count + count // 10):
            path = os.path.join(top, name_of(index))
            if index % 3 == 0:
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
            else:
                os.link(first, path)
        for index in range(count // 10):
            os.unlink(os.path.join(top, name_of(1 + index * 10)))

    def xattrs(self, name):
        top = self.mkdir(name)
        block = self.options['blockSize']
        large = min(block - 300, 3500)

        def file(each, values):
            path = os.path.join(top, each)
            self.write(path, each)
            for key, value in values.items():
                os.setxattr(path, key, value)

        file(b'small', {'user.a': b'1', 'user.empty': b'', 'trusted.t': b'\x00\xff binary', 'security.x': b'label\0'})
        file(b'in-block', {'user.large': self.random.randbytes(large)})
        file(b'both', {'user.s': b'small', 'user.large': self.random.randbytes(large)})
        file(b'long-name', {'user.' + 'n' * 250: b'v', b'user.\xff bytes': b'\xff'})
        file(b'many', {'user.key%d' % index: b'value %d' % index for index in range(min(20, block // 60))})
        file(b'capability', {'security.capability': struct.pack('<5I', 0x02000001, 0x2000, 0, 0, 0)})
        shared = self.random.randbytes(400)
        for index in range(10):
            file(b'shared-%d' % index, {'user.shared': shared})
        if self.options['xattrs'] == 'large':
            for size in (5000, 20_000, 65_536):
                file(b'value-%d' % size, {'user.value': self.random.randbytes(size)})
            twin = self.random.randbytes(9000)
            for index in range(3):
                file(b'twin-%d' % index, {'user.twin': twin, 'user.own': self.random.randbytes(4200)})
        os.mkdir(os.path.join(top, b'dir'))
        os.setxattr(os.path.join(top, b'dir'), 'user.d', b'of a directory')
        os.symlink(b'small', os.path.join(top, b'link'))
        os.setxattr(os.path.join(top, b'link'), 'trusted.l', b'of a symlink', follow_symlinks=False)
        os.mkfifo(os.path.join(top, b'fifo'))
        os.setxattr(os.path.join(top, b'fifo'), 'trusted.f', b'of a fifo')
        os.setxattr(self.root, 'user.root', b'of the root directory')

    def acls(self, name):
        top = self.mkdir(name)
        user_obj, user, group_obj, group, mask, other = 1, 2, 4, 8, 16, 32

        def acl(*entries):
            packed = [struct.pack('<HHI', tag, perm, who) for tag, perm, who in entries]
            return struct.pack('<I', 2) + b''.join(packed)

        nobody = 0xFFFFFFFF
        some = acl(
            (user_obj, 7, nobody), (user, 6, 1000), (user, 0, 70000), (group_obj, 5, nobody),
            (group, 4, 100), (mask, 6, nobody), (other, 1, nobody),
        )  # fmt: skip
        many = acl(
            (user_obj, 6, nobody), *((user, index % 8, 2000 + index) for index in range(20)),
            (group_obj, 4, nobody), (mask, 7, nobody), (other, 0, nobody),
        )  # fmt: skip
        for each, value in ((b'file', some), (b'many', many)):
            self.write(os.path.join(top, each), each)
            os.setxattr(os.path.join(top, each), 'system.posix_acl_access', value)
        directory = os.path.join(top, b'dir')
        os.mkdir(directory)
        os.setxattr(directory, 'system.posix_acl_access', some)
        os.setxattr(directory, 'system.posix_acl_default', many)
        self.write(os.path.join(directory, b'heir'), b'inherits\n')
        os.mkdir(os.path.join(directory, b'heir-dir'))

    def aged(self, name):
        """What use leaves behind: freed inodes and blocks taken again, holes in directories, renamed and cut files."""
        top = self.mkdir(name)
        block = self.options['blockSize']

        def at(kind, index):
            return os.path.join(top, b'%s-%d' % (kind, index))

        for index in range(200):
            self.write(at(b'young', index), self.random.randbytes(block * (1 + index % 3)))
        # On disk, or unlinking would free nothing.
        fd = os.open(top, os.O_RDONLY)
        libc.syncfs(fd)
        os.close(fd)
        for index in range(0, 200, 2):
            os.unlink(at(b'young', index))
        self.write(os.path.join(top, b'in-the-gaps'), self.random.randbytes(block * 150))
        for index in range(1, 200, 4):
            os.rename(at(b'young', index), at(b'renamed-to-something-longer', index))
        for index in range(3, 200, 8):
            os.truncate(at(b'young', index), index)
        for index in range(30):
            self.write(at(b'reborn', index), b'%d' % index)

    def preallocated(self, name):
        """Extents that are allocated but not written, before, inside and behind the data."""
        top = self.mkdir(name)
        unit = 64 * 1024
        data = self.random.randbytes(8 * unit)

        def file(each, contents, *calls):
            fd = os.open(os.path.join(top, each), os.O_RDWR | os.O_CREAT, 0o644)
            os.pwrite(fd, contents, 0)
            # Space is allocated when data is written back: otherwise there would be nothing to punch.
            os.fsync(fd)
            for mode, start, length in calls:
                if libc.fallocate(fd, mode, ctypes.c_long(start), ctypes.c_long(length)) != 0:
                    raise OSError(ctypes.get_errno(), 'fallocate', each)
            return fd

        os.close(file(b'unwritten', b'', (0, 0, 1_000_000)))
        fd = file(b'island', b'', (0, 0, 1_000_000))
        os.pwrite(fd, data[:10_000], 500_001)
        os.close(fd)
        os.close(file(b'beyond-end', data[:100], (FALLOC_KEEP_SIZE, 0, 1_000_000)))
        os.close(file(b'empty-beyond-end', b'', (FALLOC_KEEP_SIZE, 4096, 500_000)))
        os.close(file(b'punched', data, (FALLOC_PUNCH_HOLE | FALLOC_KEEP_SIZE, unit + 100, 3 * unit)))
        os.close(file(b'zeroed', data, (FALLOC_ZERO_RANGE, unit + 100, 3 * unit)))
        os.close(file(b'collapsed', data, (FALLOC_COLLAPSE_RANGE, unit, 2 * unit)))
        os.close(file(b'inserted', data, (FALLOC_INSERT_RANGE, unit, 2 * unit)))

    def flags(self, name):
        top = self.mkdir(name)
        for flag, bit in FLAGS.items():
            path = os.path.join(top, flag.encode())
            self.write(path, flag.encode())
            fd = os.open(path, os.O_RDONLY)
            buf = bytearray(8)
            fcntl.ioctl(fd, FS_IOC_GETFLAGS, buf)
            current = struct.unpack_from('=I', buf)[0]
            fcntl.ioctl(fd, FS_IOC_SETFLAGS, struct.pack('=Q', current | bit))
            os.close(fd)

    def directory_times(self):
        """Spread over the whole range of the format, deepest first, for making an entry changes its directory."""
        for path, _, _ in os.walk(self.root, topdown=False):
            if path == self.root:
                continue
            seed = zlib.crc32(os.path.relpath(path, self.root))
            second = FIRST_SECOND + seed * 3
            os.utime(path, ns=((second + 1) * 10**9 + 5, second * 10**9 + seed % 10**9))


def count_entries(root):
    return sum(len(directories) + len(files) for _, directories, files in os.walk(root))


if __name__ == '__main__':
    target = os.fsencode(sys.argv[1])
    os.umask(0o022)
    before = count_entries(target)
    Tree(target, json.loads(sys.argv[2])).build()
    print(json.dumps({'entries': count_entries(target) - before}))
