/** Entry of all tools: argv[0] or the first word names the command. */
import { commandLine, processShell } from './host.ts';
import { main } from './main.ts';

const { argv0, args } = commandLine();
async function start(): Promise<void> {
  // Not process.exit(): what holds the process for a moment (a signal met during a commit) must come to its end.
  process.exitCode = await main(argv0, args, processShell());
}

void start();
