/** Every command, with how to load it: a tool loads only its own code. */
import type { Command } from '../command.ts';

const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  apply: async () => (await import('./apply.ts')).apply,
  acl: async () => (await import('./acl.ts')).acl,
  browse: async () => (await import('./browse.ts')).browse,
  cat: async () => (await import('./cat.ts')).cat,
  chflags: async () => (await import('./chflags.ts')).chflags,
  chgrp: async () => (await import('./chgrp.ts')).chgrp,
  chmod: async () => (await import('./chmod.ts')).chmod,
  chown: async () => (await import('./chown.ts')).chown,
  completion: async () => (await import('./completion.ts')).completion,
  cp: async () => (await import('./cp.ts')).cp,
  df: async () => (await import('./df.ts')).df,
  diff: async () => (await import('./diff.ts')).diff,
  du: async () => (await import('./du.ts')).du,
  ecp: async () => (await import('./ecp.ts')).ecp,
  emv: async () => (await import('./ecp.ts')).emv,
  edit: async () => (await import('./edit.ts')).edit,
  exec: async () => (await import('./exec.ts')).exec,
  find: async () => (await import('./find.ts')).find,
  fsck: async () => (await import('./fsck.ts')).fsck,
  get: async () => (await import('./get.ts')).get,
  grep: async () => (await import('./grep.ts')).grep,
  hash: async () => (await import('./hash.ts')).hash,
  help: async () => (await import('./help.ts')).help,
  hexdump: async () => (await import('./hexdump.ts')).hexdump,
  info: async () => (await import('./info.ts')).info,
  ln: async () => (await import('./ln.ts')).ln,
  ls: async () => (await import('./ls.ts')).ls,
  mkdir: async () => (await import('./mkdir.ts')).mkdir,
  mkfifo: async () => (await import('./mkfifo.ts')).mkfifo,
  mkfs: async () => (await import('./mkfs.ts')).mkfs,
  mknod: async () => (await import('./mknod.ts')).mknod,
  mv: async () => (await import('./mv.ts')).mv,
  mtree: async () => (await import('./mtree.ts')).mtree,
  patch: async () => (await import('./patch.ts')).patch,
  put: async () => (await import('./put.ts')).put,
  readlink: async () => (await import('./readlink.ts')).readlink,
  recover: async () => (await import('./recover.ts')).recover,
  rm: async () => (await import('./rm.ts')).rm,
  rmdir: async () => (await import('./rmdir.ts')).rmdir,
  script: async () => (await import('./script.ts')).script,
  sh: async () => (await import('./sh.ts')).sh,
  stat: async () => (await import('./stat.ts')).stat,
  touch: async () => (await import('./touch.ts')).touch,
  truncate: async () => (await import('./truncate.ts')).truncate,
  tar: async () => (await import('./tar.ts')).tar,
  tree: async () => (await import('./tree.ts')).tree,
  version: async () => (await import('./version.ts')).version,
  write: async () => (await import('./write.ts')).write,
  xattr: async () => (await import('./xattr.ts')).xattr,
};

/** BSD's names, which answer too but are not listed. */
const aliases: Readonly<Record<string, string>> = { newfs: 'mkfs' };

export const aliasesOf = (name: string): readonly string[] =>
  Object.keys(aliases).filter((alias) => aliases[alias] === name);

export const commandNames = (): readonly string[] => Object.keys(loaders);

/** undefined: there is no such command. */
export async function loadCommand(word: string): Promise<Command | undefined> {
  const name = Object.hasOwn(aliases, word) ? (aliases[word] ?? word) : word;
  return Object.hasOwn(loaders, name) ? loaders[name]?.() : undefined;
}
