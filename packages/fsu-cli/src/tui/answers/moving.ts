/** Places and directories. */
import { HOST } from '../model/state.ts';
import type { Answerers } from './index.ts';

export const movingAnswerers: Pick<Answerers, 'stack' | 'enter' | 'standing' | 'follow' | 'links' | 'list'> = {
  stack: ({ image }, { desk, signal }) => desk.call('stack', image === undefined ? [] : [image], { signal }),
  async follow({ place, path, isLink }, { desk, signal }) {
    if (place === HOST) return { place, path, isLink, isDir: await desk.call('isHostDir', [path], { signal }) };
    const fs = (await desk.fs(place)).until(signal);
    return { place, path, isLink, isDir: (await fs.stat(path)).type === 'dir' };
  },
  enter: ({ place }, { desk }) => (place === HOST ? desk.call('enterHost', []) : desk.enter(place)),
  async standing({ place }, { desk, signal }) {
    const { variant, details, readOnlyReasons } = await (await desk.fs(place)).until(signal).fsinfo('/');
    const { journal } = details;
    return {
      variant,
      journal: journal === undefined || journal === 'none' ? undefined : String(journal),
      readOnly: readOnlyReasons.map(({ what }) => what),
    };
  },
  links: ({ place, dir, names }, { desk, signal }) => desk.call('links', [place, dir, names], { signal }),
  async list({ place, dir }, { desk, part, signal }) {
    // A bookmark's may not be entered yet.
    if (place !== HOST) await desk.fs(place);
    const list = await desk.call('openList', [place, dir]);
    try {
      // Asked for one by one: what is sent unasked is received before keys are, however much it is.
      for (;;) {
        const step = await desk.call('nextEntries', [list], { signal });
        if (step.done === true) return step.value;
        part(step.value);
      }
    } finally {
      desk.call('closeList', [list]).catch(() => undefined);
    }
  },
};
