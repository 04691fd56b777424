import { describe, expect, test } from 'vitest';
import { base64 } from './base64.ts';
import { JsonDocument } from './json.ts';
import { markOf, modeText, octalMode, parseOctalMode } from './mode.ts';
import { compareNames, compareVersions, displayWidth, isSafeName, jsonName, safeText, styleName } from './name.ts';
import { blockHeader, humanBsd, humanGnu, parseBlockUnit } from './size.ts';
import { alignedRows, columnsAcross, columnsDown, commaStream } from './table.ts';
import { civilOf, Clock, hostOffset, rfc3339, utcOffset } from './time.ts';

describe('modes', () => {
  test.each([
    ['reg', 0o644, '-rw-r--r--'],
    ['dir', 0o1777, 'drwxrwxrwt'],
    ['dir', 0o1776, 'drwxrwxrwT'],
    ['reg', 0o4755, '-rwsr-xr-x'],
    ['reg', 0o4644, '-rwSr--r--'],
    ['reg', 0o2755, '-rwxr-sr-x'],
    ['reg', 0o2745, '-rwxr-Sr-x'],
    ['lnk', 0o777, 'lrwxrwxrwx'],
    ['chr', 0o620, 'crw--w----'],
    ['blk', 0, 'b---------'],
    ['fifo', 0o600, 'prw-------'],
    ['sock', 0o600, 'srw-------'],
  ] as const)('%s %o is %s', (type, mode, text) => {
    expect(modeText(type, mode)).toBe(text);
  });

  test('octal, both ways', () => {
    expect(octalMode(0o100644)).toBe('0644');
    expect(octalMode(0o4755)).toBe('4755');
    expect(parseOctalMode('0755')).toBe(0o755);
    expect(parseOctalMode('8')).toBeUndefined();
    expect(parseOctalMode('77777')).toBeUndefined();
  });

  test('the marks of ls -F', () => {
    expect(markOf('reg', 0o644)).toBe('');
    expect(markOf('reg', 0o645)).toBe('*');
    expect([markOf('dir', 0), markOf('lnk', 0), markOf('fifo', 0), markOf('sock', 0)]).toEqual(['/', '@', '|', '=']);
  });
});

describe('sizes', () => {
  // What NetBSD's humanize_number(3) gives in a buffer of five.
  test.each([
    [0, '0B'],
    [999, '999B'],
    [1000, '1.0K'],
    [1023, '1.0K'],
    [1024, '1.0K'],
    [10188, '9.9K'],
    [10190, '10K'],
    [1048576, '1.0M'],
    [1023 * 1024, '1.0M'],
    [999 * 1024, '999K'],
    [5 * 2 ** 40, '5.0T'],
  ])('%i bytes is %s to NetBSD', (bytes, text) => {
    expect(humanBsd(bytes)).toBe(text);
  });

  test.each([
    [0, '0'],
    [1023, '1023'],
    [1024, '1.0K'],
    [1025, '1.1K'],
    [10240, '10K'],
    [10241, '11K'],
    [1048575, '1.0M'],
  ])('%i bytes is %s to GNU', (bytes, text) => {
    expect(humanGnu(bytes)).toBe(text);
  });

  test('powers of 1000', () => {
    expect(humanBsd(1500, true)).toBe('1.5k');
    expect(humanGnu(1500, true)).toBe('1.5k');
  });

  test('block sizes as people type them', () => {
    expect(parseBlockUnit('512')).toEqual({ kind: 'blocks', size: 512 });
    expect(parseBlockUnit('1k')).toEqual({ kind: 'blocks', size: 1024 });
    expect(parseBlockUnit('K')).toEqual({ kind: 'blocks', size: 1024 });
    expect(parseBlockUnit('2M')).toEqual({ kind: 'blocks', size: 2 ** 21 });
    expect(parseBlockUnit('KB')).toEqual({ kind: 'blocks', size: 1000 });
    expect(parseBlockUnit('1MiB')).toEqual({ kind: 'blocks', size: 2 ** 20 });
    expect(parseBlockUnit('si')).toEqual({ kind: 'human', si: true });
    for (const bad of ['', 'x', '0', '1iB', '-1', '1.5K']) expect(parseBlockUnit(bad)).toBeUndefined();
  });

  test('heads of columns', () => {
    expect([512, 1024, 2 ** 20, 4096].map(blockHeader)).toEqual(['512-blocks', '1K-blocks', '1M-blocks', '4K-blocks']);
  });
});

describe('names', () => {
  const evil = 'a\x1b[31m\nb\\ \udcff\u202e';

  test('nothing that a terminal obeys is left', () => {
    for (const style of ['question', 'octal', 'cstyle', 'escape', 'c', 'shell-escape', 'locale', 'clocale'] as const) {
      expect(isSafeName(styleName(evil, style))).toBe(true);
    }
    expect(safeText(evil)).toBe('a\\033[31m\\nb\\ \\377\\342\\200\\256');
  });

  test('styles', () => {
    expect(styleName('a b\n', 'question')).toBe('a b?');
    expect(styleName('a b\n', 'octal')).toBe('a\\040b\\012');
    expect(styleName('a b\n\\', 'cstyle')).toBe('a\\sb\\n\\\\');
    expect(styleName('a b', 'escape')).toBe('a\\ b');
    expect(styleName('a"b', 'c')).toBe('"a\\"b"');
    expect(styleName('plain', 'shell')).toBe('plain');
    expect(styleName('a b', 'shell')).toBe("'a b'");
    expect(styleName("it's", 'shell')).toBe('"it\'s"');
    expect(styleName('a\nb', 'shell-escape')).toBe("'a'$'\\n''b'");
    expect(styleName('x', 'shell-always')).toBe("'x'");
    expect(styleName('é', 'question')).toBe('é');
  });

  test('the order is that of the bytes', () => {
    const names = ['b', 'a', 'é', 'Z', '\udc80', '\uffee', '\u{1f600}', 'aa', ''];
    const encoded = (name: string): string => {
      const bytes = name === '\udc80' ? Buffer.from([0x80]) : Buffer.from(name);
      return bytes.toString('hex');
    };
    const byBytes = [...names].sort((a, b) => (encoded(a) < encoded(b) ? -1 : 1));
    expect([...names].sort(compareNames)).toEqual(byBytes);
  });

  test('versions', () => {
    expect(['a10', 'a9', 'a1', 'b1', 'a010', 'a'].sort(compareVersions)).toEqual([
      'a',
      'a1',
      'a9',
      'a010',
      'a10',
      'b1',
    ]);
  });

  test('widths on a terminal', () => {
    expect(displayWidth('abc')).toBe(3);
    expect(displayWidth('日本')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
    expect(displayWidth('\u{1f600}')).toBe(2);
  });

  test('JSON tells a name that is not UTF-8', () => {
    expect(jsonName('a')).toEqual({ text: 'a', bytes: undefined });
    expect(jsonName('a\udcff\u{1f600}').text).toBe('a\ufffd\u{1f600}');
    expect([...(jsonName('a\udcff').bytes ?? [])]).toEqual([0x61, 0xff]);
  });
});

describe('times', () => {
  const utc = new Clock(utcOffset, 1_767_225_600); // 2026-01-01T00:00:00Z

  test('dates of any year', () => {
    expect(civilOf(0)).toEqual({ year: 1970, month: 0, day: 1 });
    expect(civilOf(-1)).toEqual({ year: 1969, month: 11, day: 31 });
    for (const days of [-800_000, -141_428, 11_016, 59, 60, 20_454, 2_932_896]) {
      const date = new Date(days * 86_400_000);
      expect(civilOf(days)).toEqual({ year: date.getUTCFullYear(), month: date.getUTCMonth(), day: date.getUTCDate() });
    }
  });

  test('ls shows the time of day within half a year, both ways, else the year', () => {
    expect(utc.ls(1_767_225_600)).toBe('Jan  1 00:00');
    expect(utc.ls(1_767_225_600 - 182 * 86400 + 1)).toBe('Jul  3 00:00');
    expect(utc.ls(1_767_225_600 - 182 * 86400)).toBe('Jul  3  2025');
    expect(utc.ls(1_767_225_600 + 182 * 86400)).toBe('Jul  2  2026');
    expect(utc.ls(0)).toBe('Jan  1  1970');
    expect(utc.lsFull(1_767_225_599)).toBe('Dec 31 23:59:59 2025');
  });

  test('GNU styles', () => {
    expect(utc.longIso(0)).toBe('1970-01-01 00:00');
    expect(utc.fullIso(1, 5)).toBe('1970-01-01 00:00:01.000000005 +0000');
    expect(utc.iso(0)).toBe('1970-01-01 ');
    expect(utc.iso(1_767_225_600 - 60)).toBe('12-31 23:59');
  });

  test('local time is what the host says it is', () => {
    const local = new Clock(hostOffset, 0);
    for (const sec of [0, 1_700_000_000, 1_711_846_800, 1_729_990_800, 1_767_225_600]) {
      const date = new Date(sec * 1000);
      const two = (n: number): string => String(n).padStart(2, '0');
      expect(local.longIso(sec)).toBe(
        `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${two(date.getHours())}:${two(date.getMinutes())}`,
      );
    }
  });

  test('a zone that changes at half past the hour is asked in time', () => {
    let asked = 0;
    const clock = new Clock((sec) => {
      asked += 1;
      return sec < 1800 ? 0 : 30;
    }, 0);
    expect(clock.longIso(1799)).toBe('1970-01-01 00:29');
    expect(clock.longIso(1800)).toBe('1970-01-01 01:00');
    for (let sec = 1800; sec < 2600; sec++) clock.longIso(sec);
    expect(asked).toBe(2);
  });

  test('strftime', () => {
    const time = { sec: 1_767_225_605, nsec: 42 };
    expect(utc.strftime('%Y-%m-%d %H:%M:%S.%N %z', time)).toBe('2026-01-01 00:00:05.000000042 +0000');
    expect(utc.strftime('%a %A %b %B %e %j %p %I %y %C %u %w %%', time)).toBe(
      'Thu Thursday Jan January  1 001 AM 12 26 20 4 4 %',
    );
    expect(utc.strftime('%c|%D|%F|%R|%T|%s|%n%t|%Q', time)).toBe(
      'Thu Jan  1 00:00:05 2026|01/01/26|2026-01-01|00:00|00:00:05|1767225605|\n\t|%Q',
    );
    expect(utc.strftime('%-d %_m %^b', time)).toBe('1  1 JAN');
  });

  test('RFC 3339', () => {
    expect(rfc3339({ sec: -1, nsec: 999_999_999 })).toBe('1969-12-31T23:59:59.999999999Z');
    expect(rfc3339({ sec: 253_402_300_800, nsec: 0 })).toBe('+010000-01-01T00:00:00.000000000Z');
  });
});

describe('tables', () => {
  const cells = ['aa', 'b', 'cccc', 'd', 'e'].map((text) => ({ text, width: text.length }));
  const lines = (lay: (line: (text: string) => void) => void): string[] => {
    const out: string[] = [];
    lay((text) => out.push(text));
    return out;
  };

  test('columns down and across, spread over the width', () => {
    expect(lines((line) => columnsDown(cells, 16, line))).toEqual(['aa   cccc e', 'b    d']);
    expect(lines((line) => columnsAcross(cells, 16, line))).toEqual(['aa   b    cccc', 'd    e']);
  });

  test('one column when two do not fit', () => {
    expect(lines((line) => columnsDown(cells, 9, line))).toEqual(['aa', 'b', 'cccc', 'd', 'e']);
  });

  test('a stream of names breaks at the width', () => {
    expect(lines((line) => commaStream(cells, 10, line))).toEqual(['aa, b,', 'cccc, d,', 'e']);
  });

  test('aligned rows', () => {
    const rows = [
      ['a', '1', 'x'],
      ['bbb', '100', 'yy'],
    ];
    expect(alignedRows(rows, { right: [1], widthOf: (text) => text.length })).toEqual(['a     1 x', 'bbb 100 yy']);
  });
});

describe('JSON', () => {
  const write = (use: (document: JsonDocument) => void): unknown => {
    let text = '';
    use(new JsonDocument('fsu.test', (piece) => (text += piece)));
    return JSON.parse(text);
  };

  test('one object, whatever is put into it', () => {
    expect(
      write((d) => {
        d.member('a', 1);
        d.array('list');
        d.element({ x: 1 });
        d.element('y');
        d.path('path', 'é\udcff');
        d.member('left out', undefined);
        d.error({ errno: 'EIO', op: 'read', path: '/x', place: { ino: 7 }, message: 'm' });
        d.end(1);
      }),
    ).toEqual({
      schema: 'fsu.test',
      version: 1,
      a: 1,
      list: [{ x: 1 }, 'y'],
      path: 'é\ufffd',
      pathBytes: 'w6n/',
      errors: [{ errno: 'EIO', op: 'read', path: '/x', place: { ino: 7 }, message: 'm' }],
      status: 1,
    });
    expect(write((d) => d.end(0))).toEqual({ schema: 'fsu.test', version: 1, errors: [], status: 0 });
  });

  test('errors are bounded', () => {
    const document = write((d) => {
      for (let i = 0; i < 1500; i++)
        d.error({ errno: 'EIO', op: undefined, path: undefined, place: undefined, message: '' });
      d.end(1);
    });
    expect(document).toMatchObject({ errorsOmitted: 500 });
  });

  test('base64', () => {
    for (const text of ['', 'a', 'ab', 'abc', 'abcd'])
      expect(base64(Buffer.from(text))).toBe(Buffer.from(text).toString('base64'));
  });
});
