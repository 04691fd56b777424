/**
 * What `security.capability` says, in the words of cap_text_formats(7).
 *
 * Layout: linux/capability.h, struct vfs_cap_data (VFS_CAP_REVISION_1 and _2) and vfs_ns_cap_data (_3), all little-endian: revision
 * and flags, then for each 32 capabilities those that are permitted and those that are inheritable; of revision 3 then a user.
 */

/** By number, from CAP_CHOWN on. */
const NAMES = [
  'chown',
  'dac_override',
  'dac_read_search',
  'fowner',
  'fsetid',
  'kill',
  'setgid',
  'setuid',
  'setpcap',
  'linux_immutable',
  'net_bind_service',
  'net_broadcast',
  'net_admin',
  'net_raw',
  'ipc_lock',
  'ipc_owner',
  'sys_module',
  'sys_rawio',
  'sys_chroot',
  'sys_ptrace',
  'sys_pacct',
  'sys_admin',
  'sys_boot',
  'sys_nice',
  'sys_resource',
  'sys_time',
  'sys_tty_config',
  'mknod',
  'lease',
  'audit_write',
  'audit_control',
  'setfcap',
  'mac_override',
  'mac_admin',
  'syslog',
  'wake_alarm',
  'block_suspend',
  'audit_read',
  'perfmon',
  'bpf',
  'checkpoint_restore',
] as const;

/** VFS_CAP_U32_n: words of each set. Revision 3 has a user behind them. */
const WORDS: Readonly<Record<number, number>> = { 1: 1, 2: 2, 3: 2 };
const EFFECTIVE = 0x01;
const WORD_BITS = 32;

/** `cap_net_raw=ep`, several separated by blanks. undefined: it is no such value. */
export function capabilityText(value: Uint8Array): string | undefined {
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  if (value.length < 4) return undefined;
  const head = view.getUint32(0, true);
  const revision = head >>> 24;
  const words = WORDS[revision];
  if (words === undefined || value.length !== 4 + words * 8 + (revision === 3 ? 4 : 0)) return undefined;
  const isIn = (number: number, set: 0 | 1): boolean =>
    ((view.getUint32(4 + Math.floor(number / WORD_BITS) * 8 + set * 4, true) >>> (number % WORD_BITS)) & 1) === 1;
  const groups = new Map<string, number[]>();
  for (let number = 0; number < words * WORD_BITS; number++) {
    const [permitted, inheritable] = [isIn(number, 0), isIn(number, 1)];
    if (!permitted && !inheritable) continue;
    const flags = `${(head & EFFECTIVE) === 0 ? '' : 'e'}${inheritable ? 'i' : ''}${permitted ? 'p' : ''}`;
    groups.set(flags, [...(groups.get(flags) ?? []), number]);
  }
  const clauses = [...groups].map(([flags, numbers]) => `${listText(numbers)}=${flags}`);
  const user = revision === 3 ? view.getUint32(value.length - 4, true) : 0;
  return `${clauses.length === 0 ? '=' : clauses.join(' ')}${user === 0 ? '' : ` [rootid=${user}]`}`;
}

/** Nothing stands for all that have a name. */
function listText(numbers: readonly number[]): string {
  const isAll = numbers.length === NAMES.length && numbers.at(-1) === NAMES.length - 1;
  return isAll ? '' : numbers.map((number) => (number < NAMES.length ? `cap_${NAMES[number]}` : `${number}`)).join(',');
}
