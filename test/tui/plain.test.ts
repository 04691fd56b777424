/** fsu browse --plain: for screen readers, in a real terminal. */
import { expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { terminalPlace } from './terminal.ts';

const { place, open } = terminalPlace();

test('browse, edit, review and commit, in lines that stay', async () => {
  place.demo();
  const t = open({ columns: 90, lines: 60 });
  await t.command('fsu browse --plain demo.img; echo "status $?"');
  await t.waitFor('1 of 6: boot, directory');
  expect(t.modes()).toEqual({ isAlternate: false, showsCursor: true, reportsMouse: false });
  t.keys('j', 'l');
  await t.waitFor('/etc, 7 entries\n1 of 7: network, directory');
  t.keys('G');
  await t.waitFor('7 of 7: passwd, file, 74B');
  t.keys('r');
  await t.waitFor('rename to: passwd');
  t.type('.old');
  t.keys('Enter');
  await t.waitFor('y: yes, n: no');
  t.keys('y');
  await t.waitFor('staged: 1\n7 of 7: passwd.old, file, 74B');
  t.keys('w');
  await t.waitFor(/added +\/etc\/passwd\.old/);
  await t.waitFor('the checker finds no error');
  t.keys('c');
  await t.waitFor('committed: 1 edit');
  t.keys('q');
  await t.waitFor('status 0');
  // Nothing but lines: no place on the screen, nothing erased.
  const session = t.recorded().split('\x1b[?2004h').at(-2) ?? '';
  expect(session).not.toMatch(/\x1b\[(\d*;\d*H|\d*K|2J|\?1049)/); // oxlint-disable-line no-control-regex -- they are what is looked for
  expect(place.sh(`${requireOracle('e2fsck')} -fn demo.img`).status).toBe(0);
  expect(place.run('fsu', ['cat', 'demo.img:/etc/passwd.old']).status).toBe(0);
});
