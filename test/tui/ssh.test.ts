/** fsu browse at the other end of a connection: an SSH server of the test's own, on this machine. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { afterEach, expect, test } from 'vitest';
import { lacksOracle, requireOracle } from '../support/oracle.ts';
import { sleepSync } from '../support/sleep.ts';
import { terminalPlace } from './terminal.ts';

const { place, open } = terminalPlace();
let server: ChildProcess | undefined;
afterEach(() => void server?.kill());

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

/** Start a server that takes a key of ours alone; what a client is called with to run a line there. */
async function connection(): Promise<(line: string) => string> {
  const port = await freePort();
  const keys = place.sh(
    "rm -f host key; ssh-keygen -q -t ed25519 -N '' -f host && ssh-keygen -q -t ed25519 -N '' -f key && chmod 600 host key",
  );
  expect(keys.stderr).toBe('');
  writeFileSync(
    place.at('sshd.conf'),
    `Port ${port}\nListenAddress 127.0.0.1\nHostKey ${place.at('host')}\nAuthorizedKeysFile ${place.at('key.pub')}
StrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\nPidFile none\n`,
  );
  // Where it drops its rights; its package makes that when the system starts.
  mkdirSync('/run/sshd', { recursive: true });
  server = spawn(requireOracle('sshd'), ['-D', '-e', '-f', place.at('sshd.conf')], { stdio: 'ignore' });
  const trust = '-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR';
  const tries = '-o ConnectionAttempts=20';
  const there = `cd '${place.dir}' && export PATH='${place.env()['PATH']}' LC_ALL=C.UTF-8`;
  return (line) => `${requireOracle('ssh')} -tt -p ${port} -i key ${trust} ${tries} 127.0.0.1 "${there} && ${line}"`;
}

test.skipIf(lacksOracle('root'))(
  'over SSH: an edit is committed; a connection that is lost leaves what was staged',
  async () => {
    place.demo();
    const ssh = await connection();
    const t = open({ columns: 100 });
    await t.command(`clear; ${ssh('fsu browse demo.img')}; echo "status $?"`);
    await t.waitFor('etc/');
    expect(t.modes()).toEqual({ isAlternate: true, showsCursor: false, reportsMouse: true });
    await t.makeDir('afar');
    await t.agree();
    await t.waitFor('STAGED 1');
    t.resize(70, 20);
    // Below 80 columns there is no tree.
    await t.waitUntilGone('this computer');
    await t.commit(1);
    t.keys('q');
    await t.waitFor('status 0');
    expect(t.modes()).toEqual({ isAlternate: false, showsCursor: true, reportsMouse: false });
    expect(place.run('fsu', ['ls', 'demo.img']).stdout).toContain('afar');
    expect(place.sh(`${requireOracle('e2fsck')} -fn demo.img`).status).toBe(0);

    await t.command(`clear; ${ssh('fsu browse demo.img')}`);
    await t.waitFor('etc/');
    await t.makeDir('lost');
    await t.agree();
    await t.waitFor('STAGED 1');
    t.kill();
    for (let tries = 0; !existsSync(place.at('edits.rescued.fsu')) && tries < 500; tries++) sleepSync(20);
    expect(place.sh('fsu script edits.rescued.fsu demo.img')).toMatchObject({ status: 0, stderr: '' });
    expect(place.run('fsu', ['ls', 'demo.img']).stdout).toMatch(/^lost$/m);
  },
);
