/** A cascade-router as a process of its own: `node cascade-router/src/main.ts --config cascade.toml`. */
import { ProcessConfig, runProcess } from '@veilcast/node-kit/process';
import { startCascadeRouter } from './cascade-router.ts';
import { CascadeConfig } from './config.ts';

await runProcess({
  kind: 'cascade-router',
  schema: ProcessConfig.extend({ cascade: CascadeConfig }),
  who: ({ cascade }) => ({ processId: cascade.processId, region: undefined }),
  start: (context, { cascade }) => startCascadeRouter({ context, config: cascade }),
});
