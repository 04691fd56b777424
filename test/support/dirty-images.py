"""Work on a mounted ext image and leave it as a crash would: dirty-images.ts says what each scenario is for.

    dirty-images.py DIR '{"scenario": "edits", "ending": "logflush", "blockSize": 4096, "image": …, "snapshots": […]}'

EXT4_IOC_SHUTDOWN stops the file system for the endings `logflush` and `nologflush`. What the crash leaves is a copy of
the backing file, made before unmounting: `snapshot` makes several, while the file system is in use.
Prints a JSON summary.
"""

import ctypes
import fcntl
import json
import os
import random
import re
import struct
import subprocess
import sys

libc = ctypes.CDLL(None, use_errno=True)

EXT4_IOC_SHUTDOWN = 0x8004587D
# Commit what is in memory to the log and stop; or stop at once.
ENDINGS = {'logflush': 1, 'nologflush': 2}
JBD2_MAGIC = b'\xc0\x3b\x39\x98'


class Work:
    def __init__(self, root, options):
        self.root = root
        self.options = options
        self.block = options['blockSize']
        self.random = random.Random('ukfs dirty images')
        self.snapshots = list(options['snapshots'])
        self.open = []
        self.commits = 0

    def run(self):
        getattr(self, self.options['scenario'].replace('-', '_'))()
        info = self.fast_commits()
        ending = ENDINGS.get(self.options['ending'])
        if ending is not None:
            fd = os.open(self.root, os.O_RDONLY)
            fcntl.ioctl(fd, EXT4_IOC_SHUTDOWN, struct.pack('=I', ending))
            os.close(fd)
        # Now: unmounting lets the block device write what it still holds, as a crash would not.
        while self.snapshots:
            self.snapshot()
        return info

    # Small tools

    def at(self, *names):
        return b'/'.join((self.root, *(name if isinstance(name, bytes) else name.encode() for name in names)))

    def write(self, path, data, sync=False, flags=os.O_CREAT | os.O_TRUNC):
        fd = os.open(path, os.O_WRONLY | flags, 0o644)
        os.write(fd, data)
        if sync:
            os.fsync(fd)
        os.close(fd)

    def commit(self):
        """
        A transaction ends here. fsync of one file commits all that is open, and writes nothing home; syncfs would
        write the blocks home too, and leave nothing to replay.
        """
        self.commits += 1
        self.write(self.at('commits'), b'%d\n' % self.commits, sync=True)
        if self.options['ending'] == 'snapshot' and self.snapshots:
            self.snapshot()

    def snapshot(self):
        """Two readings that agree are one moment: between them every block was as both found it."""
        target = self.snapshots.pop(0)
        before = self.image_bytes()
        for _ in range(50):
            again = self.image_bytes()
            if again == before:
                break
            before = again
        else:
            raise OSError('the image never held still')
        with open(target, 'wb') as file:
            for offset in range(0, len(before), 65536):
                piece = before[offset : offset + 65536]
                if piece.count(0) != len(piece):
                    file.seek(offset)
                    file.write(piece)
            file.truncate(len(before))

    def image_bytes(self):
        with open(self.options['image'], 'rb') as file:
            return file.read()

    def fast_commits(self):
        """How many fast commits the kernel counts; 0 where there is no such thing."""
        device = os.path.basename(self.device())
        try:
            with open(f'/proc/fs/ext4/{device}/fc_info') as file:
                found = re.search(r'(\d+) commits', file.read())
        except FileNotFoundError:
            return {'fastCommits': 0}
        return {'fastCommits': int(found.group(1)) if found else 0}

    def device(self):
        wanted = os.path.realpath(os.fsdecode(self.root))
        with open('/proc/self/mounts') as file:
            for line in file:
                device, target = line.split()[:2]
                if target == wanted:
                    return device
        raise OSError(f'{wanted} is not mounted')

    # Scenarios. `base` runs in a mount of its own that ends in good order.

    def base(self):
        for directory in ('keep', 'remove', 'many', 'move-from', 'move-to'):
            os.mkdir(self.at(directory))
        for index in range(60):
            size = (index * 997) % (5 * self.block)
            self.write(self.at('keep', f'file-{index}'), self.random.randbytes(size))
            self.write(self.at('move-from', f'file-{index}'), b'%d\n' % index)
            self.write(self.at('remove', f'file-{index}'), self.random.randbytes(size))
        for index in range(300):
            self.write(self.at('many', f'an-entry-with-a-name-{index}'), b'')

    def edits(self):
        """Everything once, in several transactions, the last of them open."""
        os.mkdir(self.at('new'))
        for index in range(100):
            self.write(self.at('new', f'file-{index}'), self.random.randbytes(index * 50))
        self.commit()
        self.rename_and_link()
        self.commit()
        self.truncate_and_append()
        self.metadata_becomes_data()
        self.grow_directory()
        self.commit()
        for index in range(60):
            os.unlink(self.at('remove', f'file-{index}'))
        os.rmdir(self.at('remove'))
        self.write(self.at('keep', 'last-and-synced'), b'synced\n' * 2000, sync=True)
        # What follows is in memory only: an ending with a log flush commits its metadata.
        os.mkdir(self.at('open-transaction'))
        os.rename(self.at('keep', 'file-7'), self.at('open-transaction', 'file-7'))
        os.symlink(b'not committed', self.at('open-transaction', 'link'))
        os.chmod(self.at('keep', 'file-8'), 0o4711)

    def rename_and_link(self):
        for index in range(0, 60, 2):
            os.rename(self.at('move-from', f'file-{index}'), self.at('move-to', f'renamed-{index}'))
        os.rename(self.at('move-from', 'file-1'), self.at('keep', 'file-1'))
        os.rename(self.at('move-from'), self.at('move-to', 'whole-directory'))
        os.link(self.at('keep', 'file-2'), self.at('move-to', 'hard-link'))
        os.symlink(b'short', self.at('keep', 'symlink'))
        os.symlink(b'long/' * 50, self.at('keep', 'symlink-slow'))
        os.mkfifo(self.at('keep', 'fifo'))
        os.chown(self.at('keep', 'file-3'), 70000, 80000)
        os.setxattr(self.at('keep', 'file-4'), 'user.small', b'in the inode')
        os.setxattr(self.at('keep', 'file-4'), 'user.large', b'in a block ' * 50)

    def truncate_and_append(self):
        os.truncate(self.at('keep', 'file-5'), 100)
        os.truncate(self.at('keep', 'file-6'), 0)
        os.truncate(self.at('keep', 'file-10'), 10_000_000)
        for index in range(20, 30):
            data = self.random.randbytes(3 * self.block)
            self.write(self.at('keep', f'file-{index}'), data, sync=True, flags=os.O_APPEND)

    def metadata_becomes_data(self):
        """
        Directory blocks that were logged are freed (a revoke record) and taken again as data, which is not logged: a
        replay that forgets the revoke writes an old directory over the contents of a file.
        """
        os.mkdir(self.at('revoked'))
        name = b'x' * 200
        for index in range(400):
            os.close(os.open(self.at('revoked', b'%s-%d' % (name, index)), os.O_CREAT | os.O_WRONLY))
        self.commit()
        for index in range(400):
            os.unlink(self.at('revoked', b'%s-%d' % (name, index)))
        os.rmdir(self.at('revoked'))
        self.commit()
        self.fill('filler', leave=64 * self.block)

    def fill(self, name, leave):
        """Take what is free, so that the blocks just freed are among it."""
        status = os.statvfs(self.root)
        size = status.f_bavail * status.f_frsize - leave
        fd = os.open(self.at(name), os.O_WRONLY | os.O_CREAT, 0o644)
        piece = self.random.randbytes(1 << 18)
        for offset in range(0, size, len(piece)):
            os.pwrite(fd, piece, offset)
        os.fsync(fd)
        os.close(fd)

    def grow_directory(self):
        for index in range(300, 600):
            os.link(self.at('keep', 'file-9'), self.at('many', f'an-entry-with-a-name-{index}'))
        for index in range(0, 300, 3):
            os.unlink(self.at('many', f'an-entry-with-a-name-{index}'))

    def orphans(self):
        """Files that have no name but were open: with a name removed, with none ever, and one being truncated."""
        for index in range(20):
            path = self.at('keep', f'file-{index}')
            self.open.append(os.open(path, os.O_RDWR))
            os.unlink(path)
        path = self.at('orphan-of-many-blocks')
        self.write(path, self.random.randbytes(200 * self.block))
        self.open.append(os.open(path, os.O_RDWR))
        os.unlink(path)
        for _ in range(3):
            fd = os.open(self.root, os.O_TMPFILE | os.O_RDWR, 0o600)
            os.write(fd, b'never had a name\n' * 1000)
            self.open.append(fd)
        self.write(self.at('keep', 'named'), b'has a name\n', sync=True)
        self.commit()

    def wrap(self):
        """
        Small transactions, with revokes, until the log has gone round several times and what would be replayed goes
        over its end.
        """
        for turn in range(300):
            os.mkdir(self.at(f'turn-{turn}'))
            for index in range(30):
                self.write(self.at(f'turn-{turn}', f'{index}'), self.random.randbytes(index * 40))
            if turn >= 2:
                for index in range(30):
                    os.unlink(self.at(f'turn-{turn - 2}', f'{index}'))
                os.rmdir(self.at(f'turn-{turn - 2}'))
            self.commit()
            if turn >= 50 and self.log_wraps():
                return
        raise OSError('the log never went over its end')

    def log_wraps(self):
        arguments = [self.options['debugfs'], '-n', '-c', '-R', 'logdump', self.options['image']]
        dump = subprocess.run(arguments, capture_output=True, check=True).stdout
        blocks = [int(block) for block in re.findall(rb'expected sequence .* at block (\d+)', dump)]
        return blocks != sorted(blocks)

    def data_journal(self):
        """data=journal: contents are in the log too; blocks that begin with the log's magic number are escaped there."""
        for index in range(20):
            data = b''.join(
                (JBD2_MAGIC if number % 2 == 0 else b'plain') + self.random.randbytes(self.block)
                for number in range(3)
            )
            self.write(self.at('keep', f'escaped-{index}'), data, sync=True)
        aligned = b''.join(JBD2_MAGIC + self.random.randbytes(self.block - 4) for _ in range(8))
        self.write(self.at('keep', 'escaped-blocks'), aligned, sync=True)
        self.write(self.at('keep', 'rewritten'), b'A' * 4 * self.block, sync=True)
        self.write(self.at('keep', 'rewritten'), b'B' * 4 * self.block, sync=True)
        os.unlink(self.at('keep', 'file-11'))
        self.commit()

    def fast_commit(self):
        """Each fsync is a fast commit, after one full commit: every tag that the kernel writes."""
        # A symlink is "data journalling" to the kernel: it forces a full commit, so it comes before.
        os.symlink(b'slow', self.at('keep', 'slow-symlink'))
        for name in 'file-3', 'file-4':
            try:
                os.setxattr(self.at('keep', name), 'user.large', b'large' * 2000)
            except OSError:
                pass  # No ea_inode: no room.
        self.commit()
        for index in range(30):
            self.write(self.at('keep', f'fast-{index}'), self.random.randbytes(1 + index * 700), sync=True)
        for index in range(10):
            self.write(self.at('keep', f'file-{index}'), b'appended\n' * 300, sync=True, flags=os.O_APPEND)
        self.write(self.at('many', 'fast-in-a-large-directory'), b'inside\n', sync=True)
        os.link(self.at('keep', 'fast-1'), self.at('keep', 'fast-hard-link'))
        self.sync(self.at('keep', 'fast-1'))
        os.unlink(self.at('keep', 'fast-2'))
        self.sync(self.at('keep', 'fast-3'))
        os.rename(self.at('keep', 'fast-4'), self.at('move-to', 'renamed'))
        self.sync(self.at('move-to', 'renamed'))
        os.truncate(self.at('keep', 'fast-29'), 5000)
        self.sync(self.at('keep', 'fast-29'))
        fd = os.open(self.at('keep', 'fast-28'), os.O_RDWR)
        libc.fallocate(fd, 3, ctypes.c_long(self.block), ctypes.c_long(self.block))
        os.fsync(fd)
        os.close(fd)
        # Not synced: lost, or there, as the kernel pleases.
        self.write(self.at('keep', 'not-synced'), b'lost\n')

    def fast_commit_mkdir(self):
        """The same with a new directory. (Of two, one in the other, the kernel 6.18 cannot mount what it replayed.)"""
        self.fast_commit()
        os.mkdir(self.at('fast-directory'))
        self.write(self.at('fast-directory', 'inside'), b'inside\n', sync=True)

    def sync(self, path):
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


if __name__ == '__main__':
    os.umask(0o022)
    print(json.dumps(Work(os.fsencode(sys.argv[1]), json.loads(sys.argv[2])).run()))
