import { expect, test } from 'vitest';
import { kept, restored } from './keptplaces.ts';

const mark = (place: string) => ({ name: 'n', place, dir: '/d' });

test('bookmarks of an image and of the host are kept, those of other images are not', () => {
  const image = { text: 'disk.img:2', file: 'disk.img' };
  const places = ['disk.img', 'disk.img:2', 'host', 'other.img', 'disk.img2'];
  expect(kept(places.map(mark), image)).toEqual(['', ':2', 'host'].map(mark));
});

test.each([
  [{ text: 'there/disk.img', file: 'there/disk.img' }, ['there/disk.img', 'there/disk.img:2', 'host']],
  [{ text: 'alias', file: '/images/disk.img' }, ['alias', '/images/disk.img:2', 'host']],
])('they come back by the name that the image has now: %j', (image, places) => {
  const bookmarks = restored(['', ':2', 'host'].map(mark), image);
  expect(bookmarks).toEqual(places.map(mark));
  expect(kept(bookmarks, image)).toEqual(['', ':2', 'host'].map(mark));
});
