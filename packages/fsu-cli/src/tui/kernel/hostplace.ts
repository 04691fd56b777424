/** The host as a place: its directories come in parts, as those of images do. */
import { describeError } from '../../errors.ts';
import type { HostListingDoor } from '../../host.ts';
import { HOST } from '../model/state.ts';
import type { Place, Row } from '../model/state.ts';

/** Between two of them others get a turn: looking at a file of the host may take a while. */
const BATCH = 100;

export const hostPlace = (door: HostListingDoor): Place => ({
  id: HOST,
  label: HOST,
  type: '',
  readOnly: 'files of the host are only copied here, not changed',
  home: door.workingDir(),
});

export function* hostRows(door: HostListingDoor, dir: string): Generator<readonly Row[], undefined> {
  let rows: Row[] = [];
  for (const { name, stat, error } of door.hostEntries(dir)) {
    rows.push(
      stat === undefined ? { name, type: undefined, ...nothing, damage: describeError(error) } : { name, ...stat },
    );
    if (rows.length < BATCH) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
  return undefined;
}

const nothing = { size: 0, bytes: 0, mtime: { sec: 0, nsec: 0 }, mode: 0, uid: 0, gid: 0, nlink: 0, ino: 0 };
