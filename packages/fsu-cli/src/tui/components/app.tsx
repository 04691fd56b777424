/** The browser on ink: the frame that render/ has made, as text side by side. Bundled by itself: it alone needs ink. */
import { Box, render, Text } from 'ink';
import { memo, useSyncExternalStore } from 'react';
import type { ReactElement } from 'react';
import { paint } from '../paint.ts';
import { frameOf } from '../render/frame.ts';
import type { Line } from '../render/line.ts';
import type { Look, State } from '../model/state.ts';
import type { Show, Store } from '../show.ts';

/** The one text of an area: its lines are as wide as it is, so that nothing is left to wrap. */
const Lines = memo(
  function Lines({ text }: { readonly text: string }): ReactElement {
    return <Text wrap="truncate-end">{text}</Text>;
  },
  (before, after) => before.text === after.text,
);

const textOf = (lines: readonly Line[], look: Look): string => lines.map((line) => paint(line, look)).join('\n');

export function Screen({ state }: { readonly state: State }): ReactElement {
  const { title, columns, dialog, status } = frameOf(state);
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
      {dialog.length > 0 && <Lines text={textOf(dialog, look)} />}
      <Lines text={paint(status, look)} />
    </Box>
  );
}

function App({ store }: { readonly store: Store }): ReactElement {
  return <Screen state={useSyncExternalStore(store.watch, () => store.state)} />;
}

export const show: Show = (store, stdout) => {
  const app = render(<App store={store} />, {
    stdout,
    exitOnCtrlC: false,
    patchConsole: false,
    // Each frame whole and at once: what of it goes to the terminal, and how, the screen decides.
    debug: true,
  });
  return () => app.unmount();
};
