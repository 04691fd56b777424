/** Images that others made, often damaged on purpose. They are not part of the project; where they are, they are used. */
import { fileURLToPath } from 'node:url';

/** The folder of them, which need not exist: UKFS_CORPORA, or beside the checkout. */
export const corpora =
  process.env['UKFS_CORPORA'] ?? fileURLToPath(new URL('../../../shared/corpora', import.meta.url));
