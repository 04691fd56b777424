/** The browser on ink: the frame that render/ has made, as text side by side. */
import { Box, Text } from 'ink';
import { memo, useSyncExternalStore } from 'react';
import type { ReactElement } from 'react';
import { paint } from '../paint.ts';
import { frameOf } from '../render/frame.ts';
import type { Line } from '../render/line.ts';
import type { Look, State } from '../model/state.ts';

/** The one text of an area: its lines are as wide as it is, so that nothing is left to wrap. */
const Lines = memo(
  function Lines({ text }: { readonly text: string }): ReactElement {
    return <Text wrap="truncate-end">{text}</Text>;
  },
  (before, after) => before.text === after.text,
);

const textOf = (lines: readonly Line[], look: Look): string => lines.map((line) => paint(line, look)).join('\n');

export function Screen({ state }: { readonly state: State }): ReactElement {
  const { title, columns, status } = frameOf(state);
  const { look } = state;
  return (
    <Box flexDirection="column">
      <Lines text={paint(title, look)} />
      <Box>
        {columns.map(({ area, lines }) => (
          <Box key={area.left} width={area.width} height={area.height}>
            <Lines text={textOf(lines, look)} />
          </Box>
        ))}
      </Box>
      <Lines text={paint(status, look)} />
    </Box>
  );
}

interface Store {
  readonly state: State;
  readonly watch: (watcher: () => void) => () => void;
}

export function App({ store }: { readonly store: Store }): ReactElement {
  return <Screen state={useSyncExternalStore(store.watch, () => store.state)} />;
}
