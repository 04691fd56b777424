import { open } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { beforeAll, describe, expect, test } from 'vitest';
import { visits } from './visit.ts';
import type { Reach } from './visit.ts';

let fs: Ukfs;
beforeAll(async () => {
  fs = await open('memory', { type: 'tmpfs', write: true });
  fs.mkdir('/top/dir', { recursive: true });
  fs.mkdir('/other/sub', { recursive: true });
  fs.writeFile('/other/sub/file', '');
  fs.symlink('../other', '/top/away');
  fs.symlink('../other/sub/file', '/top/tofile');
  fs.symlink('nowhere', '/top/dangling');
  fs.symlink('..', '/top/dir/up');
  fs.symlink('top', '/link');
});

/** Paths, those that are followed with `*`, links themselves with `@`, failures with their errno. */
function reached(root: string, reach: Partial<Reach>): string[] {
  const all: Reach = { recursive: true, links: 'none', nofollow: false, ...reach };
  return [...visits(fs, root, all)]
    .map((visit) =>
      'error' in visit
        ? `${visit.path} ${visit.error.code}`
        : `${visit.path}${visit.follow ? '*' : ''}${visit.stat.type === 'lnk' ? '@' : ''}`,
    )
    .sort();
}

describe('without -R', () => {
  const recursive = false;
  test('a link means what it leads to; -h, the link', () => {
    expect(reached('/link', { recursive })).toEqual(['/link*']);
    expect(reached('/link', { recursive, nofollow: true })).toEqual(['/link@']);
    expect(reached('/top/dangling', { recursive })).toEqual(['/top/dangling ENOENT']);
  });
});

describe('-R', () => {
  test('-P follows nothing', () => {
    expect(reached('/link', {})).toEqual(['/link@']);
    expect(reached('/top', {})).toEqual([
      '/top',
      '/top/away@',
      '/top/dangling@',
      '/top/dir',
      '/top/dir/up@',
      '/top/tofile@',
    ]);
  });

  test('-H follows the operand', () => {
    expect(reached('/link', { links: 'operands' })).toEqual([
      '/link*',
      '/link/away@',
      '/link/dangling@',
      '/link/dir',
      '/link/dir/up@',
      '/link/tofile@',
    ]);
  });

  test('-L follows all, and no loop', () => {
    expect(reached('/top', { links: 'all' })).toEqual([
      '/top*',
      '/top/away*',
      '/top/away/sub',
      '/top/away/sub/file',
      '/top/dangling@',
      '/top/dir',
      '/top/tofile*',
    ]);
  });

  test('-L enters what links lead to once, however many ways there are', () => {
    fs.mkdir('/fan');
    const levels = 20;
    for (let i = 0; i <= levels; i++) fs.mkdir(`/fan/${i}`);
    for (let i = 0; i < levels; i++) for (const name of ['x', 'y']) fs.symlink(`../${i + 1}`, `/fan/${i}/${name}`);
    expect(reached('/fan/0', { links: 'all' })).toHaveLength(levels + 1);
  });

  test('what is not there is a failure', () => expect(reached('/none', {})).toEqual(['/none ENOENT']));
});
