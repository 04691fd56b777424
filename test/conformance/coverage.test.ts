/** Every case of NetBSD's list is either here, under its own name, or listed with the reason why not. */
import { expect, test } from 'vitest';
import { tmpfs } from '@ukfs/kernel/fs/tmpfs';
import { tmpfsVariant } from '../support/adapters.ts';
import { allCases } from './cases/index.ts';
import { rumpCases } from './cases/rump.ts';
import { netbsdCases, netbsdTmpfsFiles } from './netbsd.ts';
import { notApplicable } from './not-applicable.ts';

const titles = [...allCases, ...rumpCases].map((c) => c.name);
const wanted = [...netbsdCases, ...netbsdTmpfsFiles];
const excused = notApplicable.flatMap((group) => group.cases);
const covered = (name: string): boolean => titles.some((title) => title.startsWith(`${name}:`));

test('each case of NetBSD is covered by a case of its name or excused, never both', () => {
  expect(wanted.filter((name) => !covered(name) && !excused.includes(name))).toEqual([]);
  expect(wanted.filter((name) => covered(name) && excused.includes(name))).toEqual([]);
});

test('no title and no excuse names a case that NetBSD does not have', () => {
  const named = titles.flatMap((title) => /^((?:t_\w+ |tmpfs\/t_)\w+):/.exec(title)?.[1] ?? []);
  expect(named.filter((name) => !wanted.includes(name))).toEqual([]);
  expect(excused.filter((name) => !wanted.includes(name))).toEqual([]);
  expect(new Set(excused).size).toBe(excused.length);
});

test('titles are unique, so a failure names one case', () => {
  expect(titles.filter((title, i) => titles.indexOf(title) !== i)).toEqual([]);
});

test('what is excused is counted and printed', () => {
  const count = (when: string): number => notApplicable.filter((g) => g.when === when).flatMap((g) => g.cases).length;
  const lines = notApplicable.map((g) => `  ${g.when.padEnd(5)} ${String(g.cases.length).padStart(3)}  ${g.reason}`);
  const here = wanted.filter(covered).length;
  console.log(
    [
      `conformance: ${titles.length} cases; of NetBSD's ${wanted.length}, ${here} are here, ` +
        `${count('waits')} wait, ${count('never')} never apply`,
      ...lines,
    ].join('\n'),
  );
  expect(here + excused.length).toBe(wanted.length);
  // A change of these numbers is a decision, not an accident.
  expect({ waits: count('waits'), never: count('never') }).toEqual({ waits: 109, never: 43 });
});

test('on tmpfs nearly every case runs', () => {
  const { traits } = tmpfsVariant(tmpfs);
  const left = allCases.filter((c) => c.needs?.(traits) === false).map((c) => c.name);
  expect(left).toEqual([
    'everything made before unmounting is there after mounting again',
    'statvfs, sync and stat do not change anything on the disk',
    'the link count has a limit that is refused with EMLINK',
  ]);
});
