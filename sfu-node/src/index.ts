// What this package exports.
export { announcedOf, ROUTER_CODECS } from './codecs.ts';
export { NodeConfig, type NodeConfigInput } from './config.ts';
export type * from './media/port.ts';
export { startSfuNode, type SfuNode, type SfuNodeOptions } from './node.ts';
export { mediasoupProcess } from './media/mediasoup.ts';
export { workerProgram, type WorkerProgram } from './media/program.ts';
