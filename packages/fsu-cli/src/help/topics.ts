/** What holds for every command, said once: the overview and fsu(1) have it from here. */

interface Row {
  readonly term: string;
  readonly says: string;
}

/** Addresses: the grammar is parseAddress()'s (ukfs), docs/ukfs.md has all of it. */
export const addresses = {
  form: 'IMAGE[:SELECTOR][/PATH]',
  rows: [
    { term: 'disk.img:/etc/fstab', says: 'the one file system in the image' },
    { term: 'disk.img:2/etc', says: 'partition 2' },
    { term: 'disk.img:a/etc', says: 'a BSD letter' },
    {
      term: 'disk.img:label=root/etc',
      says: "the file system's label; also uuid=, and name= and type= of the partition",
    },
    { term: 'disk.img:off=1MiB/etc', says: 'what begins at that byte; off=START,LENGTH' },
    { term: 'disk.img:1:b/etc', says: 'a part of a part' },
    { term: 'disk.img:1:file=vm.img:2/etc', says: 'partition 2 of the image that is a file in partition 1; only read' },
  ],
  rules: [
    'With one file system in the image no selector is needed; with several an error lists them.',
    'A host file of the literal name wins. A drive letter (C:\\disk.img:2/etc) is part of the name of the image.',
    'In the value of a selector %2F, %3A and %25 stand for a slash, a colon and a percent sign.',
    '--image IMAGE --partition SELECTOR with plain paths is the spelling that is never ambiguous.',
  ],
} as const;

export const exitStatuses: readonly Row[] = [
  { term: '0', says: 'done' },
  { term: '1', says: 'something failed' },
  { term: '2', says: 'usage' },
  { term: '3', says: 'not recognised or unsupported' },
  { term: '4', says: 'damaged or dirty' },
  { term: '5', says: 'locked or in use' },
  { term: '6', says: 'no space' },
  { term: '130', says: 'interrupted' },
];

export const environment: readonly Row[] = [
  { term: 'FSU_DEVICE', says: 'the image of fsu_X; then no operand names it' },
  { term: 'FSU_TYPE', says: 'the file-system type, as --type' },
  { term: 'FSU_MNTOPTS', says: 'mount options, as --options' },
  { term: 'FSU_DEBUG', says: 'with any value: the whole story of each failure' },
  { term: 'SOURCE_DATE_EPOCH', says: 'no time later than this is stamped' },
  { term: 'TZ', says: 'the zone in which times are shown' },
  { term: 'BLOCKSIZE', says: 'unit of block counts' },
  { term: 'COLUMNS', says: 'width of the output' },
  { term: 'LS_COLORS', says: 'colours of names, as dircolors(1) writes them' },
  { term: 'NO_COLOR', says: 'no colours unless an option asks for them' },
  { term: 'FORCE_COLOR', says: 'colours, also to a pipe; as CLICOLOR_FORCE' },
  { term: 'UKFS_CODE_CACHE', says: '0: do without the compiled code that earlier runs have left' },
  { term: 'TERM', says: 'dumb: a terminal without colours' },
];
