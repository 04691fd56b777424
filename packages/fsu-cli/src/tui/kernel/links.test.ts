import { open } from 'ukfs';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { expect, test } from 'vitest';
import { linksIn } from './links.ts';

test('where links lead: to something, to nothing, to each other; what is no link is not told', async () => {
  const fs = await open('memory', { type: 'tmpfs', write: true, host: memoryHost() });
  fs.mkdir('/d');
  fs.writeFile('/d/file', '');
  for (const [name, target] of Object.entries({ good: 'file', up: '../d', bad: 'none', one: 'two', two: 'one' }))
    fs.symlink(target, `/d/${name}`);
  const work = linksIn(fs, '/d', ['good', 'up', 'bad', 'one', 'file', 'gone']);
  let step = work.next();
  while (step.done !== true) step = work.next();
  expect(step.value).toEqual([
    { name: 'good', target: 'file', isBroken: false },
    { name: 'up', target: '../d', isBroken: false },
    { name: 'bad', target: 'none', isBroken: true },
    { name: 'one', target: 'two', isBroken: true },
  ]);
  fs.close();
});
