/** The manifests of one call: those that are written beside copies on the host, and those that copies are read by. */
import type { CopyReport, Loss, TreeDir } from 'ukfs';
import { joinPath } from '../copying.ts';
import type { HostTrees } from '../host.ts';
import type { CopyPlan } from './engine.ts';
import { applyRoot, findManifest, ManifestFile, rootRecord } from './manifest/files.ts';
import type { Manifest } from './manifest/read.ts';
import { recordedTree } from './manifest/read.ts';
import { MANIFEST_NAME, recordLine } from './manifest/record.ts';
import { recordingTree } from './manifest/write.ts';
import type { At, Side } from './side.ts';

/** What no manifest gives back, or what people are to know all the same. */
const REMAINS: ReadonlySet<Loss> = new Set(['name', 'hole']);

export class Manifests {
  readonly #trees: HostTrees;
  readonly #plan: Pick<CopyPlan, 'manifest' | 'hostNames'>;
  readonly #written = new Map<string, ManifestFile>();
  readonly #read: Manifest[] = [];
  /** Of the operand that is being copied. */
  #reading: Manifest | undefined;

  constructor(trees: HostTrees, plan: Pick<CopyPlan, 'manifest' | 'hostNames'>) {
    this.#trees = trees;
    this.#plan = plan;
  }

  close(): void {
    for (const file of this.#written.values()) file.close();
    for (const manifest of this.#read) manifest.close();
  }

  /** A directory of the host to write to, with the manifest of itself or of `root`, which is made in it. */
  writing(dir: TreeDir, path: string, root: string | undefined): TreeDir {
    const { manifest, hostNames: rule = this.#trees.hostNameRule() } = this.#plan;
    if (manifest === undefined && rule === 'posix') return dir;
    const out = manifest === undefined ? undefined : this.#file(root === undefined ? path : joinPath(path, root));
    const naming = { rule, taken: out === undefined || manifest?.file !== undefined ? undefined : MANIFEST_NAME };
    return recordingTree(dir, root === undefined ? '' : undefined, { out, naming });
  }

  #file(root: string): ManifestFile {
    const path = this.#plan.manifest?.file ?? joinPath(root, MANIFEST_NAME);
    let file = this.#written.get(path);
    if (file === undefined) {
      file = new ManifestFile(() => this.#trees.openHostFile(path, 'append'));
      this.#written.set(path, file);
    }
    return file;
  }

  /** A directory of the host to read: the operand `path`, or the one that it is in. Errors: ENOENT, EFTYPE the manifest. */
  reading(dir: TreeDir, path: string, which: 'itself' | 'parent'): TreeDir {
    const { manifest: wanted } = this.#plan;
    if (wanted === undefined) return dir;
    try {
      const { manifest, ofItself, ofParent } = findManifest(this.#trees, path, wanted.file);
      this.#read.push(manifest);
      this.#reading = manifest;
      const own = wanted.file === undefined ? MANIFEST_NAME : '';
      return recordedTree(dir, which === 'itself' ? ofItself : ofParent, { manifest, own });
    } catch (thrown) {
      dir.close();
      throw thrown;
    }
  }

  /** Contents were copied: their directory's own attributes, which are nobody's entry. */
  root(from: At, to: At): void {
    if (this.#plan.manifest === undefined) return;
    if (to.side.fs === undefined && from.side.fs !== undefined) {
      this.#file(to.path).write(recordLine(rootRecord(from.side.fs, from.path)));
    } else if (to.side.fs !== undefined) {
      const record = this.#reading?.find('.');
      if (record !== undefined) applyRoot(to.side.fs, to.path, record);
    }
  }

  /** The report without what the manifest has. */
  without(report: CopyReport, to: Side): CopyReport {
    if (this.#plan.manifest === undefined || to.fs !== undefined) return report;
    return { ...report, losses: report.losses.filter(({ loss }) => REMAINS.has(loss)) };
  }
}
