"""
Make an encrypted directory below the mount point given, with a key of our own, and fill it with so many names; or, asked
for `open DIRECTORY`, add the key and print what is in that directory. Linux fscrypt UAPI.
"""
import fcntl
import os
import struct
import sys

ADD_KEY = 0xC0506617  # FS_IOC_ADD_ENCRYPTION_KEY
SET_POLICY = 0x800C6613  # FS_IOC_SET_ENCRYPTION_POLICY
IDENTIFIER = 2
AES_256_XTS, AES_256_CTS, PAD_32 = 1, 4, 3

top = sys.argv[1]
fd = os.open(top, os.O_RDONLY)
argument = bytearray(struct.pack('<II32sII32s', IDENTIFIER, 0, b'', 64, 0, b'') + bytes(range(64)))
fcntl.ioctl(fd, ADD_KEY, argument)
if sys.argv[2] == 'open':
    directory = os.path.join(top, sys.argv[3])
    for name in sorted(os.listdir(directory)):
        path = os.path.join(directory, name)
        if os.path.islink(path):
            print(name, os.readlink(path))
        elif os.path.isdir(path):
            print(name, 'directory')
        else:
            with open(path) as f:
                print(name, f.read().strip())
    sys.exit()
secret = os.path.join(top, 'secret')
os.mkdir(secret)
policy = bytearray(struct.pack('<BBBB4s', 2, AES_256_XTS, AES_256_CTS, PAD_32, b'') + bytes(argument[8:24]))
os.close(fd)
fd = os.open(secret, os.O_RDONLY)
fcntl.ioctl(fd, SET_POLICY, policy)
os.close(fd)
for index in range(int(sys.argv[2])):
    name = f'name-{index}' + '-and-more' * (index % 28)
    with open(os.path.join(secret, name[:255]), 'w') as f:
        f.write('secret\n')
os.symlink('target of the link', os.path.join(secret, 'link'))
os.mkdir(os.path.join(secret, 'empty-directory'))
