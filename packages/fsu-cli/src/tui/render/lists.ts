/** The lists of files. Only lines that are on the screen are made, however long the list is. */
import { modeText } from '../../format/mode.ts';
import { humanBsd } from '../../format/size.ts';
import { safeText } from '../../format/name.ts';
import { Clock, hostOffset } from '../../format/time.ts';
import type { Area } from '../model/layout.ts';
import type { Link } from '../model/links.ts';
import type { Look, Row, State, Tab } from '../model/state.ts';
import { cutFront, fit, fitLine, span, widthOf } from './line.ts';
import type { Line, Style } from './line.ts';
import { shownText } from './shown.ts';

const styles: Readonly<Record<NonNullable<Row['type']>, Style>> = {
  dir: 'dir',
  lnk: 'link',
  reg: 'plain',
  blk: 'special',
  chr: 'special',
  fifo: 'special',
  sock: 'special',
};

const styleOf = ({ type, mode, damage }: Row): Style =>
  type === undefined || damage !== undefined ? 'error' : type === 'reg' && (mode & 0o111) !== 0 ? 'exec' : styles[type];

const SIZE = 6;
const TIME = 16;

/** In the zone of the terminal's host, as ls has times. */
const clock = new Clock(hostOffset, 0);
/** Entries of a list that takes a while: the first that come are not all, nor does their number say that they are. */
const LONG = 500;

export function listLines(
  state: State,
  { tab, area, isActive }: { readonly tab: Tab; readonly area: Area; readonly isActive: boolean },
): Line[] {
  const { width, height } = area;
  // Nothing is open in this list yet, or nothing in it can be.
  if (tab.place === '') return [fitLine([span('', 'heading')], width)];
  // A short list is there before anybody reads that it is not.
  const isCounting = !tab.isComplete && (tab.rows.length === 0 || tab.rows.length >= LONG);
  const count = isCounting ? `${tab.rows.length}…` : `${tab.shown.length}`;
  const place = state.places.get(tab.place)?.label ?? tab.place;
  const filter = tab.filter === '' ? '' : `  filter: ${safeText(tab.filter)}`;
  const chosen = tab.selected.size === 0 ? '' : `  ${tab.selected.size} selected`;
  const pane = state.panes.find(({ tabs }) => tabs.includes(tab));
  const tabs = pane === undefined || pane.tabs.length === 1 ? '' : `[${pane.tab + 1}/${pane.tabs.length}] `;
  const rest = `  ${count}${chosen}${filter}`;
  // Of a path that is too long the end says more.
  const path = cutFront(shownText(`${place}:${tab.dir}`, state.look), width - tabs.length - widthOf(rest));
  const heading = fitLine([span(`${tabs}${path}${rest}`, 'heading')], width);
  if (tab.failure !== undefined) return [heading, fitLine([span(tab.failure, 'error')], width)];
  if (tab.isComplete && tab.shown.length === 0) return [heading, fitLine([span(` ${whyEmpty(tab)}`, 'dim')], width)];
  const lines: Line[] = [heading];
  for (let at = tab.top; at < Math.min(tab.shown.length, tab.top + height - 1); at++) {
    const row = tab.rows[tab.shown[at] ?? -1];
    if (row === undefined) break;
    lines.push(
      rowLine(row, {
        look: state.look,
        link: row.type === 'lnk' ? tab.links.known.get(row.name) : undefined,
        width,
        isCursor: at === tab.cursor,
        isActive,
        isSelected: tab.selected.has(row.name) || tab.anchor === row.name,
      }),
    );
  }
  return lines;
}

const whyEmpty = ({ rows, filter }: Tab): string =>
  rows.length === 0 ? 'empty' : filter === '' ? 'only hidden names: . shows them' : 'nothing matches the filter';

interface How {
  readonly look: Look;
  /** Where it leads, when that is known. */
  readonly link: Link | undefined;
  readonly width: number;
  readonly isCursor: boolean;
  readonly isActive: boolean;
  readonly isSelected: boolean;
}

/** With less room than this nothing is told of where a link leads. */
const ARROW = ' -> ';
const TARGET = ARROW.length + 4;

function rowLine(row: Row, { look, link, width, isCursor, isActive, isSelected }: How): Line {
  const mode = width >= 50 ? ` ${modeText(row.type ?? 'reg', row.mode)}` : '';
  const time = width >= 70 ? ` ${fit(row.type === undefined ? '' : clock.longIso(row.mtime.sec), TIME)}` : '';
  const size = width >= 24 ? ` ${fit(row.type === 'dir' ? '' : humanBsd(row.size), SIZE, 'right')}` : '';
  const mark = isSelected ? '*' : ' ';
  const room = width - mode.length - time.length - size.length;
  const isBroken = link?.isBroken === true;
  const name = `${mark}${shownText(row.name, look)}${isBroken ? BROKEN : signOf(row)}`;
  const own = isBroken ? 'error' : styleOf(row);
  const style = isCursor ? (isActive ? 'cursor' : 'cursorElsewhere') : isSelected ? 'selected' : own;
  const rest = isCursor ? style : 'dim';
  const left = room - widthOf(name);
  const shown =
    link === undefined || left < TARGET
      ? [span(fit(name, room), style)]
      : [span(name, style), span(fit(`${ARROW}${shownText(link.target, look)}`, left), rest)];
  return [...shown, span(`${size}${time}${mode}`, rest)];
}

/** As Midnight Commander marks links that lead nowhere. */
const BROKEN = '!';

/** As `ls -F` has them. */
const signs: Readonly<Record<string, string>> = { dir: '/', lnk: '@', fifo: '|', sock: '=' };

const signOf = (row: Row): string => (styleOf(row) === 'exec' ? '*' : (signs[row.type ?? ''] ?? ''));
