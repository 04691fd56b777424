/**
 * Old tree or new tree after a crash anywhere, on a disk that reorders and tears; and the proof that this test can fail:
 * with any one fsync left out, or with a bug planted between file system and stage, it does.
 */
import { afterAll, describe, expect, test } from 'vitest';
import { openStage } from '../../packages/kernel/src/dev/stage.ts';
import type { Stage } from '../../packages/kernel/src/dev/stage.ts';
import type { BlockDevice } from '../../packages/kernel/src/dev/blockdev.ts';
import { hostFrom, ReorderHost } from '../support/reorder-host.ts';
import { Rng } from '../support/rng.ts';
import { BLOCK, judge } from '../support/toyfs.ts';
import { baseState, examine, IMAGE, keyOf, LOG, problemOf, problemOfState, record, scenarios } from './scenarios.ts';
import type { Scenario } from './scenarios.ts';

let points = 0;
let planted = 0;
afterAll(() => console.log(`stage-crash: ${points} crash states examined, ${planted} planted bugs found`));

describe.each(scenarios)('$name', (scenario) => {
  const recording = record(scenario);

  test('old tree or new tree, for readers and writers, and a half-done image is marked dirty', () => {
    const result = examine(recording, { seed: 1, perPoint: 300 });
    points += result.points;
    expect(result.problem).toBeUndefined();
    expect(recording.trees.filter((tree) => tree.startsWith('BAD'))).toEqual([]);
    expect(new Set(recording.trees).size).toBe(recording.trees.length);
  });

  const syncs = Array.from({ length: recording.rec.syncs() }, (_, n) => [n, recording.rec.syncName(n)] as const);
  test.each(syncs)('without fsync number %i (%s) the test fails', (dropSync) => {
    const result = examine(recording, { seed: 2, perPoint: 150, dropSync });
    points += result.points;
    expect(result.problem).toBeDefined();
    planted++;
  });
});

describe('fresh oracle', () => {
  /** Image blocks written before a commit point that the tree of that moment uses, by its bitmap and nothing of ours. */
  function trespasses(scenario: Scenario, device?: (stage: Stage) => BlockDevice): { inPlace: number; bad: number } {
    const base = baseState();
    const { rec } = record(scenario, device);
    const image = base.files.get(base.names.get(IMAGE)!)!.bytes.slice();
    const ino = base.names.get(IMAGE)!;
    let [inPlace, bad, applying] = [0, 0, false];
    let used = image.slice(BLOCK, 2 * BLOCK);
    for (const event of rec.events) {
      if (event.op === 'rename') applying = true;
      if (event.op === 'unlink') [applying, used] = [false, image.slice(BLOCK, 2 * BLOCK)];
      if (event.op !== 'write' || event.ino !== ino) continue;
      image.set(event.data.subarray(0, image.length - event.offset), event.offset);
      if (applying) continue;
      for (let at = event.offset; at < event.offset + event.data.length; at += BLOCK) {
        inPlace++;
        if (used[Math.floor(at / BLOCK)] !== 0) bad++;
      }
    }
    return { inPlace, bad };
  }

  /** Fills the image to its last free blocks but a few, then replaces files so that only released space is left. */
  const full: Scenario = {
    name: 'an image 95 % full',
    memLimit: 0,
    run(fs, _stage, commit) {
      fs.write('f', new Rng(40).bytes(20_000));
      commit();
      fs.write('b', new Rng(41).bytes(8_000));
      fs.write('a', new Rng(42).bytes(2_900));
      fs.remove('f');
      fs.write('g', new Rng(43).bytes(19_500));
      commit();
    },
  };

  test('no write before the commit point touches a block that the old tree uses', () => {
    let total = 0;
    for (const scenario of [...scenarios.filter(({ name }) => name !== 'the image grows'), full]) {
      const { inPlace, bad } = trespasses(scenario);
      total += inPlace;
      expect(bad, scenario.name).toBe(0);
    }
    expect(total).toBeGreaterThan(50);
    const result = examine(record(full), { seed: 6, perPoint: 60 });
    points += result.points;
    expect(result.problem).toBeUndefined();
  });

  test('planted bug, a freed block reused as fresh: found', () => {
    const hidden = (dev: BlockDevice): BlockDevice =>
      withBug(dev, { released: () => undefined, isReleased: () => false });
    expect(trespasses(full, hidden).bad).toBeGreaterThan(0);
    planted++;
  });
});

describe('apply cut short', () => {
  test.each(scenarios)('$name: at each unit', (scenario) => {
    const recording = record(scenario);
    const judged = new Set<string>();
    for (const cut of recording.rec.cuts()) {
      points++;
      const key = keyOf(cut);
      if (judged.has(key)) continue;
      judged.add(key);
      const problem = problemOf(recording, cut);
      expect(problem, cut.description).toBeUndefined();
    }
  });
});

describe('crash during recovery', () => {
  test.each(scenarios)('$name: three deep', (scenario) => {
    const recording = record(scenario);
    const rng = new Rng(3);
    let level = [...recording.rec.crashes({ rng, perPoint: 60 })]
      .map(({ state }) => state)
      .filter((state) => state.names.has(LOG));
    for (let depth = 1; depth <= 3; depth++) {
      const next: typeof level = [];
      for (const state of rng.shuffle(level).slice(0, 12)) {
        const tree = treeOf(state);
        const rec = new ReorderHost(state);
        openStage(rec.host, IMAGE, { write: true }).close();
        for (const crash of rec.crashes({ rng, perPoint: 20 })) {
          points++;
          const problem = problemOfState(crash.state, { allowed: [tree], whole: recording.trees });
          expect(problem, `depth ${depth}, ${crash.description}`).toBeUndefined();
          if (crash.state.names.has(LOG)) next.push(crash.state);
        }
      }
      expect(next.length).toBeGreaterThan(0);
      level = next;
    }
  });

  function treeOf(state: Parameters<typeof hostFrom>[0]): string {
    const stage = openStage(hostFrom(state), IMAGE, { write: false });
    const tree = judge(stage);
    stage.close();
    return tree;
  }
});

describe('planted bugs', () => {
  const spilling = scenarios[1]!;
  const tight: Scenario = {
    name: 'a file replaced with no memory',
    memLimit: 0,
    run(fs, _stage, commit) {
      fs.remove('b');
      fs.write('n', new Rng(30).bytes(19_000));
      commit();
    },
  };

  test('the tight scenario is sound by itself', () => {
    const result = examine(record(tight), { seed: 4, perPoint: 100 });
    points += result.points;
    expect(result.problem).toBeUndefined();
  });

  const bugs: [string, Scenario, (dev: BlockDevice) => BlockDevice][] = [
    [
      'a freed block is reused as fresh',
      tight,
      (dev) => withBug(dev, { released: () => undefined, isReleased: () => false }),
    ],
    ['nobody says where the superblock is', spilling, (dev) => withBug(dev, { superblock: () => undefined })],
    [
      'the format has no dirty mark',
      spilling,
      (dev) =>
        withBug(dev, {
          superblock: ({ extent }) => dev.superblock({ extent, dirtyMark: () => undefined }),
        }),
    ],
  ];
  test.each(bugs)('%s: found', (_name, scenario, bug) => {
    const result = examine(record(scenario, bug), { seed: 5, perPoint: 250 });
    points += result.points;
    expect(result.problem).toBeDefined();
    planted++;
  });

  test('no remount after a rollback: found', () => {
    const stale: Scenario = {
      name: 'stale cache',
      memLimit: 4096,
      run(fs, stage, commit) {
        const undo = stage.savepoint('explicit');
        fs.write('y', new Rng(19).bytes(4000));
        stage.rollback(undo);
        fs.write('z', new Rng(20).bytes(2000));
        commit();
      },
    };
    const { trees } = record(stale);
    expect(trees[1]).toMatch(/^BAD/);
    planted++;
  });
});

function withBug(dev: BlockDevice, bug: Partial<BlockDevice>): BlockDevice {
  return {
    sectorSize: dev.sectorSize,
    get sizeBytes() {
      return dev.sizeBytes;
    },
    readOnly: false,
    read: (dst, offset) => dev.read(dst, offset),
    write: (src, offset) => dev.write(src, offset),
    fresh: (extent) => dev.fresh(extent),
    released: (extent) => dev.released(extent),
    isReleased: (extent) => dev.isReleased(extent),
    superblock: (sb) => dev.superblock(sb),
    ...bug,
  };
}
