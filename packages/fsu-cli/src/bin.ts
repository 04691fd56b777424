/** Entry of all tools: argv[0] or the first word names the command. */
import { commandLine, processShell } from './host.ts';
import { main } from './main.ts';

const { argv0, args } = commandLine();
// Not process.exit(): what holds the process for a moment (a signal met during a commit) must come to its end.
void main(argv0, args, processShell()).then((status) => {
  process.exitCode = status;
});
