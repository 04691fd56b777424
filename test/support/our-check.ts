/** Our own check of an image file, for tests that have e2fsck's word for it already: the two must agree that it is clean. */
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { nodeHost } from '@ukfs/kernel/host/node';
import { openStage } from '../../packages/kernel/src/dev/stage.ts';

let host: ReturnType<typeof nodeHost> | undefined;
const FINDINGS_MAX = 5;

/** What it finds, '' for nothing. */
export function ourFindings(image: string): string {
  host ??= nodeHost();
  const stage = openStage(host, image, { write: false });
  const found: string[] = [];
  try {
    ext2fs.check?.(stage, {
      repair: 'none',
      report: ({ code, severity, where, message }) => {
        if (severity === 'error' && found.length < FINDINGS_MAX)
          found.push(`${code} ${JSON.stringify(where)} ${message}`);
      },
      now: () => ({ sec: 1_700_000_000, nsec: 0 }),
      random: (dst) => dst.fill(4),
    });
  } finally {
    stage.close();
  }
  return found.join('; ');
}
