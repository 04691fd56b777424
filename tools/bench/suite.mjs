// The suite: many small edits as one script, and walks over 100,000 files. The same form as scenarios.mjs, which lists them.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as images from './images.mjs';
import { appetite, interleave, shell } from './measure.mjs';
import { memory, quote, ratio, tool } from './verdicts.mjs';

/** Edits in the spelling of each tool: half are small files, the rest modes, symbolic links, removals, and a hundredth directories. */
function edits(count, source) {
  const dirs = count / 100;
  const ours = [];
  const debugfs = [];
  const e2tools = [];
  const both = (mine, theirs) => {
    ours.push(mine);
    debugfs.push(theirs);
  };
  const at = (i) => `/d${i % dirs}/f${i}`;
  for (let d = 0; d < dirs; d++) both(`mkdir /d${d}`, `mkdir /d${d}`);
  for (let i = 0; i < count * 0.5; i++) both(`put ${source} ${at(i)}`, `write ${source} ${at(i)}`);
  for (let i = 0; i < count * 0.2; i++) both(`chmod 600 ${at(i)}`, `sif ${at(i)} mode 0100600`);
  for (let i = 0; i < count * 0.19; i++) both(`ln -s f${i} /d${i % dirs}/s${i}`, `symlink /d${i % dirs}/s${i} f${i}`);
  for (let i = count * 0.2; i < count * 0.3; i++) both(`rm ${at(i)}`, `rm ${at(i)}`);
  // One process an edit: a hundred of them are enough to know what one takes.
  for (let i = 0; i < 10; i++) e2tools.push(`e2mkdir IMAGE:/e${i}`);
  for (let i = 0; i < 70; i++) e2tools.push(`e2cp ${source} IMAGE:/e${i % 10}/f${i}`);
  for (let i = 0; i < 20; i++) e2tools.push(`e2rm IMAGE:/e${i % 10}/f${i}`);
  return { ours, debugfs, e2tools };
}

/** `fsu script` of 10,000 edits, against debugfs with a script and e2tools with a process an edit. */
export function script({ rounds, quick }) {
  const count = quick ? 1000 : 10_000;
  const small = images.cached('small.txt', (path) => writeFileSync(path, 'hello\n'));
  const lists = edits(count, small);
  const empty = images.plainImage(256, 30_000);
  const work = (name) => join(images.benchDir, `work-${name}.img`);
  const file = (name, lines) =>
    images.cached(`${name}-${count}`, (path) => writeFileSync(path, `${lines.join('\n')}\n`));
  const hundred = lists.e2tools.map((line) => line.replace('IMAGE', work('e2tools'))).join(' && ');
  const commands = {
    'fsu script': tool('fsu', 'script', file('edits.fsu', lists.ours), work('fsu')),
    'debugfs -w -f': ['debugfs', '-w', '-f', file('edits.debugfs', lists.debugfs), work('debugfs')],
    'e2tools, 100 processes': shell(hundred),
  };
  const before = (name) => {
    images.copyOf(empty, `work-${name.replace(/^fsu .*/, 'fsu').replace(/[ ,].*/, '')}.img`);
    images.settle();
  };
  try {
    const times = interleave(commands, { rounds: Math.min(rounds, 3), before });
    const e2 = times['e2tools, 100 processes'];
    const scaled = { median: (e2.median * count) / 100, min: (e2.min * count) / 100 };
    before('fsu script');
    const eaten = appetite(commands['fsu script']);
    return {
      title: `${count} small edits as one script`,
      times,
      verdicts: [
        ratio('fsu script / debugfs -w -f', times['fsu script'], times['debugfs -w -f'], {}),
        ratio('fsu script / e2tools (100, scaled)', times['fsu script'], scaled, {}),
        memory('fsu script', eaten),
      ],
    };
  } finally {
    for (const name of ['fsu', 'debugfs', 'e2tools']) rmSync(work(name), { force: true });
  }
}

/** Walks over 100,000 files, against the host's tools on a loop mount of the same image. */
export function trees({ rounds, quick }) {
  const [dirs, files] = quick ? [50, 100] : [1000, 100];
  const image = images.treeImage(dirs, files);
  const unmount = images.mount(image, { readOnly: true });
  try {
    const pairs = {
      find: [tool('fsu_find', image, '/', '-type', 'f'), ['find', unmount.at, '-type', 'f']],
      du: [tool('fsu_du', image, '/'), ['du', unmount.at]],
      hash: [tool('fsu_hash', image, '-r', '/'), shell(`find ${unmount.at} -type f -exec sha256sum {} +`)],
      // Not to /dev/null: GNU tar reads nothing for that.
      tar: [
        shell(`${quote(tool('fsu_tar', image, '-c', '-f', '-', '/'))} | cat`),
        shell(`tar -cf - -C ${unmount.at} . | cat`),
      ],
    };
    const commands = {};
    for (const [name, [mine, theirs]] of Object.entries(pairs))
      Object.assign(commands, { [`fsu_${name}`]: mine, [`host's ${name}`]: theirs });
    const times = interleave(commands, { rounds: Math.min(rounds, 3) });
    return {
      title: `walks over ${dirs * files} files`,
      times,
      verdicts: Object.keys(pairs).flatMap((name) => [
        ratio(`fsu_${name} / host's`, times[`fsu_${name}`], times[`host's ${name}`], {}),
        memory(`fsu_${name}`, appetite(commands[`fsu_${name}`])),
      ]),
    };
  } finally {
    unmount();
  }
}
