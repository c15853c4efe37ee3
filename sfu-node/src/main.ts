/** A node as a process of its own: `node sfu-node/src/main.ts --config node.toml`. */
import { ProcessConfig, runProcess } from '@veilcast/node-kit/process';
import { NodeConfig } from './config.ts';
import { startSfuNode } from './node.ts';

await runProcess({
  kind: 'sfu-node',
  schema: ProcessConfig.extend({ node: NodeConfig }),
  who: ({ node }) => ({ processId: node.nodeId, region: node.region }),
  start: (context, { node }) => startSfuNode({ context, config: node }),
});
