import { FileFlag } from 'ukfs';
import { expect, test } from 'vitest';
import { flagsText, parseFlags } from './flags.ts';

const ALL = 0xffff_ffff;

test.each([
  ['schg,nodump', { set: FileFlag.SF_IMMUTABLE | FileFlag.UF_NODUMP, clear: 0 }],
  ['noschg,dump', { set: 0, clear: FileFlag.SF_IMMUTABLE | FileFlag.UF_NODUMP }],
  ['uchange,nouchg', { set: 0, clear: FileFlag.UF_IMMUTABLE }],
  ['noopaque,opaque', { set: FileFlag.UF_OPAQUE, clear: 0 }],
  ['0', { set: 0, clear: ALL }],
  ['0600000', { set: 0o600000, clear: ALL }],
  ['+ai', { set: FileFlag.SF_APPEND | FileFlag.SF_IMMUTABLE, clear: 0 }],
  ['-d', { set: 0, clear: FileFlag.UF_NODUMP }],
  ['=i', { set: FileFlag.SF_IMMUTABLE, clear: ALL }],
])('%s', (text, change) => expect(parseFlags(text)).toEqual(change));

test.each(['', 'schg,', 'no', 'immutable', '8', '+x', '+', '777777777777'])('%j are none', (text) =>
  expect(parseFlags(text)).toBeUndefined(),
);

test('every word that is shown is read', () => {
  for (const flag of Object.values(FileFlag)) expect(parseFlags(flagsText(flag))).toEqual({ set: flag, clear: 0 });
});
