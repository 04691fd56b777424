/** Values as setcap(8) writes them, and what getcap(8) says of them. */
import { expect, test } from 'vitest';
import { capabilityText } from './capability.ts';

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));

test.each([
  ['0100000200200000000000000000000000000000', 'cap_net_raw=ep'],
  ['0000000200300000000000000000000000000000', 'cap_net_admin,cap_net_raw=p'],
  ['0100000201000000210000000000000000000000', 'cap_chown=eip cap_kill=ei'],
  ['0000000200000000000000000000000080000000', 'cap_bpf=i'],
  ['01000002ffffffff00000000ff01000000000000', '=ep'],
  ['0000000200000000000000000000000000000000', '='],
  ['0100000300200000000000000000000000000000e8030000', 'cap_net_raw=ep [rootid=1000]'],
  ['010000010020000000000000', 'cap_net_raw=ep'],
  ['0100000220000000000000000000008000000000', 'cap_kill,63=ep'],
])('%s', (hex, text) => {
  expect(capabilityText(bytes(hex))).toBe(text);
});

test.each([
  '',
  '01',
  '01000002',
  '0100000400200000000000000000000000000000',
  '010000020020000000000000000000000000000000',
])('what is no such value: %s', (hex) => {
  expect(capabilityText(bytes(hex))).toBeUndefined();
});
