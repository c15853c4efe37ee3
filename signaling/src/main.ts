/** Signaling as a process of its own, with the pages: `node signaling/src/main.ts --config signaling.toml`. */
import { ProcessConfig, runProcess } from '@veilcast/node-kit/process';
import { SignalingConfig } from './config.ts';
import { startWithPages } from './with-pages.ts';
import { WebConfig } from './web-config.ts';

await runProcess({
  kind: 'signaling',
  schema: ProcessConfig.extend({ signaling: SignalingConfig, web: WebConfig }),
  who: ({ signaling }) => ({ processId: signaling.processId, region: undefined }),
  start: (context, { signaling, web }) => startWithPages(context, signaling, web),
});
