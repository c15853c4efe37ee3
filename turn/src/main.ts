/** A TURN server as a process of its own: `node turn/src/main.ts --config turn.toml`. */
import { ProcessConfig, runProcess } from '@veilcast/node-kit/process';
import { TurnConfig } from './config.ts';
import { startTurn } from './turn.ts';

await runProcess({
  kind: 'turn',
  schema: ProcessConfig.extend({ turn: TurnConfig }),
  who: ({ turn }) => ({ processId: turn.turnId, region: turn.region }),
  start: (context, { turn }) => startTurn({ context, config: turn }),
});
