/** Dumps of attributes and of access control lists: the host's tools restore ours, and we restore theirs. */
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacksOracle } from '../support/oracle.ts';
import { Workplace } from './harness.ts';

describe.skipIf(lacksOracle('loop mount', 'mke2fs', 'e2fsck', 'getfattr', 'setfattr', 'getfacl', 'setfacl'))(
  'dumps',
  () => {
    let place: Workplace;

    beforeAll(() => {
      place = new Workplace();
      mkdirSync(place.at('mnt'));
      const done = place.sh(`set -e
      truncate -s 16M full.img; mke2fs -q -t ext4 full.img; mount -o loop full.img mnt; cd mnt
      mkdir -p dir/sub 'with blank'; touch dir/f 'dir/back\\slash' $'dir/new\\nline' $'dir/raw\\377' 'with blank/f' plain
      cd ..; umount mnt; cp full.img empty.img; mount -o loop full.img mnt; cd mnt
      for f in dir/* plain 'with blank'/f; do setfattr -n user.name -v "$f" "$f"; done
      setfattr -n user.bin -v 0x00ff01 plain; setfattr -n user.empty plain; setfattr -n trusted.x -v '"q\\"uote\\\\"' dir/sub
      chown 1000:77 dir/f; chmod 2775 dir; chmod 4711 plain
      setfacl -m u:1000:rwx,g:5:x,m::rx dir/f; setfacl -m d:u:7:rwx,d:g::- dir; setfacl -m u:3:r $'dir/new\\nline' $'dir/raw\\377' 'dir/back\\slash'
      cd ..; umount mnt`);
      expect(done).toMatchObject({ stderr: '', status: 0 });
    }, 60_000);
    afterAll(() => place.remove());

    const theirs = {
      'xattr get -d -e hex -RP': "getfattr -d -e hex -m '^(user|trusted)' -RP . | sed 's,^# file: ./,# file: ,'",
      'acl get -nRP': "getfacl -nRP . | sed 's,^# file: ./,# file: ,'",
    } as const;
    const restores = {
      'xattr get -d -e hex -RP': 'setfattr -h --restore=-',
      'acl get -nRP': 'setfacl --restore=-',
    } as const;
    const ours = (image: string, command: keyof typeof theirs): string =>
      `fsu ${command}${command.startsWith('xattr') ? " -m '^(user|trusted)'" : ''} ${image}`;
    const sorted = (text: string): string => text.split('\n\n').sort().join('\n\n');

    test.each(['xattr get -d -e hex -RP', 'acl get -nRP'] as const)('%s', (command) => {
      const [verb] = command.split(' ');
      const full = place.sh(`mount -o loop,ro full.img mnt; cd mnt; ${theirs[command]}; cd ..; umount mnt`);
      expect(full.stderr).toBe('');
      expect(full.stdout.length).toBeGreaterThan(300);
      expect(sorted(place.sh(ours('full.img', command)).stdout)).toBe(sorted(full.stdout));
      // Ours, restored by them; theirs, restored by us.
      const script = `set -e; cp empty.img a.img; cp empty.img b.img; ${ours('full.img', command)} > ours
      mount -o loop,ro full.img mnt; (cd mnt; ${theirs[command]}) > theirs; umount mnt
      mount -o loop a.img mnt; (cd mnt; ${restores[command]} < ../ours); umount mnt
      fsu ${verb} set --restore theirs b.img; e2fsck -fn b.img > judged
      ${ours('a.img', command)} | cmp - ours; ${ours('b.img', command)} | cmp - ours`;
      expect(place.sh(script)).toMatchObject({ stdout: '', status: 0 });
    });
  },
);
