#!/bin/bash
# Makes demo.ext4.img.gz, the image that `npm start` shows and the build warms its code cache on: 8 MiB, ext4 with the
# features that mke2fs 1.47 gives by default. Run it again only to change the demo; the result is committed.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
umask 022
tree=$work/tree
mkdir -p "$tree"/{boot,etc/network,home/guest,var/log}
cat >"$tree/README" <<'TEXT'
This is the inside of a disk image.

You are reading it without root, without a mount and without a loop device:
the ext4 file system runs in the process that shows you this text.

  fsu_ls demo.ext4.img -l /etc        list a directory
  fsu_cat demo.ext4.img /etc/fstab    show a file
  fsu_write demo.ext4.img /etc/motd   write standard input to a file, wholly or not at all
TEXT
cat >"$tree/etc/fstab" <<'TEXT'
# device      mount point  type  options            dump  pass
LABEL=demo    /            ext4  errors=remount-ro  0     1
LABEL=swap    none         swap  sw                 0     0
tmpfs         /tmp         tmpfs nosuid,nodev       0     0
TEXT
echo demo >"$tree/etc/hostname"
printf '127.0.0.1\tlocalhost\n::1\t\tlocalhost\n' >"$tree/etc/hosts"
printf 'auto lo\niface lo inet loopback\n' >"$tree/etc/network/interfaces"
printf 'root:x:0:0:root:/root:/bin/sh\nguest:x:1000:1000:Guest:/home/guest:/bin/sh\n' >"$tree/etc/passwd"
printf 'root:x:0:\nguest:x:1000:\n' >"$tree/etc/group"
printf 'menuentry "demo" {\n\tlinux /boot/vmlinuz root=LABEL=demo ro\n}\n' >"$tree/boot/grub.cfg"
for i in $(seq 1 2000); do printf '2026-01-01T00:%02d:%02dZ demo: message %d\n' $((i / 60 % 60)) $((i % 60)) "$i"; done >"$tree/var/log/messages"
echo 'Hello from the image.' >"$tree/home/guest/hello.txt"
ln -s ../README "$tree/home/README"
ln "$tree/etc/hostname" "$tree/etc/myname"
find "$tree" -exec touch -h -d 2026-01-01T00:00:00Z {} +
chmod 1777 "$tree/var/log"
chown -hR 1000:1000 "$tree/home/guest"
truncate -s 8M "$work/demo.ext4.img"
E2FSPROGS_FAKE_TIME=1767225600 mke2fs -q -t ext4 -L demo -U 0e5d4ca8-8d24-4c64-8f12-0d1c0ffee000 \
  -E hash_seed=0e5d4ca8-8d24-4c64-8f12-0d1c0ffee001,lazy_itable_init=0,lazy_journal_init=0,root_owner=0:0 \
  -d "$tree" "$work/demo.ext4.img"
e2fsck -fn "$work/demo.ext4.img"
gzip -9n <"$work/demo.ext4.img" >"$here/demo.ext4.img.gz"
ls -l "$here/demo.ext4.img.gz"
