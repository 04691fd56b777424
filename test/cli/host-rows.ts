/**
 * What the tools and the host's own do with the same tree: rows of command lines, for every file system by its traits.
 *
 * A row's words stand behind `fsu_COMMAND IMAGE` and, in the directory where the host has mounted that image, behind the
 * host's tool of that name. `T` is the row's own copy of the tree, so that rows do not meet.
 */
import { FileFlag, type FsTraits } from '@ukfs/kernel';

type Needs = (traits: FsTraits) => boolean;

const hardLinks: Needs = (traits) => traits.hardLinks;
const symlinks: Needs = (traits) => traits.symlinks;
const devices: Needs = (traits) => traits.devices;
const owners: Needs = (traits) => traits.owners;
const xattr: Needs = (traits) => traits.xattr;
const sparse: Needs = (traits) => traits.sparse;
const always: Needs = () => true;

/** The tree, piece by piece: shell in an empty directory. */
export const tree: readonly { readonly needs: Needs; readonly make: string }[] = [
  {
    needs: always,
    make: `mkdir -p dir/sub/deep empty 'with space'
      for i in $(seq 1 12); do echo "line $i" >> dir/lines; echo $i > dir/f$i.$((i % 3)); done
      printf 'one\\n\\n\\ntwo\\tthree\\001\\377\\n' > dir/odd; printf 'Needle in hay\\n' > dir/sub/hay
      head -c 70000 /dev/zero | tr '\\0' x > dir/sub/deep/big; : > empty/none; echo x > 'with space/a b'
      chmod 640 dir/lines; chmod 750 dir/sub; chmod 4711 dir/sub/hay; chmod 1777 empty
      touch -d '2001-02-03 04:05:06.123456789Z' dir/f2.2; touch -d '2015-06-07 08:09:10Z' dir/sub`,
  },
  {
    needs: symlinks,
    make: `ln -s lines dir/link; ln -s /nowhere dir/dangling; ln -s sub dir/tosub; ln -s ../dir/sub/hay empty/up`,
  },
  { needs: hardLinks, make: `ln dir/lines dir/hard` },
  { needs: devices, make: `mkfifo dir/fifo; mknod dir/null c 1 3; mknod dir/disk b 259 70000` },
  { needs: owners, make: `chown 1000:1001 dir/f1.1 dir/sub; chown 70000:5 dir/f3.0` },
  {
    needs: xattr,
    make: `setfattr -n user.color -v blue dir/f4.1; setfattr -n user.bin -v 0x00ff01 dir/f4.1; setfacl -m u:1000:rw,g:5:r dir/f5.2; setfacl -d -m u:7:rx dir/sub; setfacl -m u:1000:rwx,g:77777:rw,m::r dir/f6.0`,
  },
  { needs: sparse, make: `truncate -s 300000 dir/sparse; printf end >> dir/sparse` },
];

export interface Row {
  readonly command: string;
  readonly words: string;
  /** The host's line; default the command with the same words. */
  readonly host?: string;
  readonly needs?: Needs;
}

/** Output and whether it succeeded must be the host's. */
export interface Reading extends Row {
  /** Lines in any order. */
  readonly unordered?: boolean;
  /** What both outputs are put through. */
  readonly through?: string;
}

/** The tree afterwards must be the host's. */
export interface Edit extends Row {
  readonly stdin?: string;
  /** Times of change are set, and compared. */
  readonly times?: boolean;
}

export const readings: readonly Reading[] = [
  { command: 'ls', words: '-1AR T/dir T/empty' },
  { command: 'ls', words: '-1 --quoting-style=c T' },
  { command: 'cat', words: 'T/dir/lines T/dir/odd' },
  { command: 'cat', words: '-n T/dir/lines' },
  { command: 'cat', words: '-A T/dir/odd' },
  { command: 'stat', words: "-c '%A %a %u %s %F %n' T/dir/sub/hay T/dir" },
  { command: 'stat', words: "-c '%h %u %g %s %f %Y' T/dir/f2.2 T/dir/lines T/dir/sub/deep/big" },
  { command: 'readlink', words: 'T/dir/link T/dir/dangling', needs: symlinks },
  {
    command: 'readlink',
    words: '-f T/dir/link T/dir/tosub/hay T/empty/up',
    host: 'realpath --relative-to=. T/dir/link T/dir/tosub/hay T/empty/up | sed s,^,/,',
    needs: symlinks,
  },
  { command: 'readlink', words: '-e T/dir/dangling', needs: symlinks },
  { command: 'readlink', words: '-nz T/dir/link', through: "tr '\\0' '|'", needs: symlinks },
  { command: 'find', words: 'T', unordered: true },
  { command: 'find', words: 'T -type f -size +1k', unordered: true },
  { command: 'find', words: "T -name 'f*.1' -o -type d -empty", unordered: true },
  { command: 'find', words: 'T ! -perm -044 -print0', through: "tr '\\0' '\\n'", unordered: true },
  {
    command: 'find',
    words: 'T -type l -o -links +1 -type f',
    needs: (t) => t.symlinks && t.hardLinks,
    unordered: true,
  },
  { command: 'find', words: '-L T/dir -type f -name "h*"', needs: symlinks, unordered: true },
  { command: 'find', words: "T -printf '%p %s %m %y %d\\n'", unordered: true },
  { command: 'find', words: 'T -newer T/dir/sub -maxdepth 2 -type f', unordered: true },
  { command: 'du', words: '-k --apparent-size T', unordered: true },
  { command: 'du', words: '-ab T/dir/sub', unordered: true },
  { command: 'du', words: '-s --apparent-size -k T/dir/sub/deep/big' },
  { command: 'grep', words: '-rn "line 1" T/dir', unordered: true },
  { command: 'grep', words: '-c line T/dir/lines' },
  { command: 'grep', words: '-il needle T/dir/sub/hay T/dir/lines' },
  { command: 'grep', words: 'absent T/dir/lines' },
  { command: 'grep', words: '-A1 -B1 "line 5" T/dir/lines' },
  { command: 'hash', words: 'T/dir/lines T/dir/odd', host: 'sha256sum T/dir/lines T/dir/odd' },
  { command: 'hash', words: '-a md5 T/dir/lines', host: 'md5sum T/dir/lines' },
  { command: 'hexdump', words: '-C T/dir/odd' },
  { command: 'hexdump', words: '-C -n 40 -s 3 T/dir/lines' },
  { command: 'diff', words: '-q T/dir/lines T/dir/f1.1 > /dev/null', host: 'cmp -s T/dir/lines T/dir/f1.1' },
  { command: 'diff', words: '-q --metadata=none T/dir/lines T/dir/lines', host: 'cmp -s T/dir/lines T/dir/lines' },
  {
    command: 'tar',
    words: '-cf - T | tar -tvf - --numeric-owner',
    host: 'tar -cf - --sort=name T | tar -tvf - --numeric-owner',
    through: "sed 's,/$,,'",
    unordered: true,
  },
  {
    command: 'xattr',
    words: 'get -n user.color --only-values T/dir/f4.1',
    host: 'getfattr -n user.color --only-values T/dir/f4.1',
    needs: xattr,
  },
  { command: 'acl', words: 'get -cn T/dir/f5.2 T/dir/sub', host: 'getfacl -cn T/dir/f5.2 T/dir/sub', needs: xattr },
  { command: 'acl', words: 'get -cn T/dir/f6.0', host: 'getfacl -cn T/dir/f6.0', needs: xattr },
  { command: 'acl', words: 'get -Rn T', host: 'getfacl -Rn T', needs: xattr, unordered: true },
  {
    command: 'acl',
    words: 'get -sen T/dir/f5.2 T/dir/lines',
    host: 'getfacl -sen T/dir/f5.2 T/dir/lines',
    needs: xattr,
  },
  { command: 'xattr', words: 'get -d T/dir/f4.1', host: 'getfattr -d T/dir/f4.1', needs: xattr },
  { command: 'xattr', words: 'ls T/dir/f4.1', host: 'getfattr T/dir/f4.1', needs: xattr },
  {
    command: 'df',
    words: "-k / | awk 'NR == 2 { print $2, $3, $4 }'",
    host: "df -k . | awk 'NR == 2 { print $2, $3, $4 }'",
  },
  { command: 'df', words: "-i / | awk 'NR == 2 { print $6, $7 }'", host: "df -i . | awk 'NR == 2 { print $3, $4 }'" },
  {
    command: 'mtree',
    words: '-c -k type,mode,uid,gid,size,link,sha256digest T | mtree -C -k all',
    host: 'mtree -c -k type,mode,uid,gid,size,link,sha256digest -p T | mtree -C -k all',
    unordered: true,
  },
  { command: 'get', words: 'T/dir/odd -', host: 'cat T/dir/odd' },
];

/** A flag that chattr(1) and chflags(1) both know. */
const nodump: Needs = (traits) => (traits.flags & FileFlag.UF_NODUMP) !== 0;

export const edits: readonly Edit[] = [
  { command: 'chflags', words: 'nodump T/dir/lines T/dir/sub', host: 'chattr +d T/dir/lines T/dir/sub', needs: nodump },
  { command: 'chflags', words: '+d T/empty/none', host: 'chattr +d T/empty/none', needs: nodump },
  { command: 'put', words: '.bin/sample T/put', host: 'cat ../.bin/sample > T/put' },
  { command: 'emv', words: '-g T/dir/lines gone', host: 'mv T/dir/lines ../gone2' },
  {
    command: 'ecp',
    words: '-pR .bin T/bin',
    host: 'cp -RP --preserve=mode,links ../.bin T/bin',
    needs: symlinks,
  },
  { command: 'exec', words: 'sed -i 2d T/dir/lines', host: 'sed -i 2d T/dir/lines', needs: (t) => !t.hardLinks },
  { command: 'script', words: "-c 'mkdir T/s; rm T/dir/odd'", host: 'mkdir T/s; rm T/dir/odd' },
  { command: 'mkdir', words: '-p T/a/b/c' },
  { command: 'mkdir', words: '-m 700 T/x T/y' },
  { command: 'mkdir', words: '-m u=rwx,g=s,o=t T/z' },
  { command: 'rmdir', words: 'T/dir/sub', host: 'rmdir T/dir/sub 2>/dev/null' },
  { command: 'ln', words: 'T/dir/lines T/hard', needs: hardLinks },
  { command: 'ln', words: '-s dir/lines T/soft', needs: symlinks },
  { command: 'ln', words: '-sf else T/dir/link', needs: symlinks },
  { command: 'ln', words: '-sfn ../empty T/dir/tosub', needs: symlinks },
  { command: 'ln', words: '-sr T/dir/sub/hay T/empty/rel', needs: symlinks },
  { command: 'touch', words: "-d '2011-12-13 14:15:16Z' T/dir/lines", times: true },
  { command: 'touch', words: '-t 199901020304.05 T/dir/new', times: true },
  { command: 'touch', words: '-r T/dir/sub T/dir/odd', times: true },
  { command: 'ln', words: '-L T/dir/link T/logical', needs: (t) => t.symlinks && t.hardLinks },
  { command: 'ln', words: '-P T/dir/link T/physical', needs: (t) => t.symlinks && t.hardLinks },
  { command: 'ln', words: '-st T/empty ../dir/odd ../dir/lines', needs: symlinks },
  { command: 'ln', words: '-srfT T/dir/sub/hay T/dir/tosub', needs: symlinks },
  { command: 'ln', words: '-s x T/empty', needs: symlinks },
  { command: 'rmdir', words: '-p --ignore-fail-on-non-empty T/dir/sub' },
  { command: 'mkdir', words: '-m 755 T/dir/plain', needs: owners },
  { command: 'touch', words: '-c T/none' },
  { command: 'touch', words: "-m -d '@1000000000.25' T/dir/lines", times: true },
  { command: 'touch', words: "-h -d '2005-05-05 05:05:05Z' T/dir/link", needs: symlinks, times: true },
  { command: 'truncate', words: '-s 5 T/dir/lines' },
  { command: 'truncate', words: '-s +100K T/dir/odd' },
  { command: 'truncate', words: '-s %4096 T/dir/sub/deep/big' },
  { command: 'truncate', words: '-r T/dir/odd T/dir/lines T/made' },
  { command: 'truncate', words: "-s '<1K' T/dir/sub/deep/big T/dir/odd" },
  { command: 'chmod', words: '-R g-rwx,o=u T/dir', needs: owners },
  { command: 'chmod', words: '-R u=rwX,g=u-w,o= T', needs: owners },
  { command: 'chmod', words: '--reference=T/dir/sub/hay T/dir/lines T/empty', needs: owners },
  { command: 'chmod', words: '600 T/dir/link', needs: (t) => t.owners && t.symlinks },
  { command: 'chmod', words: '-R a+X T', needs: owners },
  { command: 'chmod', words: 'u-s,+t,g=o T/dir/sub/hay', needs: owners },
  { command: 'chmod', words: '-x T/dir/sub', needs: owners },
  { command: 'chmod', words: '2750 T/dir T/empty', needs: owners },
  { command: 'chown', words: '-R 12:34 T/dir', needs: owners },
  { command: 'chown', words: '-h :99 T/dir/link', needs: (t) => t.owners && t.symlinks },
  {
    command: 'chown',
    words: '-R -L 12 T/dir',
    needs: (t) => t.owners && t.symlinks,
    host: 'chown -R -L 12 T/dir 2>/dev/null; true',
  },
  { command: 'chown', words: '-R -H 12 T/dir/tosub', needs: (t) => t.owners && t.symlinks },
  { command: 'chown', words: '-R -P 12 T/dir/tosub', needs: (t) => t.owners && t.symlinks },
  { command: 'chown', words: '-R --from=1000:1001 7:8 T', needs: owners },
  { command: 'chown', words: '--reference=T/dir/f3.0 T/dir/lines', needs: owners },
  { command: 'chgrp', words: '-R 5 T/dir/sub', needs: owners },
  { command: 'mkfifo', words: '-m 600 T/pipe', needs: devices },
  { command: 'mknod', words: 'T/zero c 1 5', needs: devices },
  { command: 'mknod', words: '-m 660 T/loop b 7 300', needs: devices },
  { command: 'mknod', words: '-m u=rw,go= T/far c 4095 1048575', needs: devices },
  { command: 'mknod', words: 'T/pipe p', needs: devices },
  { command: 'write', words: 'T/dir/new', host: 'cat > T/dir/new', stdin: 'contents\n' },
  { command: 'write', words: '-a T/dir/lines', host: 'cat >> T/dir/lines', stdin: 'one more\n' },
  { command: 'rm', words: 'T/dir/lines T/dir/odd' },
  { command: 'rm', words: '-r T/dir/sub T/empty' },
  { command: 'rm', words: '-rf T/dir T/none' },
  { command: 'cp', words: '-a T/dir T/copy' },
  { command: 'cp', words: '-p T/dir/lines T/dir/f2.2 T/empty', times: true },
  { command: 'cp', words: '-r T/dir/sub T/empty', needs: always },
  { command: 'cp', words: '-L T/dir/link T/real', needs: symlinks },
  { command: 'cp', words: '--sparse=always T/dir/sub/deep/big T/big2', needs: sparse },
  { command: 'mv', words: 'T/dir/sub T/moved' },
  { command: 'mv', words: 'T/dir/f1.1 T/dir/f2.2 T/empty' },
  { command: 'mv', words: '-T T/dir/lines T/dir/odd' },
  {
    command: 'xattr',
    words: 'set -n user.new -v value T/dir/lines',
    host: 'setfattr -n user.new -v value T/dir/lines',
    needs: xattr,
  },
  { command: 'xattr', words: 'rm -n user.color T/dir/f4.1', host: 'setfattr -x user.color T/dir/f4.1', needs: xattr },
  { command: 'acl', words: 'set -m u:3:r,g::rx,d:o:x T/dir', host: 'setfacl -m u:3:r,g::rx,d:o:x T/dir', needs: xattr },
  { command: 'acl', words: 'set -b T/dir/f5.2', host: 'setfacl -b T/dir/f5.2', needs: xattr },
  {
    command: 'acl',
    words: 'set -m u:1:7,g::rx,o:- T/dir/lines',
    host: 'setfacl -m u:1:7,g::rx,o:- T/dir/lines',
    needs: xattr,
  },
  {
    command: 'acl',
    words: 'set -m m::r -m u:1:rwx T/dir/lines',
    host: 'setfacl -m m::r -m u:1:rwx T/dir/lines',
    needs: xattr,
  },
  { command: 'acl', words: 'set -n -m u:2:rwx T/dir/lines', host: 'setfacl -n -m u:2:rwx T/dir/lines', needs: xattr },
  {
    command: 'acl',
    words: 'set --mask -m m:r,u:3:rwx T/dir/lines',
    host: 'setfacl --mask -m m:r,u:3:rwx T/dir/lines',
    needs: xattr,
  },
  { command: 'acl', words: 'set -x u:1000 T/dir/f5.2', host: 'setfacl -x u:1000 T/dir/f5.2', needs: xattr },
  { command: 'acl', words: 'set -x u:1000,g:5,m T/dir/f5.2', host: 'setfacl -x u:1000,g:5,m T/dir/f5.2', needs: xattr },
  { command: 'acl', words: 'set -x d:u:7 T/dir/sub', host: 'setfacl -x d:u:7 T/dir/sub', needs: xattr },
  { command: 'acl', words: 'set -k T/dir/sub', host: 'setfacl -k T/dir/sub', needs: xattr },
  { command: 'acl', words: 'set -b T/dir/sub', host: 'setfacl -b T/dir/sub', needs: xattr },
  {
    command: 'acl',
    words: 'set --set u::rwx,g::r,o::-,u:9:rX,m::rx T/dir/f5.2',
    host: 'setfacl --set u::rwx,g::r,o::-,u:9:rX,m::rx T/dir/f5.2',
    needs: xattr,
  },
  { command: 'acl', words: 'set -R -m u:4:rX,g:4:X T', host: 'setfacl -R -m u:4:rX,g:4:X T', needs: xattr },
  { command: 'acl', words: 'set -d -m u:1:rw,m::r T/empty', host: 'setfacl -d -m u:1:rw,m::r T/empty', needs: xattr },
  { command: 'acl', words: 'set -m d:g:8:rx,u:8:w T/empty', host: 'setfacl -m d:g:8:rx,u:8:w T/empty', needs: xattr },
  { command: 'acl', words: 'set -m u:1000:- T/dir/f5.2', host: 'setfacl -m u:1000:- T/dir/f5.2', needs: xattr },
  {
    command: 'xattr',
    words: 'set -n user.hex -v 0x0001ff T/dir',
    host: 'setfattr -n user.hex -v 0x0001ff T/dir',
    needs: xattr,
  },
  {
    command: 'xattr',
    words: 'set -n user.b -v 0sAAECAw== T/dir',
    host: 'setfattr -n user.b -v 0sAAECAw== T/dir',
    needs: xattr,
  },
  {
    command: 'xattr',
    words: 'set -h -n trusted.l -v x T/dir/link',
    host: 'setfattr -h -n trusted.l -v x T/dir/link',
    needs: (t) => t.xattr && t.symlinks,
  },
  {
    command: 'chflags',
    words: 'nodump,schg T/dir/lines',
    host: 'chattr +di T/dir/lines',
    needs: (t) => (t.flags & 0x20001) === 0x20001,
  },
];
