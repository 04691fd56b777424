/** What differs between the model and a file system: whole trees, or the files that a step touched. */
import { FsError, O } from '@ukfs/kernel';
import type { Content } from './content.ts';
import type { Model, ModelNode } from './model.ts';
import type { Step } from './steps.ts';
import type { Subject } from './subject.ts';

/** Read whole up to here; of larger files the data, and a little on both sides of it. */
const WHOLE = 4 << 20;
const MARGIN = 100;

/** What readdir says of each entry besides its name, and where `..` leads. */
function linksDifference(model: Model, path: string, node: ModelNode, subject: Subject): string | undefined {
  if (node.entries === undefined) return undefined;
  const parent = path.slice(0, path.lastIndexOf('/')) || '/';
  // What is above the root belongs to another file system.
  const up = path === '/' ? undefined : subject.stat(parent).ino;
  if (up !== undefined && subject.stat(`${path}/..`).ino !== up) return `${path}/.. does not lead to ${parent}`;
  for (const { name, ino, type } of subject.entries(path)) {
    if (name === '..') {
      if (up !== undefined && ino !== up) return `${path} lists .. with inode ${ino}, should be ${up}`;
      continue;
    }
    const id = name === '.' ? node.id : node.entries.get(name);
    if (id === undefined) continue;
    const should = model.node(id).type;
    if (type !== undefined && type !== should) return `${path} lists ${name} as ${type}, should be ${should}`;
  }
  return undefined;
}

export interface Looking {
  /** Compare times, too. Another kernel's clock is not ours. */
  readonly times: boolean;
}

/** The first difference anywhere in the tree. */
export function treeDifference(model: Model, subject: Subject, looking: Looking = { times: true }): string | undefined {
  const inodes = new Map<number, { readonly ino: number; readonly path: string }>();
  const ids = new Map<number, number>();
  for (const { path, node } of model.paths()) {
    const wrong = entryDifference(path, node, subject, looking);
    if (wrong !== undefined) return wrong;
    const { ino } = subject.stat(path);
    const known = inodes.get(node.id);
    if (known === undefined) {
      if (ids.has(ino)) return `${path} has inode ${ino}, which is another file's`;
      inodes.set(node.id, { ino, path });
      ids.set(ino, node.id);
      const contents =
        failing(path, () => linksDifference(model, path, node, subject)) ?? contentsDifference(path, node, subject);
      if (contents !== undefined) return contents;
    } else if (known.ino !== ino) return `${path} and ${known.path} are not one file: inodes ${ino} and ${known.ino}`;
  }
  return undefined;
}

/** The first difference in what a step may have touched: its files and the directories they are in. */
export function touchedDifference(model: Model, subject: Subject, step: Step): string | undefined {
  const paths = new Set<string>();
  for (const path of ['path' in step ? step.path : undefined, 'from' in step ? step.from : undefined]) {
    if (path === undefined) continue;
    paths.add(path);
    paths.add(path.slice(0, path.lastIndexOf('/')) || '/');
  }
  for (const path of paths) {
    const node = model.at(path);
    if (node === undefined) {
      if (exists(subject, path)) return `${path} is there, and should not be`;
    } else {
      const wrong = attributesDifference(path, node, subject, { times: true });
      if (wrong !== undefined) return wrong;
    }
  }
  return undefined;
}

function exists(subject: Subject, path: string): boolean {
  try {
    subject.stat(path);
    return true;
  } catch (e) {
    if (e instanceof FsError) return false;
    throw e;
  }
}

const entryDifference = (path: string, node: ModelNode, subject: Subject, looking: Looking): string | undefined =>
  failing(path, () => attributesDifference(path, node, subject, looking) ?? namesDifference(path, node, subject));

function failing(path: string, look: () => string | undefined): string | undefined {
  try {
    return look();
  } catch (e) {
    if (e instanceof FsError) return `${path}: ${e.code} ${e.message}`;
    throw e;
  }
}

function attributesDifference(path: string, node: ModelNode, subject: Subject, { times }: Looking): string | undefined {
  return failing(path, () => {
    const stat = subject.stat(path);
    const fields: [name: string, is: unknown, should: unknown][] = [
      ['type', stat.type, node.type],
      ['mode', stat.mode.toString(8), node.mode.toString(8)],
      ['uid', stat.uid, node.uid],
      ['gid', stat.gid, node.gid],
      ['nlink', stat.nlink, node.nlink],
    ];
    if (times) {
      fields.push(['atime', time(stat.atime), time(node.atime)], ['mtime', time(stat.mtime), time(node.mtime)]);
      fields.push(['ctime', time(stat.ctime), time(node.ctime)]);
    }
    if (times && stat.birthtime !== undefined) fields.push(['birth time', time(stat.birthtime), time(node.birthtime)]);
    const size = node.content?.size ?? (node.target === undefined ? undefined : node.target.length);
    if (size !== undefined) fields.push(['size', stat.size, size]);
    if (node.rdev !== undefined) fields.push(['rdev', rdev(stat.rdev), rdev(node.rdev)]);
    const wrong = fields.find(([, is, should]) => is !== should);
    return wrong === undefined ? undefined : `${path}: ${wrong[0]} is ${wrong[1]}, should be ${wrong[2]}`;
  });
}

const time = ({ sec, nsec }: { readonly sec: number; readonly nsec: number }): string => `${sec}.${nsec}`;
const rdev = (dev: { readonly major: number; readonly minor: number } | undefined): string =>
  dev === undefined ? 'none' : `${dev.major}:${dev.minor}`;

function namesDifference(path: string, node: ModelNode, subject: Subject): string | undefined {
  if (node.entries === undefined) return undefined;
  const names = subject
    .entries(path)
    .map(({ name }) => name)
    .filter((name) => name !== '.' && name !== '..')
    .sort();
  const twice = names.find((name, i) => name === names[i - 1]);
  if (twice !== undefined) return `${path} lists ${twice} twice`;
  const should = [...node.entries.keys()].sort();
  const missing = should.find((name) => !names.includes(name));
  if (missing !== undefined) return `${path} does not list ${missing}`;
  const more = names.find((name) => !should.includes(name));
  return more === undefined ? undefined : `${path} lists ${more}, which should not be there`;
}

function contentsDifference(path: string, node: ModelNode, subject: Subject): string | undefined {
  return failing(path, () => {
    if (node.target !== undefined) {
      const target = subject.sys.readlink(subject.path(path));
      if (target !== node.target) return `${path} leads to ${target}, should to ${node.target}`;
    }
    const xattrs = xattrsDifference(path, node, subject);
    if (xattrs !== undefined || node.content === undefined) return xattrs;
    const fd = subject.sys.open(subject.path(path), O.RDONLY);
    try {
      return bytesDifference(path, node.content, (dst, offset) => subject.sys.pread(fd, dst, offset));
    } finally {
      subject.sys.close(fd);
    }
  });
}

function bytesDifference(
  path: string,
  content: Content,
  read: (dst: Uint8Array, offset: number) => number,
): string | undefined {
  for (const { offset, length } of spans(content)) {
    const should = content.read(offset, length);
    const is = new Uint8Array(length).fill(0xee);
    let done = 0;
    for (let n = 1; n > 0 && done < length; done += n) n = read(is.subarray(done), offset + done);
    if (done !== should.length) return `${path}: ${done} bytes at ${offset}, should be ${should.length}`;
    if (Buffer.compare(is.subarray(0, done), should) === 0) continue;
    const at = should.findIndex((byte, i) => byte !== is[i]);
    return `${path}: byte ${offset + at} is ${is[at]}, should be ${should[at]}`;
  }
  return undefined;
}

/** What to read: all and one byte beyond, or the data of what is too large. */
function* spans(content: Content): Generator<{ readonly offset: number; readonly length: number }> {
  if (content.size <= WHOLE) yield { offset: 0, length: content.size + 1 };
  else {
    for (const { offset, data } of content.data())
      yield { offset: Math.max(0, offset - MARGIN), length: data.length + 2 * MARGIN };
    yield { offset: content.size - MARGIN, length: 2 * MARGIN };
  }
}

function xattrsDifference(path: string, { xattrs, type }: ModelNode, subject: Subject): string | undefined {
  if (type !== 'reg' && type !== 'dir') return undefined;
  const { sys } = subject;
  const at = subject.path(path);
  const names = sys.listxattr(at).sort();
  const should = [...xattrs.keys()].sort();
  if (names.join() !== should.join()) return `${path} has attributes ${names.join()}, should have ${should.join()}`;
  for (const [name, value] of xattrs) {
    const is = sys.getxattr(at, name);
    if (is === undefined || Buffer.compare(is, value) !== 0) return `${path}: attribute ${name} differs`;
  }
  return undefined;
}
