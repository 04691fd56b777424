/** Paths of the host that are name strings (kernel name.ts), as node:fs takes them. */
import { isWellFormedName, nameToBytes } from 'ukfs';

export type HostPath = string | Buffer;

/** Bytes where the name is no UTF-8. */
export const hostPath = (name: string): HostPath => (isWellFormedName(name) ? name : Buffer.from(nameToBytes(name)));
