/** What fsu browse changes: each edit in a real terminal, judged by e2fsck and by reading it back. */
import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, beforeEach, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { terminalPlace } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const { place, open } = terminalPlace();
beforeAll(() => {
  mkdirSync(place.at('tmp'));
});
beforeEach(() => {
  place.demo();
});

/** A session on an image; copies that it makes are in a directory of their own. */
async function browse(words = 'demo.img', env: Readonly<Record<string, string>> = {}): Promise<Terminal> {
  const t = open({ columns: 120, env: { TMPDIR: place.at('tmp'), ...env } });
  await t.command(`fsu browse ${words}; echo "status $?"`);
  await t.waitFor('README');
  return t;
}

/** The cursor on a name of the list. */
async function goTo(t: Terminal, name: string): Promise<void> {
  await t.waitFor(name);
  t.keys('/');
  await t.waitFor(/^\/$/m);
  t.type(name);
  await t.waitFor(`\n/${name}`);
  t.keys('Enter');
  await t.waitUntilGone(`\n/${name}`);
}

/** Keys that ask for a line, and the line. */
async function say(t: Terminal, keys: readonly string[], question: string | RegExp, text: string): Promise<void> {
  t.keys(...keys);
  await t.waitFor(question);
  t.keys('C-u');
  t.type(text);
  t.keys('Enter');
}

const staged = (t: Terminal, count: number): Promise<string> => t.waitFor(new RegExp(`STAGED ${count}\\b`));

/** The first edit: it is asked for. */
async function agreed(t: Terminal): Promise<void> {
  await t.agree();
  await staged(t, 1);
}

async function quit(t: Terminal): Promise<void> {
  t.keys('q');
  await t.waitFor('status 0');
}

const digest = (name: string): string =>
  createHash('sha256')
    .update(readFileSync(place.at(name)))
    .digest('hex');

/** What a tool says that has nothing to complain about. */
function told(line: string): string {
  const { status, stdout, stderr } = place.sh(line);
  expect({ line, status, stderr }).toEqual({ line, status: 0, stderr: '' });
  return stdout;
}

/** Another judge's word on the file system. */
function judge(image = 'demo.img'): void {
  const { status, stdout } = place.sh(`${requireOracle('e2fsck')} -fn '${image}'`);
  expect({ status, stdout: status === 0 ? '' : stdout }).toEqual({ status: 0, stdout: '' });
}

/** A file as another program reads it. */
const debugfs = (request: string, image = 'demo.img'): string =>
  place.sh(`${requireOracle('debugfs')} -R '${request}' ${image}`).stdout;

test('rename', async () => {
  const t = await browse();
  await goTo(t, 'README');
  await say(t, ['r'], 'rename to: README', 'READ ME');
  await agreed(t);
  await t.waitFor(/READ ME {5}/);
  await say(t, ['r'], 'rename to: READ ME', 'etc');
  await t.waitFor('etc exists');
  await say(t, ['r'], 'rename to: READ ME', '/etc/READ ME');
  await staged(t, 2);
  await t.commit(2);
  judge();
  expect(debugfs('cat "/etc/READ ME"')).toContain('inside of a di');
  expect(told('fsu ls demo.img:/')).not.toContain('READ');
});

test('new file, new directory, new symbolic link', async () => {
  const t = await browse();
  await say(t, ['a'], 'new file, or directory', 'file');
  await agreed(t);
  await say(t, ['a'], 'new file, or directory', 'dir/');
  await staged(t, 2);
  await say(t, ['F7'], 'new directory', 'other dir');
  await staged(t, 3);
  await goTo(t, 'etc');
  await say(t, ['A'], 'new symbolic link, to: etc', '../etc/hosts');
  await say(t, [], 'name of the link to ../etc/hosts', 'link');
  await staged(t, 4);
  await say(t, ['a'], 'new file, or directory', 'file');
  await t.waitFor('file exists');
  await t.commit(4);
  judge();
  expect(debugfs('stat /link')).toContain('Fast link dest: "../etc/hosts"');
  expect(debugfs('stat /file')).toMatch(/Type: regular[\s\S]*Size: 0/);
  expect(debugfs('stat /dir')).toContain('Type: directory');
  expect(debugfs('stat "/other dir"')).toContain('Type: directory');
});

test('delete: how much is below a directory is said first', async () => {
  const t = await browse();
  await goTo(t, 'etc');
  t.keys('d', 'd');
  await t.waitFor(/delete etc\?.*8 entries below, 417B in all/);
  t.keys('n');
  await t.waitUntilGone('delete etc');
  t.keys('d', 'd');
  await t.waitFor('delete etc?');
  t.keys('y');
  await agreed(t);
  await t.waitUntilGone('etc/');
  await goTo(t, 'README');
  t.keys('Space');
  await goTo(t, 'boot');
  t.keys('Space', 'd', 'd');
  await t.waitFor('delete 2 entries?');
  t.keys('y');
  await staged(t, 2);
  await t.commit(2);
  judge();
  expect(told('fsu ls demo.img:/')).toBe('home\nlost+found\nvar\n');
});

test('chmod, chown, touch, xattr, ACL', async () => {
  const t = await browse();
  await goTo(t, 'README');
  await say(t, ['c', 'm'], 'chmod: 0644', '600');
  await agreed(t);
  await say(t, ['c', 'o'], 'chown: 0:0', '1000:100');
  await staged(t, 2);
  await say(t, ['c', 't'], 'modified at: ', '2001-02-03T04:05:06Z');
  await staged(t, 3);
  await say(t, ['c', 'x'], 'attribute NAME=VALUE', "user.it's=a b");
  await staged(t, 4);
  await say(t, ['c', 'x'], 'attribute NAME=VALUE', 'user.gone=x');
  await staged(t, 5);
  await say(t, ['c', 'x'], 'attribute NAME=VALUE', '-user.gone');
  await staged(t, 6);
  await say(t, ['c', 'a'], 'ACL entries', 'u:7:rw,g:8:r');
  await staged(t, 7);
  await say(t, ['c', 'm'], 'chmod: ', 'nonsense');
  await t.waitFor('nonsense');
  await t.commit(7);
  judge();
  expect(debugfs('stat /README')).toMatch(/Mode: +0660[\s\S]*User: +1000 +Group: +100\b/);
  expect(debugfs('stat /README')).toMatch(/mtime: 0x3a7b8372/);
  expect(debugfs('ea_list /README')).toMatch(/user\.it\\?'s \(3\) = "a b"/);
  expect(debugfs('ea_list /README')).not.toContain('gone');
  expect(told('fsu acl get -n demo.img:/README')).toMatch(/user:7:rw-[\s\S]*group:8:r--/);
});

test('undo and redo', async () => {
  const t = await browse();
  const before = digest('demo.img');
  await say(t, ['F7'], 'new directory', 'one');
  await agreed(t);
  await say(t, ['F7'], 'new directory', 'two');
  await staged(t, 2);
  await goTo(t, 'two/');
  await say(t, ['r'], 'rename to', 'three');
  await staged(t, 3);
  t.keys('u');
  await staged(t, 2);
  await t.waitFor('two/');
  t.keys('u');
  await staged(t, 1);
  await t.waitUntilGone('two/');
  t.keys('u');
  await t.waitFor(' RW');
  t.keys('u');
  await t.waitFor('nothing to undo');
  t.keys('U');
  await staged(t, 1);
  t.keys('C-r');
  await staged(t, 2);
  t.keys('U');
  await staged(t, 3);
  t.keys('U');
  await t.waitFor('nothing to do again');
  t.keys('u');
  await staged(t, 2);
  expect(digest('demo.img')).toBe(before);
  await t.commit(2);
  judge();
  expect(told('fsu ls demo.img:/')).toBe('README\nboot\netc\nhome\nlost+found\none\ntwo\nvar\n');
});

test('review, commit, discard; nothing is written before the commit', async () => {
  const before = digest('demo.img');
  const t = await browse();
  await say(t, ['F7'], 'new directory', 'fresh');
  await agreed(t);
  await goTo(t, 'README');
  t.keys('d', 'd');
  await t.waitFor('delete README?');
  t.keys('y');
  await staged(t, 2);
  await goTo(t, 'home');
  await say(t, ['c', 'm'], 'chmod: ', '700');
  await staged(t, 3);
  await say(t, [':'], /^:/m, 'write /etc/hostname <<E');
  t.keys('w');
  const seen = await t.waitFor('finds no error that was not there before');
  expect(seen).toMatch(/added +\/fresh/);
  expect(seen).toMatch(/removed +\/README/);
  expect(seen).toMatch(/metadata +\/home/);
  expect(seen).toMatch(/\d+ bytes of the image in \d+ places\n +\d+-\d+\n/);
  expect(digest('demo.img')).toBe(before);
  t.keys('q');
  await t.waitFor('fresh/');
  t.keys('Z');
  await t.waitFor('throw away 3 staged edits?');
  t.keys('y');
  await t.waitFor('all staged edits are gone');
  await t.waitFor('README');
  expect(digest('demo.img')).toBe(before);
  t.keys('w');
  await t.waitFor('nothing is staged');
  await say(t, ['F7'], 'new directory', 'after');
  await staged(t, 1);
  await t.commit(1);
  judge();
  expect(digest('demo.img')).not.toBe(before);
  expect(told('fsu ls demo.img:/')).toBe('README\nafter\nboot\netc\nhome\nlost+found\nvar\n');
  await quit(t);
});

test('read-only until the first change is confirmed', async () => {
  const before = digest('demo.img');
  const t = await browse();
  await t.waitFor(/demo\.img ext\w+ +RO/);
  await say(t, ['F7'], 'new directory', 'one');
  await t.waitFor('edit it? nothing is written before you commit');
  t.keys('n');
  await t.waitUntilGone('edit it?');
  expect((await t.waitFor(/demo\.img ext\w+ +RO/)).includes('STAGED')).toBe(false);
  await say(t, [':'], /^:/m, 'rm -r /etc');
  await t.waitFor('edit it?');
  t.keys('Escape');
  await t.waitUntilGone('edit it?');
  await quit(t);
  expect(digest('demo.img')).toBe(before);
});

test('copy, cut and paste within an image; names that exist are asked for', async () => {
  const t = await browse();
  t.keys('g', 'e');
  await goTo(t, 'hosts');
  t.keys('y', 'g', 'h');
  await t.waitFor('guest/');
  t.keys('p');
  await agreed(t);
  // It is there now: once more with a new name, and then with none.
  t.keys('p');
  await t.waitFor('hosts exists in /home:');
  t.keys('r');
  await staged(t, 2);
  t.keys('p');
  await t.waitFor('hosts exists in /home:');
  t.keys('r');
  await staged(t, 3);
  await t.waitFor('hosts.2');
  t.keys('p');
  await t.waitFor('hosts exists in /home:');
  t.keys('Escape');
  await t.waitUntilGone('exists in');
  await goTo(t, 'guest');
  t.keys('x', 'g', '/');
  await t.waitFor('boot/');
  t.keys('p');
  await staged(t, 4);
  await t.waitFor('guest/');
  t.keys('p');
  await t.waitFor('nothing was copied');
  await t.commit(4);
  judge();
  expect(told('fsu ls demo.img:/home')).toBe('README\nhosts\nhosts.1\nhosts.2\n');
  expect(debugfs('cat /home/hosts.2')).toBe(debugfs('cat /etc/hosts'));
  expect(debugfs('cat /guest/hello.txt')).not.toBe('');
});

test('a directory meets a directory: the question says that they become one', async () => {
  told(`fsu script -c 'mkdir -p /new/etc/network
write /new/etc/hosts <<E
new
E
write /new/etc/network/more <<E
more
E
write /new/README <<E
other
E' demo.img`);
  const t = await browse();
  await goTo(t, 'new');
  t.keys('Enter');
  await t.waitFor(':/new ');
  await t.waitFor('README');
  t.keys('C-a', 'y', 'g', '/');
  await t.waitFor('boot/');
  t.keys('p');
  await t.waitFor(/(etc|README) exists in \/ \(1 of 2\):/);
  t.keys('s');
  await t.waitFor('(2 of 2):');
  t.keys('Escape');
  await t.waitUntilGone('exists in');
  t.keys('p');
  await t.waitFor('(1 of 2):');
  t.keys('R');
  await t.agree();
  await staged(t, 1);
  t.keys('u');
  await t.waitUntilGone('STAGED');
  t.keys('g', 'p');
  await say(t, [], 'go to', '/new');
  await t.waitFor(':/new ');
  await goTo(t, 'etc');
  t.keys('y', 'g', '/');
  await t.waitFor('boot/');
  t.keys('p');
  // hosts; network is in both, too, and becomes one as well.
  const seen = await t.waitFor('names that are in both: 1');
  expect(seen).toContain('etc/ is a directory in both: what is in it goes into the one that is there');
  expect(seen).toContain('o overwrites those that are there, n keeps them');
  t.keys('n');
  await staged(t, 1);
  t.keys('p');
  await t.waitFor('etc exists in /:');
  t.keys('o');
  await staged(t, 2);
  t.keys('u');
  await staged(t, 1);
  await t.commit(1);
  judge();
  expect(told('fsu cat demo.img:/etc/hosts')).not.toBe('new\n');
  expect(debugfs('cat /etc/network/more')).toBe('more\n');
  // Moved: nothing of it stays where it was.
  t.keys('g', 'p');
  await say(t, [], 'go to', '/new');
  await t.waitFor(':/new ');
  await goTo(t, 'etc');
  t.keys('x', 'g', '/');
  await t.waitFor('boot/');
  t.keys('p');
  expect(await t.waitFor('etc exists in /:')).not.toContain('merge and keep');
  t.keys('o');
  await staged(t, 1);
  await t.commit(1);
  judge();
  expect(debugfs('cat /etc/hosts')).toBe('new\n');
  expect(told('fsu ls demo.img:/new')).toBe('README\n');
  expect(told('fsu ls demo.img:/etc')).toContain('passwd');
});

test('between two images', async () => {
  place.demo('other.img');
  told('fsu rm -r other.img:/etc other.img:/boot');
  const t = await browse();
  t.keys('P');
  await t.waitFor('host:');
  await say(t, ['O'], 'open another image', 'other.img');
  await t.waitFor('other.img:/ ');
  t.keys('Tab');
  await goTo(t, 'etc');
  t.keys('F5');
  await agreed(t);
  await goTo(t, 'boot');
  t.keys('F6');
  await staged(t, 2);
  // And the other way, by copy and paste; README is on both sides.
  t.keys('Tab');
  await goTo(t, 'README');
  await say(t, ['c', 'm'], 'chmod: ', '600');
  await staged(t, 3);
  t.keys('y', 'Tab', 'p');
  await t.waitFor('README exists in /:');
  t.keys('o');
  await staged(t, 4);
  t.keys('w');
  const seen = await t.waitFor('finds no error that was not there before');
  expect(seen).toMatch(/^other\.img$[\s\S]*^demo\.img$/m);
  t.keys('c');
  await t.waitFor('committed: 4 edits');
  judge();
  judge('other.img');
  expect(told('fsu ls demo.img:/')).not.toContain('boot');
  expect(debugfs('cat /boot/grub.cfg', 'other.img')).not.toBe('');
  expect(debugfs('cat /etc/network/interfaces', 'other.img')).toBe(debugfs('cat /etc/network/interfaces'));
  expect(debugfs('stat /README')).toMatch(/Mode: +0600/);
});

test('from the host and to the host', async () => {
  place.sh('rm -rf out; mkdir -p out/tree/etc; echo new >out/tree/etc/hosts; echo more >out/tree/etc/more');
  const t = await browse();
  t.keys('P');
  await t.waitFor('host:');
  await say(t, ['g', 'p'], 'go to', place.at('out/tree'));
  await t.waitFor('out/tree');
  await goTo(t, 'etc');
  // Into the image: a directory in both.
  t.keys('F5');
  await t.waitFor('etc exists in /:');
  t.keys('o');
  await agreed(t);
  // Out of it: copied at once, and moved.
  t.keys('Tab');
  await goTo(t, 'README');
  t.keys('F5');
  await t.waitFor(/README[\s\S]*README/);
  expect(readFileSync(place.at('out/tree/README'), 'utf8')).toContain('inside of a di');
  t.keys('F5');
  await t.waitFor(`README exists in ${place.at('out/tree')}:`);
  t.keys('r');
  await t.waitFor('README.1');
  await goTo(t, 'boot');
  t.keys('F6');
  await staged(t, 2);
  await t.commit(2);
  judge();
  expect(debugfs('cat /etc/hosts')).toBe('new\n');
  expect(debugfs('cat /etc/more')).toBe('more\n');
  expect(told('fsu ls demo.img:/etc')).toContain('passwd');
  expect(told('fsu ls demo.img:/')).not.toContain('boot');
  expect(told('ls out/tree')).toBe('README\nREADME.1\nboot\netc\n');
  expect(readFileSync(place.at('out/tree/boot/grub.cfg'), 'utf8')).not.toBe('');
});

test('truncate and hard link', async () => {
  const t = await browse();
  await goTo(t, 'README');
  await say(t, ['L'], 'another name for README', 'second');
  await agreed(t);
  await goTo(t, 'second');
  await say(t, ['c', 's'], 'size (0, 64K, +1M): 377', '10');
  await staged(t, 2);
  await goTo(t, 'etc');
  await say(t, ['L'], 'a directory has no second name', '');
  await t.commit(2);
  judge();
  expect(debugfs('stat /README')).toMatch(/Size: 10\n[\s\S]*Links: 2/);
  expect(told('fsu stat -c %i demo.img:/README')).toBe(told('fsu stat -c %i demo.img:/second'));
});

/** Copies that are there for an editor. */
const copies = (): string[] => readdirSync(place.at('tmp')).filter((name) => name.startsWith('fsu-'));

function editor(name: string, body: string): string {
  writeFileSync(place.at(name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return place.at(name);
}

test('edit in $EDITOR', async () => {
  const appends = editor('append', 'echo "a line" >>"$1"');
  const t = await browse('demo.img', { EDITOR: appends });
  t.keys('g', 'e');
  await goTo(t, 'hosts');
  t.keys('e');
  await agreed(t);
  expect(copies()).toEqual([]);
  expect(t.modes()).toMatchObject({ isAlternate: true, showsCursor: false });
  place.demo('same.img');
  t.keys('Y');
  await t.waitFor('fsu write --image demo.img');
  told(clipboard(t).replace('demo.img', 'same.img'));
  await t.commit(1);
  await quit(t);
  judge();
  expect(debugfs('cat /etc/hosts')).toMatch(/localhost[\s\S]*\na line\n$/);
  expect(debugfs('cat /etc/hosts', 'same.img')).toBe(debugfs('cat /etc/hosts'));
});

test('edit in an $EDITOR that fails: nothing is staged', async () => {
  const before = digest('demo.img');
  const t = await browse('demo.img', { EDITOR: editor('fails', 'echo "a line" >>"$1"; exit 1') });
  await goTo(t, 'README');
  t.keys('e');
  expect(await t.waitFor('the editor failed (1); nothing was changed')).toMatch(/demo\.img ext\w+ +RO/);
  expect(copies()).toEqual([]);
  await quit(t);
  expect(digest('demo.img')).toBe(before);
});

test('edit in an $EDITOR that changes nothing', async () => {
  const t = await browse('demo.img', { VISUAL: 'true', EDITOR: 'false' });
  await goTo(t, 'README');
  t.keys('e');
  expect(await t.waitFor('not changed')).toMatch(/demo\.img ext\w+ +RO/);
  expect(copies()).toEqual([]);
});

test('edit a file that is too long for a script: its copy stays until the session ends', async () => {
  const t = await browse('demo.img', { EDITOR: editor('append', 'echo "a line" >>"$1"') });
  t.keys('g', 'p');
  await say(t, [], 'go to', '/var/log');
  await goTo(t, 'messages');
  t.keys('e');
  await agreed(t);
  expect(copies().length).toBe(1);
  t.keys('u');
  await t.waitFor(' RW');
  t.keys('U');
  await staged(t, 1);
  t.keys('S');
  await say(t, [], 'save the edits as a script', 'long.fsu');
  await t.waitFor('saved: long.fsu');
  await t.commit(1);
  await quit(t);
  expect(copies()).toEqual([]);
  judge();
  expect(told('fsu cat demo.img:/var/log/messages')).toMatch(/\na line\n$/);
  place.demo('again.img');
  told('fsu script long.fsu again.img');
  expect(told('fsu hash again.img:/var/log/messages | cut -c1-20')).toBe(
    told('fsu hash demo.img:/var/log/messages | cut -c1-20'),
  );
  // Whatever ends it.
  const again = open({ env: { TMPDIR: place.at('tmp'), EDITOR: place.at('append') } });
  t.kill();
  await again.command('fsu browse again.img:/var/log');
  await again.waitFor('messages');
  again.keys('e');
  await agreed(again);
  expect(copies().length).toBe(1);
  again.signal('TERM');
  await again.waitFor('ready>');
  expect(copies()).toEqual([]);
});

test('the command line: verbs as in scripts, errors in a line, Tab', async () => {
  const t = await browse();
  await say(t, [':'], /^:/m, 'ls /etc/network');
  await t.waitFor(/^interfaces$/m);
  await say(t, [':'], /^:/m, 'mkdr /srv');
  expect(await t.waitFor("did you mean 'mkdir'?")).toContain('README');
  await say(t, [':'], /^:/m, 'chmod 600 /nothing');
  await t.agree();
  await t.waitFor('No such file or directory');
  t.keys(':');
  await t.waitFor(/^:/m);
  t.type('trunc');
  t.keys('Tab');
  await t.waitFor(/^:truncate$/m);
  t.type('-s 2 /etc/host');
  t.keys('Tab');
  await t.waitFor(/^:truncate -s 2 \/etc\/host/m);
  t.keys('Tab');
  await t.waitFor(/hostname +.*hosts/);
  t.type('n');
  t.keys('Tab');
  await t.waitFor(/^:truncate -s 2 \/etc\/hostname/m);
  t.keys('Enter');
  await staged(t, 1);
  t.keys('g', 'e');
  await t.waitFor(':/etc ');
  await say(t, [':'], /^:/m, 'rm network/interfaces');
  await staged(t, 2);
  await say(t, [':'], /^:/m, 'rmdir network; mkdir network/a');
  await t.waitFor('No such file');
  expect(t.capture()[0]).toContain('STAGED 2');
  await t.waitFor('network/');
  await t.commit(2);
  judge();
  expect(debugfs('cat /etc/hostname')).toHaveLength(2);
  expect(told('fsu ls demo.img:/etc/network')).toBe('');
});

/** The text that went into the clipboard last. */
function clipboard(t: Terminal): string {
  const [, encoded = ''] = [...t.recorded().matchAll(/\x1b\]52;c;([A-Za-z0-9+/=]*)\x07/g)].at(-1) ?? []; // oxlint-disable-line no-control-regex -- OSC 52
  return Buffer.from(encoded, 'base64').toString();
}

test('Y copies the shell command of an edit: a shell does the same with it', async () => {
  place.demo('same.img');
  const t = await browse();
  const commands: string[] = [];
  const copied = async (): Promise<void> => {
    await t.waitUntilGone('fsu ');
    t.keys('Y');
    await t.waitFor(/^fsu /m);
    const command = clipboard(t);
    commands.push(command);
    expect(place.sh(command.replace('--image demo.img', '--image same.img'))).toMatchObject({ status: 0, stderr: '' });
  };
  t.keys('Y');
  await t.waitFor('fsu ls -ld demo.img:/boot');
  await say(t, ['F7'], 'new directory', "it's $new");
  await agreed(t);
  await copied();
  await goTo(t, 'README');
  await say(t, ['c', 'x'], 'attribute NAME=VALUE', 'user.a=`b` $c');
  await staged(t, 2);
  await copied();
  t.keys('g', 'e');
  await t.waitFor(':/etc ');
  await say(t, [':'], /^:/m, 'rm host*');
  await staged(t, 3);
  await copied();
  expect(commands).toEqual([
    `fsu mkdir --image demo.img -- '/it'\\''s $new'`,
    "fsu xattr --image demo.img -h --name=user.a '--value=`b` $c' -- set /README",
    `fsu script --image demo.img -c 'cd /etc; rm host*; cd :/'`,
  ]);
  await t.commit(3);
  judge();
  judge('same.img');
  const listing = (image: string): string => told(`fsu find ${image}:/ -printf '%P %m %y %l\\n' | sort`);
  expect(listing('same.img')).toBe(listing('demo.img'));
  expect(told('fsu xattr get -n user.a same.img:/README')).toBe(told('fsu xattr get -n user.a demo.img:/README'));
});

test('the session saved as a script does the same: without a commit, and after an undo', async () => {
  place.demo('two.img');
  const before = digest('demo.img');
  const t = await browse();
  await say(t, ['a'], 'new file, or directory', 'first/');
  await agreed(t);
  await goTo(t, 'README');
  await say(t, ['r'], 'rename to: README', '-n $x');
  await staged(t, 2);
  await say(t, ['a'], 'new file, or directory', 'taken back');
  await staged(t, 3);
  t.keys('u');
  await staged(t, 2);
  t.keys('S');
  await say(t, [], 'save the edits as a script', 'half.fsu');
  await t.waitFor('saved: half.fsu');
  t.keys('S');
  await say(t, [], 'save the edits as a script', 'half.fsu');
  await t.waitFor('half.fsu exists:');
  t.keys('y');
  await t.waitFor('saved: half.fsu');
  t.keys('q');
  await t.waitFor('2 staged edits are not committed:');
  t.keys('d');
  await t.waitFor('status 0');
  expect(digest('demo.img')).toBe(before);
  told('fsu script half.fsu two.img');
  judge('two.img');
  expect(told('fsu ls two.img:/')).toBe('-n $x\nboot\netc\nfirst\nhome\nlost+found\nvar\n');
});

/** A disk of two partitions, each with a file system. */
function disk(name: string): void {
  const [sfdisk, mke2fs] = [requireOracle('sfdisk'), requireOracle('mke2fs')];
  const made = place.sh(
    [
      `rm -f ${name}; truncate -s 20M ${name}`,
      `printf 'label: dos\\nstart=2048,size=16384,type=83\\nstart=18432,size=20480,type=83\\n' | ${sfdisk} -q ${name}`,
      `${mke2fs} -q -F -t ext4 -E offset=1048576 ${name} 8M`,
      `${mke2fs} -q -F -t ext2 -E offset=9437184 ${name} 10M`,
      `echo one >README; fsu put README ${name}:1/`,
      `echo two >README; fsu put README ${name}:2/`,
    ].join(' && '),
  );
  expect(made).toMatchObject({ status: 0 });
}

test('edits on a second file system of an image', async () => {
  disk('disk.img');
  place.sh('cp disk.img same.img');
  const before = digest('disk.img');
  const t = await browse('disk.img');
  await t.waitFor('disk.img:1:/');
  await say(t, ['a'], 'new file, or directory', 'in one');
  await agreed(t);
  await goTo(t, 'README');
  t.keys('y', 'T', 'G', 'k', 'Enter');
  await t.waitFor('disk.img:2:/');
  await say(t, ['a'], 'new file, or directory', 'in two/');
  await staged(t, 2);
  await goTo(t, 'in two');
  t.keys('Enter');
  await t.waitFor('disk.img:2:/in two');
  t.keys('p');
  await staged(t, 3);
  await say(t, ['g', 'p'], 'go to', '/');
  await goTo(t, 'README');
  await say(t, ['c', 'm'], 'chmod: ', '600');
  await staged(t, 4);
  await say(t, [':'], /^:/m, 'chown 5 README');
  await staged(t, 5);
  t.keys('Y');
  await t.waitFor("'cd disk.img:2/; chown 5 README; cd :/'");
  t.keys('S');
  await say(t, [], 'save the edits as a script', 'disk.fsu');
  await t.waitFor('saved: disk.fsu');
  expect(digest('disk.img')).toBe(before);
  await t.commit(5);
  await quit(t);
  for (const [start, size] of [
    [1, 8],
    [9, 10],
  ]) {
    told(`dd if=disk.img of=part.img bs=1M skip=${start} count=${size} status=none`);
    judge('part.img');
  }
  expect(debugfs('cat "/in two/README"', 'part.img')).toBe('one\n');
  expect(debugfs('stat /README', 'part.img')).toMatch(/Mode: +0600[\s\S]*User: +5\b/);
  expect(told('fsu ls disk.img:1/')).toBe('README\nin one\nlost+found\n');
});
